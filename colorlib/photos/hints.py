"""Hints: colours that are known at some places of a photograph, and what the network would choose.

A hint is (x, y, colour): pixels of the photograph from its top left corner, and an 8-bit RGB triple
or "#RRGGBB". Only hue and saturation count; the brightness stays the photograph's.
Source: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors".
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from colorlib.color import add_chroma, hsv_to_chroma, rgb_to_hsv
from colorlib.datasets.hint_maps import draw_squares
from colorlib.decoding import DecodeSetting, cell_probabilities
from colorlib.model import ColorNet

Hint = tuple[float, float, str | tuple[int, int, int]]

SQUARE = 3  # side of a hint, in pixels of the size at which the network sees the photograph
PALETTE = 9  # colours that are offered for a place


def parse_color(color: str | Sequence[int]) -> tuple[int, int, int]:
    """The 8-bit RGB triple of "#RRGGBB" or of a triple. Raises ValueError for anything else."""
    if isinstance(color, str):
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
            raise ValueError(f'hint: got colour {color!r}, expected "#RRGGBB", as in "#3A7BD5"')
        return tuple(bytes.fromhex(color[1:]))
    if np.shape(color) != (3,) or not all(level in range(256) for level in color):
        raise ValueError(
            f'hint: got colour {color!r}, expected three whole numbers from 0 to 255, or "#RRGGBB"'
        )
    return tuple(int(level) for level in color)


def parse_hint(text: str) -> Hint:
    """The hint that "X,Y,#RRGGBB" says, as on the command line. Raises ValueError otherwise."""
    found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(#?[0-9a-fA-F]{6})\s*", text)
    if not found:
        raise ValueError(f"hint: got {text!r}, expected X,Y,#RRGGBB, as in 120,80,#3A7BD5")
    x, y, color = found.groups()
    return int(x), int(y), f"#{color.removeprefix('#')}"


def check_hints(hints: Iterable[Hint], width: int, height: int) -> tuple[Tensor, Tensor]:
    """Places (P, 2), x and y in pixels, and chroma (P, 2) of hints for a photograph of this size.

    Raises ValueError that names the hint that is not (x, y, colour), or lies outside.
    """
    if not isinstance(hints, Iterable):
        raise ValueError(f"hints: got {hints!r}, expected a list of (x, y, colour)")
    places, colors = [], []
    for hint in hints:
        try:
            x, y, color = hint
            x, y = float(x), float(y)
        except (TypeError, ValueError):
            raise ValueError(f"hint: got {hint!r}, expected (x, y, colour)") from None
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(
                f"hint: got x {x:g}, y {y:g}, but the photograph has {width} x {height} pixels"
            )
        places.append((x, y))
        colors.append(parse_color(color))
    if not places:
        return torch.zeros(0, 2), torch.zeros(0, 2)
    rgb = torch.tensor(colors).T[..., None] / 255
    return torch.tensor(places), hsv_to_chroma(rgb_to_hsv(rgb))[..., 0].T


def hint_maps(
    places: Tensor, chroma: Tensor, photo: tuple[int, int], size: tuple[int, int]
) -> Tensor | None:
    """What the network takes, (1, 3, h, w), at size (h, w) of a photograph (H, W).

    places, chroma: from `check_hints`. Hints at one place show their mean. None without hints.
    """
    if not len(places):
        return None
    (height, width), (rows, columns) = photo, size
    centers = (places.flip(-1) + 0.5) * torch.tensor([rows / height, columns / width])
    centers = centers.long().clamp(max=torch.tensor([rows - 1, columns - 1]))
    return draw_squares(chroma.T[None], squares_around(centers[None], size), size)


def squares_around(centers: Tensor, size: tuple[int, int]) -> Tensor:
    """Squares (B, P, 3), top, left and side, around pixels (B, P, 2), row and column, inside."""
    last = torch.tensor(size, device=centers.device) - SQUARE
    corner = torch.minimum((centers - SQUARE // 2).clamp(min=0), last)
    return torch.cat((corner, torch.full_like(corner[..., :1], SQUARE)), -1)


def palette(
    model: ColorNet, logits: Tensor, gray: Tensor, x: float, y: float
) -> list[tuple[str, float]]:
    """The `PALETTE` likeliest colours at a place: ("#RRGGBB", probability), likeliest first.

    logits (1, K, h, w) for gray (1, 1, H, W) in [0, 1] at the size that the network sees; x, y:
    the place, as shares of width and height. The colours have the place's luma.
    """

    def at_place(maps: Tensor) -> Tensor:
        height, width = maps.shape[-2:]
        return maps[0, :, min(int(y * height), height - 1), min(int(x * width), width - 1)]

    shares, cells = at_place(cell_probabilities(model, logits, DecodeSetting())).topk(PALETTE)
    level = at_place(gray).expand(1, PALETTE, 1).clamp(0.2, 0.8)
    rgb = (add_chroma(model.cells[cells].T[..., None], level, "luma") * 255).round().int()[..., 0].T
    names = ["#{:02X}{:02X}{:02X}".format(*color) for color in rgb.tolist()]
    return list(zip(names, shares.tolist(), strict=True))
