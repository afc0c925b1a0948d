"""Hints: colours that are known at some places of a photograph, and what the network would choose.

A hint is (x, y, colour): pixels of the photograph from its top left corner, and an 8-bit RGB triple
or "#RRGGBB". Only hue and saturation count; the brightness stays the photograph's.
Source: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors".
"""

import re
from collections.abc import Iterable

import torch
from torch import Tensor

from colorlib.color import add_chroma, hsv_to_chroma, rgb_to_hsv
from colorlib.datasets.hint_maps import draw_squares
from colorlib.decoding import DecodeSetting, cell_probabilities
from colorlib.model import ColorNet

Hint = tuple[float, float, str | tuple[int, int, int]]

SQUARE = 3  # side of a hint, in pixels of the size at which the network sees the photograph
PALETTE = 9  # colours that are offered for a place


def parse_color(color: str | Iterable[int]) -> tuple[int, int, int]:
    """The 8-bit RGB triple of "#RRGGBB" or of a triple. Raises ValueError for anything else."""
    if isinstance(color, str):
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
            raise ValueError(f'hint: got colour {color!r}, expected "#RRGGBB", as in "#3A7BD5"')
        return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
    try:
        triple = tuple(int(level) for level in color)
        whole = all(level == given for level, given in zip(triple, color, strict=True))
    except (TypeError, ValueError):
        triple, whole = (), False
    if len(triple) != 3 or not whole or not all(0 <= level <= 255 for level in triple):
        raise ValueError(
            f'hint: got colour {color!r}, expected three whole numbers from 0 to 255, or "#RRGGBB"'
        )
    return triple


def parse_hint(text: str) -> Hint:
    """The hint that "X,Y,#RRGGBB" says, as on the command line. Raises ValueError otherwise."""
    found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(#?[0-9a-fA-F]{6})\s*", text)
    if not found:
        raise ValueError(f"hint: got {text!r}, expected X,Y,#RRGGBB, as in 120,80,#3A7BD5")
    x, y, color = found.groups()
    return int(x), int(y), f"#{color.removeprefix('#')}"


def color_chroma(colors: Tensor) -> Tensor:
    """Chroma (P, 2) of 8-bit RGB colours (P, 3)."""
    rgb = colors.float().T[:, :, None] / 255
    return hsv_to_chroma(rgb_to_hsv(rgb))[..., 0].T


def check_hints(hints: Iterable[Hint], width: int, height: int) -> tuple[Tensor, Tensor]:
    """Places (P, 2), x and y in pixels, and chroma (P, 2) of hints for a photograph of this size.

    Raises ValueError that names the hint that is not (x, y, colour), or lies outside.
    """
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
    return torch.tensor(places), color_chroma(torch.tensor(colors))


def hint_maps(
    places: Tensor, chroma: Tensor, photo: tuple[int, int], size: tuple[int, int]
) -> Tensor | None:
    """What the network takes, (1, 3, h, w), at size (h, w) of a photograph (H, W).

    places, chroma: from `check_hints`. Hints at one place show their mean. None without hints.
    """
    if not len(places):
        return None
    centers = torch.stack(
        [
            ((places[:, axis] + 0.5) * small / full).long().clamp(max=small - 1)
            for axis, small, full in ((1, size[0], photo[0]), (0, size[1], photo[1]))
        ],
        -1,
    )
    return draw_squares(chroma.T[None], squares_around(centers[None], size), size)


def squares_around(centers: Tensor, size: tuple[int, int]) -> Tensor:
    """Squares (B, P, 3), top, left and side, around pixels (B, P, 2), row and column, inside."""
    last = torch.tensor(size, device=centers.device) - SQUARE
    corner = torch.minimum((centers - SQUARE // 2).clamp(min=0), last)
    return torch.cat((corner, torch.full_like(corner[..., :1], SQUARE)), -1)


def palette(
    model: ColorNet, logits: Tensor, gray: Tensor, x: float, y: float
) -> list[tuple[tuple[int, int, int], float]]:
    """The `PALETTE` likeliest colours at a place: (8-bit RGB, probability), likeliest first.

    logits (1, K, h, w) for gray (1, 1, H, W) in [0, 1] at the size that the network sees; x, y:
    the place, as shares of width and height. The colours have the place's luma.
    """
    row, column = (min(int(at * n), n - 1) for at, n in zip((y, x), logits.shape[-2:], strict=True))
    probabilities = cell_probabilities(model, logits, DecodeSetting())[0, :, row, column]
    most, cells = probabilities.topk(PALETTE)
    row, column = (min(int(at * n), n - 1) for at, n in zip((y, x), gray.shape[-2:], strict=True))
    level = gray[0, :, row, column].view(1, 1, 1).expand(1, PALETTE, 1).clamp(0.2, 0.8)
    rgb = (add_chroma(model.cells[cells].T[..., None], level, "luma") * 255).round().int()[..., 0].T
    return [(tuple(color), share) for color, share in zip(rgb.tolist(), most.tolist(), strict=True)]
