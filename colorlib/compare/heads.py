"""Heads of the networks that ours is compared with: the ab plane, hue and saturation."""

import functools

import torch
from torch import Tensor

from colorlib.color import hsv_to_chroma, lab_to_rgb, lightness, rgb_to_hsv, rgb_to_lab, to_gray
from colorlib.decoding import Head

AB_SPACING = 10.0  # Zhang et al. 2016, section 2.1


class AbCells(Head):
    """A distribution over cells of the ab plane of CIE Lab, as ECCV16 has it."""

    def cells(self, spacing: float) -> Tensor:
        return ab_cells()  # always 10 apart

    def to_chroma(self, color: Tensor, gray: Tensor, given: str) -> Tensor:
        return ab_to_chroma(color, gray, given)


class HueSaturation(Head):
    """Hue and saturation as two numbers, as the original course project has them."""

    def activate(self, output: Tensor) -> Tensor:
        return output.sigmoid()

    def to_chroma(self, color: Tensor, gray: Tensor, given: str) -> Tensor:
        return hsv_to_chroma(torch.cat((color, gray), 1))


@functools.cache
def ab_cells() -> Tensor:
    """(K, 2): every multiple of 10 in the ab plane that is the nearest one to some sRGB colour.

    The colours tried are 64 x 64 x 64 evenly spaced ones. Zhang et al. 2016, section 2.1, count
    313 in gamut; their rule is not published.
    """
    level = torch.linspace(0, 1, 64)
    rgb = torch.cartesian_prod(level, level, level).T[:, :, None]
    return (rgb_to_lab(rgb)[1:, :, 0].T / AB_SPACING).round().unique(dim=0) * AB_SPACING


def ab_to_chroma(ab: Tensor, gray: Tensor, given: str) -> Tensor:
    """Chroma (N, 2, H, W) of the colours with this ab (N, 2, H, W) and this value or luma.

    The lightness that goes with them is found in four steps. A colour out of gamut is clipped.
    """
    level = expected = lightness(gray)
    for _ in range(4):
        rgb = lab_to_rgb(torch.cat((level, ab), 1))
        reached = lightness(to_gray(rgb, given).clamp(0, 1))
        level = (level + expected - reached).clamp(0, 100)
    return hsv_to_chroma(rgb_to_hsv(lab_to_rgb(torch.cat((level, ab), 1))))
