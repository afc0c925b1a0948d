import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F

import colorlib as cl
from colorlib.color import add_chroma, apply_relative_chroma, hsv_to_chroma, rgb_to_lab
from colorlib.photos import upsampling


@pytest.fixture
def scene():
    """A photograph of 384 x 384: (RGB, luma, small luma, small chroma), 48 pixels a side small."""
    rgb = cl.to_tensor(skimage.data.astronaut()[None, :384, 64:448])
    gray = cl.luma(rgb)
    small = upsampling.shrink(gray, (48, 48))
    chroma = upsampling.shrink(hsv_to_chroma(cl.rgb_to_hsv(rgb)) * gray, (48, 48))
    return rgb, gray, small, chroma / small.clamp(min=1e-4)


def error(coloured, rgb, gray):
    """Mean distance in ab within 8 pixels of strong edges of the luma."""
    across = (gray[..., 1:-1, 2:] - gray[..., 1:-1, :-2]).square()
    down = (gray[..., 2:, 1:-1] - gray[..., :-2, 1:-1]).square()
    strong = F.pad(((across + down).sqrt() / 2 > 0.1).float(), (1, 1, 1, 1))
    near = F.max_pool2d(strong, 17, 1, 8)[0, 0] > 0
    away = rgb_to_lab(coloured) - rgb_to_lab(rgb)
    return away[0, 1:].norm(dim=0)[near].mean().item()


def plainly(chroma, gray):
    full = F.interpolate(chroma, gray.shape[-2:], mode="bilinear")
    return add_chroma(full.clamp(-1, 1), gray, "luma")


def strips(chroma, small, gray):
    """(Rows, relative chroma) of the strips of a photograph."""
    found = upsampling.strips(chroma, small, gray, *upsampling.to_working_size(gray))
    return zip(*found, strict=True)


def test_one_colour_stays_one_colour():
    random = torch.Generator().manual_seed(0)
    gray = torch.rand(2, 1, 70, 90, generator=random)
    colour = torch.tensor([0.3, -0.2]).view(1, 2, 1, 1).expand(2, 2, 10, 12)
    small = upsampling.shrink(gray, (10, 12))
    full = upsampling.joint_bilateral(colour, small, gray)
    assert torch.allclose(full, colour[:, :, :1, :1].expand_as(full), atol=1e-5)


def test_colours_stop_at_an_edge_that_the_small_picture_does_not_show():
    gray = torch.full((1, 1, 64, 64), 0.2)
    gray[..., 29:] = 0.8  # in the middle of a small pixel of 8
    truth = torch.where(gray > 0.5, 0.6, -0.6).expand(1, 2, 64, 64)
    small, colour = (upsampling.shrink(x, (8, 8)) for x in (gray, truth))
    plain = F.interpolate(colour, (64, 64), mode="bilinear")
    along = upsampling.joint_bilateral(colour, small, gray)
    assert (along - truth).abs().mean() < 0.2 * (plain - truth).abs().mean()


def test_colours_bleed_less_than_plainly_upsampled_ones(scene):
    rgb, gray, small, chroma = scene
    along = add_chroma(upsampling.joint_bilateral(chroma, small, gray).clamp(-1, 1), gray, "luma")
    assert error(along, rgb, gray) < 0.8 * error(plainly(chroma, gray), rgb, gray)


def test_a_large_photograph_follows_its_edges_too(scene, monkeypatch):
    rgb, gray, small, chroma = scene
    monkeypatch.setattr(upsampling, "WORKING", 2**16)  # 192 x 192
    _, parts = strips(chroma, small, gray)
    along = apply_relative_chroma(torch.cat(parts, -2), gray)
    assert error(along, rgb, gray) < 0.85 * error(plainly(chroma, gray), rgb, gray)
    assert torch.allclose(cl.luma(along), gray, atol=1e-5)  # lines keep it too


def test_strips_do_not_show(scene, monkeypatch):
    _, gray, small, chroma = scene
    gray = gray[..., :377]
    monkeypatch.setattr(upsampling, "WORKING", 2**14)
    _, whole = strips(chroma, small, gray)
    monkeypatch.setattr(upsampling, "STRIP", 5000)
    rows, parts = strips(chroma, small, gray)
    assert len(parts) > 20 and [r.start for r in rows[1:]] == [r.stop for r in rows[:-1]]
    assert torch.allclose(torch.cat(parts, -2), torch.cat(whole, -2), atol=1e-5)


@pytest.mark.parametrize("strip", [1, 3000, upsampling.STRIP])
def test_strips_cover_any_size(scene, monkeypatch, strip):
    monkeypatch.setattr(upsampling, "WORKING", 16 * 16)
    monkeypatch.setattr(upsampling, "STRIP", strip)
    for height, width in [(h, 75) for h in range(1, 175)] + [(75, w) for w in range(1, 175)]:
        gray = scene[1][..., :height, :width]
        small, chroma = gray[..., ::9, ::9], scene[3][..., : -(-height // 9), : -(-width // 9)]
        rows, parts = strips(chroma, small, gray)
        assert [r.start for r in rows] == [0, *(r.stop for r in rows[:-1])]
        assert rows[-1].stop == height
        assert torch.cat(parts, -2).shape[-2:] == (height, width)


def test_lines_find_a_line():
    gray = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    slope, offset = upsampling.lines(torch.cat((2 * gray + 1, 1 - gray), 1), gray).chunk(2, 1)
    inner = np.s_[..., 3:-3, 3:-3]
    assert torch.allclose(
        (slope * gray + offset)[inner][:, 0], (2 * gray + 1)[inner][:, 0], atol=0.1
    )
    assert torch.allclose(slope[inner][:, 1], torch.tensor(-1.0), atol=0.1)


def test_pictures_smaller_than_the_network_sees_are_scaled_down():
    """Quarters of four colours and greys stay where they are, and what they are."""
    quarters = torch.tensor([[[[0.6, -0.2], [-0.5, 0.1]], [[0.0, 0.3], [-0.4, 0.5]]]])
    levels = torch.tensor([[[[0.1, 0.9], [0.5, 0.3]]]])

    def scaled(x, rows, columns):
        return x.repeat_interleave(rows, 2).repeat_interleave(columns, 3)

    full = upsampling.joint_bilateral(
        scaled(quarters, 16, 32), scaled(levels, 16, 32), scaled(levels, 3, 5)
    )
    expected = scaled(quarters, 3, 5)
    assert full.shape == expected.shape == (1, 2, 6, 10)
    rows, columns = [0, 1, 4, 5], [0, 1, 2, 3, 6, 7, 8, 9]  # not beside the middle
    full, expected = (x[:, :, rows][..., columns] for x in (full, expected))
    assert torch.allclose(full, expected, atol=0.02)
