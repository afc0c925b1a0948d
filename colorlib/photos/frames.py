"""Frames and paper borders of scanned photographs: even bands that are to stay as they are."""

import torch
from torch import Tensor

EVEN = 0.06  # largest range of luma, of 1, along a line of a frame
ALIKE = 0.03  # largest difference between the lines, and between two opposite sides


def find_frame(small: Tensor) -> Tensor:
    """Where luma (N, 1, H, W) in [0, 1] is frame, bool (N, 1, H, W).

    A frame is a band of even luma on two opposite sides, of the same luma on both: a sky alone is
    none. A picture of one even luma is all frame.
    """
    found = []
    for picture in small[:, 0]:
        rows = bands(picture)
        columns = bands(picture.T)
        found.append(rows[:, None] | columns[None])
    return torch.stack(found)[:, None]


def bands(picture: Tensor) -> Tensor:
    """Which rows of a picture (H, W) belong to the bands at its top and bottom, bool (H,)."""
    low, high = picture.aminmax(dim=1)
    even = high - low < EVEN
    level = picture.mean(1)
    frame = torch.zeros_like(even)
    if not (even[0] and even[-1] and (level[0] - level[-1]).abs() < ALIKE):
        return frame
    for start, step in ((0, 1), (-1, -1)):
        place = start
        for _ in range(len(even)):
            if not even[place] or (level[place] - level[start]).abs() >= ALIKE:
                break
            frame[place] = True
            place += step
    return frame
