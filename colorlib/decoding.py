"""From the network's output to chroma: colour cells, logit adjustment, temperature, vividness.

A network predicts a distribution over cells of the chroma disk, or, with another head, the colour
itself. One trained network gives a family of pictures: on CIFAR-100 vividness 0 has the best PSNR
and 1 about the colourfulness of the true images.
"""

import math
import pkgutil
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

VERSION = 2  # part of weights_digest: raise it whenever the same logits give other colours
CELL_HEADS = ("distribution", "ab")  # those that predict a distribution over cells
HEADS: dict[str, Any] = {  # name -> a subclass of Head, or "module:class", see `look_up`
    "distribution": "colorlib.decoding:ChromaCells",
    "ab": "colorlib.compare.recipes:AbCells",
    "chroma": "colorlib.decoding:Head",
    "hue_saturation": "colorlib.compare.recipes:HueSaturationHead",
}


class DecodeSetting(NamedTuple):
    """How a distribution over cells becomes one colour; see `cell_probabilities`."""

    alpha: float = 0.0  # strength of the logit adjustment
    temperature: float = 1.0


class Decodable(Protocol):
    """What is read here of a network, a `ColorNet`."""

    config: dict[str, Any]
    fold: int
    cells: Tensor
    prior: Tensor
    schedules: dict[str, list[DecodeSetting]]


class Head:
    """What a network's output stands for: here the chroma itself."""

    def cells(self, spacing: float) -> Tensor | None:
        """The colours (K, 2) that K logits stand for; None if the output is a colour."""
        return None

    def activate(self, output: Tensor) -> Tensor:
        """The colour (N, 2, h, w) of an output that is not logits of cells."""
        return output

    def to_chroma(self, color: Tensor, gray: Tensor, given: str) -> Tensor:
        """Chroma (N, 2, H, W) of this head's colour (N, 2, H, W) and gray (N, 1, H, W)."""
        return color


class ChromaCells(Head):
    """A distribution over cells of the chroma disk."""

    def cells(self, spacing: float) -> Tensor:
        return cell_centers(spacing)


def look_up(table: dict[str, Any], name: str, kind: str) -> Any:
    """The class of that name in a table; one given as "module:class" is imported when asked for."""
    if name not in table:
        raise ValueError(f"{kind}: got {name!r}, expected {' or '.join(table)}")
    return pkgutil.resolve_name(table[name]) if isinstance(table[name], str) else table[name]


def get_head(name: str) -> Head:
    return look_up(HEADS, name, "head")()


def cell_centers(spacing: float) -> Tensor:
    """(K, 2): the corners of all lattice squares that touch the unit disk.

    So every colour of the disk lies between four of them, and has bilinear weights.
    """
    reach = math.ceil(1 / spacing)
    lattice = range(-reach, reach + 1)
    corners = set()
    for i in range(-reach, reach):
        for j in range(-reach, reach):
            near = [min(abs(k), abs(k + 1)) for k in (i, j)]  # the square's corner nearest 0
            if math.hypot(*near) * spacing < 1:
                corners |= {(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)}
    return torch.tensor([(i, j) for i in lattice for j in lattice if (i, j) in corners]) * spacing


def cell_lattice(cells: Tensor, spacing: float) -> Tensor:
    """(n, n): the cell at each lattice point, else -1; the middle is the colour (0, 0)."""
    places = (cells / spacing).round().long()
    reach = int(places.abs().max())
    numbers = torch.full((2 * reach + 1, 2 * reach + 1), -1)
    numbers[places[:, 0] + reach, places[:, 1] + reach] = torch.arange(len(cells))
    return numbers


def decode(
    model: Decodable, output: Tensor, setting: DecodeSetting, gray: Tensor, given: str
) -> Tensor:
    """The network's output (N, outputs, h, w) to chroma (N, 2, H, W), gray being (N, 1, H, W).

    A head of cells gives the mean of `cell_probabilities`: with a temperature below 1 the annealed
    mean of Zhang et al. 2016, section 2.3.
    """
    height, width = gray.shape[-2:]
    head = get_head(model.config["head"])
    if model.config["head"] in CELL_HEADS:
        color = mean_color(model, cell_probabilities(model, output, setting))
    else:
        color = head.activate(output)
    color = F.interpolate(color, scale_factor=model.fold, mode="bilinear")[..., :height, :width]
    return head.to_chroma(color, gray, given)


def cell_probabilities(model: Decodable, logits: Tensor, setting: DecodeSetting) -> Tensor:
    """The probability of each cell, (N, K, h, w) from logits of that shape, at a setting.

    Adding -alpha log(prior) to the logits undoes the pull of the grey majority (logit adjustment,
    Menon et al. 2021); a temperature below 1 moves from the mean towards the mode.
    """
    alpha, temperature = setting
    if alpha:
        logits = logits - alpha * model.prior.log().view(-1, 1, 1)
    return (logits / temperature).softmax(1)


def mean_color(model: Decodable, probabilities: Tensor) -> Tensor:
    """The mean (N, 2, h, w) of the cells' colours under probabilities (N, K, h, w)."""
    return torch.einsum("nkhw,kc->nchw", probabilities, model.cells)


def setting_at(model: Decodable, vividness: float, given: str) -> DecodeSetting:
    """The setting at `vividness` in [0, 1], on the schedule that was tuned for this input.

    A schedule holds evenly spaced settings; between two of them the setting is linear.
    """
    check_vividness(vividness)
    schedule = model.schedules.get(given) or [DecodeSetting(), DecodeSetting(1.0, 1.0)]
    at = vividness * (len(schedule) - 1)
    i = min(int(at), len(schedule) - 2)
    pairs = zip(schedule[i], schedule[i + 1], strict=True)
    return DecodeSetting(*(low + (at - i) * (high - low) for low, high in pairs))


def check_vividness(vividness: float) -> None:
    if not hasattr(vividness, "__float__") or not 0 <= vividness <= 1:  # "0.5" is no number
        raise ValueError(f"vividness: got {vividness!r}, expected a number from 0 to 1")
