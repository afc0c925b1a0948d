"""Hints as a network takes them: maps of the chroma that is known at some places, and where."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from colorlib.color import hsv_to_chroma, rgb_to_hsv

MOST_HINTS = 64  # squares revealed of one image


def draw_hints(count: int, height: int, width: int, random: torch.Generator) -> Tensor:
    """Squares to reveal, int64 (count, `MOST_HINTS`, 3): top, left and side in pixels.

    Half of the images reveal none (sides of 0); the others a geometric number of mean 8, and one in
    16 of them any number. Places are uniform, sides 1 to 9 pixels. After Zhang et al. 2017,
    section 3.1, which draws places near the middle more often.
    """
    chance = torch.rand((4, count), generator=random)
    points = 1 + (chance[0].clamp(min=1e-9).log() / math.log(1 - 1 / 8)).floor()
    points = torch.where(chance[1] < 1 / 16, (chance[2] * MOST_HINTS).ceil(), points)
    points = torch.where(chance[3] < 0.5, points, 0.0)
    side = torch.randint(1, 10, (count, MOST_HINTS), generator=random)
    place = torch.rand((2, count, MOST_HINTS), generator=random)
    top, left = (
        (share * (length - side + 1)).long()
        for share, length in zip(place, (height, width), strict=True)
    )
    side = torch.where(torch.arange(MOST_HINTS) < points[:, None], side, 0)
    return torch.stack((top, left, side), -1)


def reveal(rgb: Tensor, squares: Tensor) -> Tensor:
    """Hints (B, 3, H, W) for images (B, 3, H, W) in [0, 1]: chroma of the squares, and a mask.

    squares: int64 (B, P, 3), top, left and side in pixels. A square shows its mean chroma, its
    pixels weighted by value; where squares overlap, their mean.
    """
    hsv = rgb_to_hsv(rgb)
    maps = torch.cat((hsv_to_chroma(hsv) * hsv[:, 2:], hsv[:, 2:]), 1)
    rows, columns = inside(squares, rgb.shape[-2:])
    sums = ((rows[:, None] @ maps) * columns[:, None]).sum(-1)  # (B, 3, P)
    return draw_squares(sums[:, :2] / sums[:, 2:].clamp(min=1e-6), squares, rgb.shape[-2:])


def draw_squares(chroma: Tensor, squares: Tensor, size: Sequence[int]) -> Tensor:
    """Hints (B, 3, *size) that show chroma (B, 2, P) in squares (B, P, 3); see `reveal`."""
    rows, columns = inside(squares, size)
    painted = torch.cat((chroma, torch.ones_like(chroma[:, :1])), 1)
    sums = (rows[:, None].mT * painted[:, :, None]) @ columns[:, None]  # (B, 3, H, W)
    shown = (sums[:, 2:] > 0).to(sums)
    return torch.cat((sums[:, :2] / sums[:, 2:].clamp(min=1), shown), 1)


def inside(squares: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Which rows (B, P, H) and columns (B, P, W) each square (B, P, 3) covers: 1.0 or 0.0."""
    top, left, side = squares.unsqueeze(-2).unbind(-1)

    def within(start: Tensor, length: int) -> Tensor:
        at = torch.arange(length, device=squares.device)
        return ((at >= start) & (at < start + side)).float()

    return within(top, size[0]), within(left, size[1])
