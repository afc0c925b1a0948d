"""Looked up here one colour at a time, with colorsys and scikit-image's Lab."""

import colorsys
import math

import numpy as np
import pytest
from skimage.color import rgb2lab

from colorlib.decoding import cell_centres
from colorlib.metrics import ab_prior
from colorlib.report import brightness_prior

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("given", ["value", "luma"])
def test_share_is_that_of_the_colour_at_this_brightness(given):
    cells = cell_centres(0.2)
    table = brightness_prior.common(cells)[int(given == "luma")]
    assert table.shape == (33, len(cells))
    shares = np.pad(ab_prior().numpy(), 1)
    near = np.outer([1, 2, 1], [1, 2, 1]) / 16
    agree = []
    # given luma only dark ones: any colour of at most blue's luma is in the gamut
    for level in range(1, 33, 4) if given == "value" else (1, 2, 3):
        for number, (x, y) in enumerate(cells.tolist()):
            saturation = min(1, math.hypot(x, y))
            rgb = np.array(colorsys.hsv_to_rgb(math.atan2(y, x) / math.tau % 1, saturation, 1.0))
            rgb = rgb * level / 32 / (1 if given == "value" else rgb @ LUMA)
            _, a, b = rgb2lab(rgb)
            i, j = (int((part + 110) // 10) for part in (a, b))
            share = max((near * shares[i : i + 3, j : j + 3]).sum(), brightness_prior.RAREST)
            agree.append(math.isclose(table[level, number], share, rel_tol=1e-4))
    assert np.mean(agree) > 0.99  # a colour on the border of two ab cells may fall in either


def test_black_is_grey_whatever_the_cell():
    table = brightness_prior.common(cell_centres(0.2))
    assert (table[:, 0] == table[0, 0, 0]).all()
    assert table.min() == np.float32(brightness_prior.RAREST)
    assert (table[0, -1] < table[0, -1].max()).sum() > 80  # of 109 in the light
