"""Hints: their colours and places, what a network sees of them, and what it may not be told."""

import colorsys

import numpy as np
import pytest
import torch
from PIL import Image

import colorlib as cl
from colorlib.datasets import hint_maps
from colorlib.model import predict
from colorlib.photos import coherent, hints


def test_revealed_chroma_is_that_of_colorsys():
    random = torch.Generator().manual_seed(0)
    squares = hint_maps.draw_hints(500, 40, 36, random)
    points = (squares[..., 2] > 0).sum(1)
    assert 0.4 < (points == 0).float().mean() < 0.6 and points.max() > 40
    assert (squares[..., :2] >= 0).all() and squares[..., 2].max() == 9
    assert ((squares[..., 0] + squares[..., 2]) <= 40).all()
    assert ((squares[..., 1] + squares[..., 2]) <= 36).all()
    few = squares[(points > 2) & (points < 9)][:4]
    rgb = torch.rand(4, 3, 40, 36)
    found = hint_maps.reveal(rgb, few).numpy()
    for image, image_squares, shown in zip(rgb.tolist(), few.tolist(), found, strict=True):
        sums = np.zeros((3, 40, 36))
        for top, left, side in image_squares:
            total = np.zeros(3)
            for y in range(top, top + side):
                for x in range(left, left + side):
                    h, s, v = colorsys.rgb_to_hsv(*(channel[y][x] for channel in image))
                    angle = 2 * np.pi * h
                    total += v * s * np.cos(angle), v * s * np.sin(angle), v
            if side:
                inside = np.s_[:, top : top + side, left : left + side]
                sums[inside] += np.array([*(total[:2] / total[2]), 1])[:, None, None]
        mask = sums[2] > 0
        expected = np.concatenate([sums[:2] / np.maximum(sums[2], 1), mask[None]])
        assert np.abs(shown - expected).max() < 1e-5


def test_hints_change_the_picture_where_they_are_told(hinted):
    gray = torch.rand(1, 1, 40, 50)
    none = hints.hint_maps(*hints.check_hints([], 50, 40), (40, 50), (40, 50))
    assert none is None
    known = hints.check_hints([(10, 20, "#ff0000"), (49, 39, (0, 0, 255))], 50, 40)
    maps = hints.hint_maps(*known, (40, 50), (40, 50))
    assert maps.shape == (1, 3, 40, 50) and maps[0, 2].sum() == 18
    assert torch.allclose(maps[0, :, 20, 10], torch.tensor([1.0, 0.0, 1.0]), atol=1e-6)
    assert torch.allclose(maps[0, :2, 39, 49], torch.tensor([-0.5, -(0.75**0.5)]), atol=1e-6)
    with torch.no_grad():
        assert not torch.allclose(
            predict(hinted, gray, "luma", maps), predict(hinted, gray, "luma")
        )


def test_a_hundred_hints_at_one_place_are_their_mean():
    red, cyan = (5, 5, (255, 0, 0)), (5, 5, (0, 255, 255))
    known = hints.check_hints([red, cyan] * 50, 32, 32)
    maps = hints.hint_maps(*known, (32, 32), (32, 32))
    assert maps[0, :2].abs().max() < 1e-5 and maps[0, 2].sum() == 9


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ((32, 0, "#ff0000"), "32 x 20 pixels"),
        ((0, -1, "#ff0000"), "y -1"),
        ((0, 0, "red"), '"#RRGGBB"'),
        ((0, 0, "#ff00"), '"#RRGGBB"'),
        ((0, 0, (1, 2)), "three whole numbers"),
        ((0, 0, (1, 2, 256)), "three whole numbers"),
        ((0, 0, (1, 2, 2.5)), "three whole numbers"),
        ((0, 0), "expected (x, y, colour)"),
        (("a", 0, "#ff0000"), "expected (x, y, colour)"),
        (7, "expected (x, y, colour)"),
        ((float("nan"), 0, "#ff0000"), "nan"),
    ],
)
def test_bad_hints_are_named(hinted, hint, said):
    with pytest.raises(ValueError) as caught:
        cl.colorize_photo(np.zeros((20, 32), np.uint8), hinted, hints=[hint])
    assert said in str(caught.value)


def test_a_network_without_hints_says_so(net):
    gray = np.zeros((40, 40), np.uint8)
    with pytest.raises(ValueError, match="takes none"):
        cl.colorize_photo(gray, net, hints=[(0, 0, "#ff0000")])
    with pytest.raises(ValueError, match="takes no hints"):
        cl.colorize_photo(gray, net, seed=1)
    with pytest.raises(ValueError, match="hints"):
        net(torch.zeros(1, 1, 32, 32), torch.zeros(1).long(), torch.zeros(1, 3, 32, 32))


def test_no_hints_are_zeros(hinted):
    gray, flag = torch.rand(2, 1, 32, 32), torch.ones(2, dtype=torch.long)
    with torch.no_grad():
        zeros = hinted(gray, flag, torch.zeros(2, 3, 32, 32))
        assert torch.equal(hinted(gray, flag), zeros)


def test_the_palette_is_the_distribution(hinted):
    gray = torch.full((1, 1, 32, 32), 0.5)
    with torch.no_grad():
        logits = predict(hinted, gray, "luma")
    colors = hints.palette(hinted, logits, gray, 0.5, 0.25)
    expected = logits[0, :, 4, 8].softmax(0).sort(descending=True).values[:9]
    assert [share for _, share in colors] == pytest.approx(expected.tolist())
    for color, _ in colors:
        assert abs(np.dot(hints.parse_color(color), (0.299, 0.587, 0.114)) - 127.5) < 2


def test_a_seed_of_numpy_is_a_seed(hinted):
    gray = np.zeros((40, 40), np.uint8)
    one, other = (np.asarray(cl.colorize_photo(gray, hinted, seed=s)) for s in (3, np.int64(3)))
    assert np.array_equal(one, other)


def test_seeds_give_different_pictures_and_one_seed_the_same(hinted):
    gray = np.asarray(Image.linear_gradient("L").resize((48, 40)))
    first, again, other = (
        np.asarray(cl.colorize_photo(gray, hinted, 1.0, seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_own_hints_keep_apart_and_leave_the_reader_s_alone(hinted, monkeypatch):
    seen = []
    monkeypatch.setattr(
        coherent, "predict", lambda m, g, k, h: seen.append(h) or predict(m, g, k, h)
    )
    gray = torch.rand(2, 1, 64, 64)
    known = hints.hint_maps(
        *hints.check_hints([(3, 3, "#00ff00")], 64, 64), (64, 64), (64, 64)
    ).expand(2, -1, -1, -1)
    with torch.no_grad():
        coherent.coherent_logits(hinted, gray, known)
    assert len(seen) == coherent.ROUNDS + 1 and seen[0] is known
    assert torch.equal(seen[-1][:, :, 2:5, 2:5], known[:, :, 2:5, 2:5])
    counts = [h[0, 2].sum().item() for h in seen]
    assert counts == sorted(counts) and len(set(counts)) == len(counts)
