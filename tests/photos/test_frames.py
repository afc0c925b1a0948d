"""Frames of scans stay grey; a sky does not count as one."""

import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib.photos.frames import find_frame


@pytest.mark.parametrize("level", [0.1, 0.5, 0.92])
def test_a_frame_is_found_on_opposite_sides(level):
    picture = torch.rand(1, 1, 60, 80)
    picture[..., :6, :] = picture[..., -4:, :] = level
    frame = find_frame(picture)
    assert frame[0, 0].all(1).nonzero().flatten().tolist() == [*range(6), *range(56, 60)]
    assert frame[0, 0, 6:56].sum() == 0
    picture[..., :3] = picture[..., -3:] = level
    assert find_frame(picture)[0, 0, 30].nonzero().flatten().tolist() == [0, 1, 2, 77, 78, 79]


def test_a_sky_is_no_frame():
    picture = torch.rand(1, 1, 60, 80)
    picture[..., :20, :] = torch.linspace(0.6, 0.8, 20)[:, None]
    assert not find_frame(picture).any()
    picture[..., -5:, :] = 0.2  # an even ground of another brightness
    assert not find_frame(picture).any()


@pytest.mark.parametrize("level", [0, 64, 200, 255])
def test_an_even_picture_stays_grey(net, level):
    made = np.asarray(cl.colorize_photo(np.full((40, 70), level, np.uint8), net, vividness=1))
    assert np.ptp(made.astype(int)) <= 1 and abs(int(made[0, 0, 0]) - level) <= 1
