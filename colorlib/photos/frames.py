"""Frames and paper borders of scanned photographs: even bands that are to stay as they are."""

from torch import Tensor

EVEN = 0.06  # largest range of luma, of 1, along a line of a frame
ALIKE = 0.03  # largest difference between the lines, and between two opposite sides


def find_frame(small: Tensor) -> Tensor:
    """Where luma (N, 1, H, W) in [0, 1] is frame: a band of one even luma on two opposite sides."""
    return bands(small)[..., :, None] | bands(small.mT)[..., None, :]


def bands(pictures: Tensor) -> Tensor:
    """Which rows of pictures (..., H, W) belong to the bands at top and bottom, bool (..., H)."""
    low, high = pictures.aminmax(dim=-1)
    level = pictures.mean(-1)
    top, bottom = level[..., :1], level[..., -1:]
    down, up = ((high - low < EVEN) & ((level - end).abs() < ALIKE) for end in (top, bottom))
    found = down.cumprod(-1) + up.flip(-1).cumprod(-1).flip(-1) > 0
    framed = down[..., :1] & up[..., -1:] & ((top - bottom).abs() < ALIKE)
    return found & framed
