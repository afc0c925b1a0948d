"""From what the network puts out to chroma: the colours each head stands for, and vividness.

A head of cells puts out one logit a cell: "distribution" over the chroma disk, "ab" over the ab
plane of CIE Lab. The others name the colour itself: "chroma", or "hue_saturation" as they are.
"""

import functools
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import (
    hsv_to_chroma,
    lab_to_rgb,
    lightness,
    rgb_to_hsv,
    rgb_to_lab,
    to_gray,
)

CELL_HEADS = ("distribution", "ab")
VERSION = 2  # part of weights_digest: raise it whenever the same logits give other colours
HEADS = (*CELL_HEADS, "chroma", "hue_saturation")
AB_SPACING = 10.0  # Zhang et al. 2016, section 2.1


class DecodeSetting(NamedTuple):
    """How a distribution over cells becomes one colour; see `cell_probabilities`."""

    alpha: float = 0.0  # strength of the logit adjustment
    temperature: float = 1.0


def cells_of(head: str, spacing: float) -> Tensor | None:
    """The colours (K, 2) that a head's logits stand for; None for a head that names the colour.

    spacing: of the chroma cells; ab cells are always 10 apart. Raises ValueError for another head.
    """
    if head not in HEADS:
        raise ValueError(f"head: got {head!r}, expected {', '.join(HEADS[:-1])} or {HEADS[-1]}")
    if head == "distribution":
        return cell_centres(spacing)
    return ab_cells() if head == "ab" else None


def cell_centres(spacing: float) -> Tensor:
    """(K, 2): the corners of all lattice squares that touch the unit disk.

    Every colour of the disk then lies between four of them, so that bilinear weights exist.
    """
    reach = math.ceil(1 / spacing)
    lattice = range(-reach, reach + 1)
    kept = set()
    for i in range(-reach, reach):
        for j in range(-reach, reach):
            near = [min(abs(k), abs(k + 1)) for k in (i, j)]  # the square's corner nearest 0
            if math.hypot(*near) * spacing < 1:
                kept |= {(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)}
    return torch.tensor([(i, j) for i in lattice for j in lattice if (i, j) in kept]) * spacing


@functools.cache
def ab_cells() -> Tensor:
    """(K, 2): every multiple of 10 in the ab plane that is the nearest one to some sRGB colour.

    The colours looked at are 64 x 64 x 64 evenly spaced ones. Zhang et al. 2016, section 2.1, count
    313 in gamut; their rule is not published.
    """
    level = torch.linspace(0, 1, 64)
    rgb = torch.cartesian_prod(level, level, level).T[:, :, None]
    return (rgb_to_lab(rgb)[1:, :, 0].T / AB_SPACING).round().unique(dim=0) * AB_SPACING


def cell_lattice(cells: Tensor, spacing: float) -> Tensor:
    """(n, n): the number of the cell at each lattice point, -1 where there is none.

    Point (n // 2, n // 2) is the colour (0, 0).
    """
    places = (cells / spacing).round().long()
    reach = int(places.abs().max())
    numbers = torch.full((2 * reach + 1, 2 * reach + 1), -1)
    numbers[places[:, 0] + reach, places[:, 1] + reach] = torch.arange(len(cells))
    return numbers


def decode(model, logits: Tensor, setting: DecodeSetting, gray: Tensor, given: str) -> Tensor:
    """The network's output (N, outputs, h, w) to chroma (N, 2, H, W), gray being (N, 1, H, W).

    A head of cells gives the mean of `cell_probabilities`: with a temperature below 1 the annealed
    mean of Zhang et al. 2016, section 2.3.
    """
    height, width = gray.shape[-2:]
    head = model.config["head"]
    if head in CELL_HEADS:
        logits = mean_color(model, cell_probabilities(model, logits, setting))
    if head == "hue_saturation":
        logits = logits.sigmoid()
    color = F.interpolate(logits, scale_factor=model.fold, mode="bilinear")[..., :height, :width]
    if head == "ab":
        return ab_to_chroma(color, gray, given)
    if head == "hue_saturation":
        return hsv_to_chroma(torch.cat((color, gray), 1))
    return color


def cell_probabilities(model, logits: Tensor, setting: DecodeSetting) -> Tensor:
    """The probability of each cell, (N, K, h, w) from logits of that shape, at a setting.

    Adding -alpha log(prior) to the logits undoes the pull of the grey majority (logit adjustment,
    Menon et al. 2021); a temperature below 1 moves from the mean towards the mode.
    """
    alpha, temperature = setting
    if alpha:
        logits = logits - alpha * model.prior.log().view(-1, 1, 1)
    return (logits / temperature).softmax(1)


def mean_color(model, probabilities: Tensor) -> Tensor:
    """The mean (N, 2, h, w) of the cells' colours under probabilities (N, K, h, w)."""
    return torch.einsum("nkhw,kc->nchw", probabilities, model.cells)


def ab_to_chroma(ab: Tensor, gray: Tensor, given: str) -> Tensor:
    """Chroma (N, 2, H, W) of the colours with this ab (N, 2, H, W) and this value or luma.

    The lightness that goes with them is found in four steps; out of gamut the nearest is taken
    that clipping gives.
    """
    level = expected = lightness(gray)
    for _ in range(4):
        rgb = lab_to_rgb(torch.cat((level, ab), 1))
        reached = lightness(to_gray(rgb, given).clamp(0, 1))
        level = (level + expected - reached).clamp(0, 100)
    return hsv_to_chroma(rgb_to_hsv(lab_to_rgb(torch.cat((level, ab), 1))))


def setting_at(model, vividness: float, given: str) -> DecodeSetting:
    """The setting at `vividness` in [0, 1], on the schedule that was tuned for this input."""
    schedule = model.schedules.get(given) or [DecodeSetting(), DecodeSetting(1.0, 1.0)]
    return between(schedule, vividness)


def between(schedule: list[DecodeSetting], vividness: float) -> DecodeSetting:
    """The setting at `vividness` in [0, 1], linear between evenly spaced settings."""
    check_vividness(vividness)
    at = vividness * (len(schedule) - 1)
    i = min(int(at), len(schedule) - 2)
    pairs = zip(schedule[i], schedule[i + 1], strict=True)
    return DecodeSetting(*(low + (at - i) * (high - low) for low, high in pairs))


def check_vividness(vividness: float) -> None:
    if not 0 <= vividness <= 1:
        raise ValueError(f"vividness: got {vividness}, expected a number from 0 to 1")
