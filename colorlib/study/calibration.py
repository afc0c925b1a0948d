"""Is the predicted distribution right? How often a colour comes true, and how far off the mean is.

A network is calibrated where, of all the times it says 30 %, 30 % come true (Guo et al. 2017,
"On Calibration of Modern Neural Networks", section 2).
"""

import numpy as np
import torch
from torch import Tensor

from colorlib.color import luma
from colorlib.data import to_tensor
from colorlib.decoding import DecodeSetting, cell_probabilities
from colorlib.model import ColorNet, evaluating, predict
from colorlib.recipes import Distribution

EDGES = {  # of the bins of what was predicted
    "cells": np.concatenate(([0.0], np.geomspace(1e-4, 1, 13))),
    "mode": np.linspace(0, 1, 16),
}


def distribution(model: ColorNet, gray: Tensor) -> Tensor:
    """How likely each cell is at every predicted point, (N, K, h, w), for luma (N, 1, H, W)."""
    with evaluating(model) as device:
        gray = gray.to(device)
        return cell_probabilities(model, predict(model, gray, "luma"), DecodeSetting()).cpu()


def entropy(likely: Tensor) -> Tensor:
    """Entropy (N, h, w) in nats of distributions (N, K, h, w); log K where nothing is known."""
    return -(likely * likely.clamp(min=1e-12).log()).sum(1)


def distance(likely: Tensor, true: Tensor, cells: Tensor) -> Tensor:
    """How far (N, h, w), in chroma units, cells drawn from `true` lie from the mean of `likely`.

    Both are distributions (N, K, h, w); with `likely` for `true` it is what the network expects.
    """
    n, _, height, width = likely.shape
    flat, drawn = (x.permute(0, 2, 3, 1).flatten(0, 2) for x in (likely, true))
    found = [
        (other * torch.cdist(part @ cells, cells)).sum(1)
        for part, other in zip(flat.split(50_000), drawn.split(50_000), strict=True)
    ]
    return torch.cat(found).view(n, height, width)


def soft_target(model: ColorNet, truth: Tensor) -> tuple[Tensor, Tensor]:
    """The distribution (N, K, h, w) that RGB (N, 3, H, W) teaches, and each point's weight."""
    recipe = Distribution(model.config["spacing"], model.fold)
    index, share, weight = recipe.target(truth)
    shape = len(truth), len(model.cells), *index.shape[-2:]
    return torch.zeros(shape).scatter_add_(1, index, share), weight


def calibration(model: ColorNet, images) -> dict:
    """What uint8 `images` (N, H, W, 3), luma given, say of a network of chroma cells.

    "cells": rows of what was predicted of a cell and what share came true, over all cells of all
    points; "mode": the same of the likeliest cell alone, in 15 equal bins, with its expected
    calibration error (Guo et al., equation 3) in "mode_error"; "distance": rows of tenths of the
    points by expected error, and the error of the mean there. Points weigh by value, as in
    training. The truth is the soft target: the shares of the four cells around the true chroma.
    """
    cells = model.cells.cpu()
    sums = {name: np.zeros((3, len(edges) - 1)) for name, edges in EDGES.items()}
    expected, actual, weights, entropies = [], [], [], []
    for truth in to_tensor(images).split(250):
        likely = distribution(model, luma(truth))
        true, weight = soft_target(model, truth)
        best = likely.argmax(1, keepdim=True)
        for name, said, came in (
            ("cells", likely, true),
            ("mode", likely.gather(1, best), true.gather(1, best)),
        ):
            weigh = weight.expand_as(said).flatten().numpy()
            said, came = said.flatten().numpy(), came.flatten().numpy()
            bins = len(EDGES[name]) - 1
            place = np.clip(np.searchsorted(EDGES[name], said, "right") - 1, 0, bins - 1)
            for row, numbers in zip(sums[name], (weigh, weigh * said, weigh * came), strict=True):
                row += np.bincount(place, numbers, bins)
        expected.append(distance(likely, likely, cells).flatten())
        actual.append(distance(likely, true, cells).flatten())
        weights.append(weight.flatten())
        entropies.append(entropy(likely).flatten())
    kept = {name: _rows(*found) for name, found in sums.items()}
    weight, said, came = sums["mode"]
    kept["mode_error"] = float(np.abs(said - came).sum() / weight.sum())
    expected, actual, weight, unsure = (
        torch.cat(x).double().numpy() for x in (expected, actual, weights, entropies)
    )
    kept["distance"] = [
        {"predicted": np.average(expected[part], weights=weight[part] + 1e-9),
         "true": np.average(actual[part], weights=weight[part] + 1e-9)}
        for part in np.array_split(expected.argsort(), 10)
    ]  # fmt: skip
    kept["entropy"] = float(np.average(unsure, weights=weight))
    spread = np.cov(expected, actual, aweights=weight + 1e-9)
    scale = np.sqrt(spread[0, 0] * spread[1, 1])
    kept["correlation"] = float(spread[0, 1] / scale) if scale > 0 else 0.0
    return kept


def _rows(weight, said, came) -> list[dict]:
    return [
        {"predicted": said[i] / weight[i], "true": came[i] / weight[i], "weight": weight[i]}
        for i in range(len(weight))
        if weight[i] > 0
    ]
