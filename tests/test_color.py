import colorsys

import numpy as np
import pytest
import skimage.color
import torch

import colorlib as cl
from colorlib import color


def random_rgb(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def every_colour():
    """All 256^3 8-bit colours, 65,536 at a time: uint8 (3, 256, 256)."""
    green, blue = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    for red in range(256):
        yield torch.stack((torch.full_like(green, red), green, blue)).byte()


def test_hsv_agrees_with_colorsys():
    rgb = random_rgb(3, 30, 30).double()
    rgb[:, 0] = rgb[:1, 0]  # a row of greys
    rgb[:, 1, :4] = torch.tensor([[0, 1, 1, 0.5], [0, 1, 0, 0.5], [0, 1, 0, 0.2]])
    expected = [colorsys.rgb_to_hsv(*pixel) for pixel in rgb.flatten(1).T.tolist()]
    expected = torch.tensor(expected, dtype=torch.float64).T.view(3, 30, 30)
    hsv = cl.rgb_to_hsv(rgb)
    assert torch.allclose(hsv, expected, atol=1e-12)
    assert hsv[0].min() >= 0 and hsv[0].max() < 1
    assert torch.allclose(cl.hsv_to_rgb(hsv), rgb, atol=1e-12)


def test_every_8_bit_colour_comes_back_even_from_half_precision():
    for colours in every_colour():
        hsv = cl.rgb_to_hsv(colours.float() / 255)
        assert hsv[0].max() < 1
        for stored in (hsv, hsv.half()):
            assert torch.equal((cl.hsv_to_rgb(stored) * 255).round().byte(), colours)


def test_hsv_is_differentiable():
    rgb = random_rgb(1, 3, 3, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(cl.rgb_to_hsv, rgb)
    hsv = (random_rgb(1, 3, 3, 3).double() * 0.9 + 0.03).requires_grad_()
    assert torch.autograd.gradcheck(cl.hsv_to_rgb, hsv)


def test_luma_is_rec_601():
    rgb = torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]]).view(3, 1, 4)
    assert torch.allclose(cl.luma(rgb), torch.tensor([[[0.299, 0.587, 0.114, 1]]]))


def test_chroma_and_back():
    hsv = torch.tensor([[0.0, 0.25, 0.5, 0.9], [1, 0.5, 0.2, 0.7], [1, 1, 1, 1]]).view(3, 1, 4)
    chroma = color.hsv_to_chroma(hsv)
    expected = torch.tensor([[1, 0, -0.2], [0, 0.5, 0]]).view(2, 1, 3)
    assert torch.allclose(chroma[..., :3], expected, atol=1e-6)
    assert torch.allclose(cl.rgb_to_hsv(color.add_chroma(chroma, hsv[2:], "value")), hsv, atol=1e-6)


@pytest.mark.parametrize("given", ["value", "luma"])
def test_join_keeps_what_was_given(given):
    chroma = random_rgb(20, 2, 16, 16) * 3 - 1.5  # also outside the disk
    gray = random_rgb(20, 1, 16, 16)
    gray[0] = 0
    gray[1] = 1
    rgb = color.add_chroma(chroma, gray, given)
    assert rgb.min() >= 0 and rgb.max() <= 1
    assert torch.allclose(color.to_gray(rgb, given), gray, atol=2e-6)


def test_a_mean_of_tints_keeps_the_luma_and_stays_in_gamut():
    chroma = random_rgb(20, 2, 40, 40) * 2 - 1
    gray = random_rgb(20, 1, 40, 40)
    mean = 3 * color.relative_chroma(chroma) - 2 * color.relative_chroma(
        chroma.flip(-1)
    )  # also past both
    rgb = color.apply_relative_chroma(mean, gray)
    assert rgb.min() >= 0 and rgb.max() <= 1
    assert torch.allclose(cl.luma(rgb), gray, atol=2e-6)


def test_tint_is_of_the_chroma_alone():
    rgb = random_rgb(20, 3, 20, 20) * 0.9 + 0.05
    away = (rgb - cl.luma(rgb)) / cl.luma(rgb)
    chroma = color.hsv_to_chroma(cl.rgb_to_hsv(rgb))
    assert torch.allclose(color.relative_chroma(chroma), away, atol=1e-4)


@pytest.mark.parametrize("given", ["value", "luma"])
def test_join_with_the_true_chroma_gives_the_image(given):
    rgb = random_rgb(5, 3, 8, 8)
    chroma = color.hsv_to_chroma(cl.rgb_to_hsv(rgb))
    assert torch.allclose(
        color.add_chroma(chroma, color.to_gray(rgb, given), given), rgb, atol=1e-5
    )


def test_lab_agrees_with_scikit_image():
    rgb = random_rgb(4, 3, 16, 16)
    rgb[0, :, 0] = 0
    lab = color.rgb_to_lab(rgb)
    expected = skimage.color.rgb2lab(rgb.movedim(1, -1).numpy().astype(np.float64))
    assert np.abs(lab.movedim(1, -1).numpy() - expected).max() < 2e-3
    assert torch.allclose(color.lab_to_rgb(lab), rgb, atol=1e-4)


def test_lab_to_rgb_clips_to_the_gamut():
    rgb = color.lab_to_rgb(torch.tensor([60.0, 120, -120]).view(3, 1, 1))
    assert rgb.min() >= 0 and rgb.max() <= 1


@pytest.mark.parametrize(
    ("bad", "names"),
    [
        (torch.rand(4, 5, 5), "(4, 5, 5)"),
        (torch.rand(3, 5), "(3, 5)"),
        (torch.zeros(3, 5, 5, dtype=torch.uint8), "uint8"),
        (torch.full((3, 5, 5), 200.0), "200"),
        (torch.full((3, 5, 5), float("nan")), "nan"),
        ([[1, 2, 3]], "list"),
    ],
)
def test_bad_input_is_named(bad, names):
    for function in (cl.rgb_to_hsv, cl.luma, color.rgb_to_lab):
        with pytest.raises(ValueError, match="expected") as caught:
            function(bad)
        assert names in str(caught.value) and "expected" in str(caught.value)


def test_unknown_given_is_named():
    with pytest.raises(ValueError, match="'lightness', expected"):
        color.to_gray(torch.rand(1, 3, 4, 4), "lightness")
