"""Is the predicted distribution right? How often a colour comes true, and how far off the mean is.

A network is calibrated where, of all the times it says 30 %, 30 % come true (Guo et al. 2017,
"On Calibration of Modern Neural Networks", section 2).
"""

import numpy as np
import torch
from torch import Tensor

from colorlib.color import luma
from colorlib.data import to_tensor
from colorlib.model import ColorNet, evaluating, predict
from colorlib.recipes import Distribution

EDGES = np.concatenate(([0.0], np.geomspace(1e-4, 1, 13)))  # of the bins of what was predicted


def distribution(model: ColorNet, gray: Tensor) -> Tensor:
    """How likely each cell is at every predicted point, (N, K, h, w), for luma (N, 1, H, W)."""
    with evaluating(model) as device:
        return predict(model, gray.to(device), "luma").softmax(1).cpu()


def entropy(likely: Tensor) -> Tensor:
    """Entropy (N, h, w) in nats of distributions (N, K, h, w); log K where nothing is known."""
    return -(likely * likely.clamp(min=1e-12).log()).sum(1)


def expected_error(likely: Tensor, cells: Tensor) -> Tensor:
    """How far (N, h, w), in chroma units, the truth lies from the mean if `likely` is right."""
    n, _, height, width = likely.shape
    flat = likely.permute(0, 2, 3, 1).flatten(0, 2)
    distance = torch.cat(
        [(part * torch.cdist(part @ cells, cells)).sum(1) for part in flat.split(50_000)]
    )
    return distance.view(n, height, width)


def calibration(model: ColorNet, images, given_truth: Distribution | None = None) -> dict:
    """What uint8 `images` (N, H, W, 3), luma given, say of a network of chroma cells.

    "cells": rows of what was predicted of a cell and what share came true, over all cells of all
    points; "mode": the same of the likeliest cell alone, with its expected calibration error
    (Guo et al., equation 3), in "mode_error"; "distance": rows of tenths of the points by expected
    error, and the error of the mean there. Points weigh by value, as in training. The truth is the
    soft target: the shares of the four cells around the true chroma.
    """
    recipe = given_truth or Distribution(model.config["spacing"], model.fold)
    cells = model.cells.cpu()
    sums = {"cells": np.zeros((3, len(EDGES) - 1)), "mode": np.zeros((3, len(EDGES) - 1))}
    expected, actual, weights, entropies = [], [], [], []
    for truth in to_tensor(images).split(250):
        likely = distribution(model, luma(truth))
        index, share, weight = recipe.target(truth)
        true = torch.zeros_like(likely).scatter_add_(1, index, share)
        best = likely.argmax(1, keepdim=True)
        for name, said, came in (
            ("cells", likely, true),
            ("mode", likely.gather(1, best), true.gather(1, best)),
        ):
            weigh = weight.expand_as(said).flatten().numpy()
            said, came = said.flatten().numpy(), came.flatten().numpy()
            place = np.clip(np.searchsorted(EDGES, said, "right") - 1, 0, len(EDGES) - 2)
            for row, numbers in zip(sums[name], (weigh, weigh * said, weigh * came), strict=True):
                row += np.bincount(place, numbers, len(EDGES) - 1)
        chroma = torch.einsum("nkhw,kc->nchw", true, cells)
        mean = torch.einsum("nkhw,kc->nchw", likely, cells)
        expected.append(expected_error(likely, cells).flatten())
        actual.append((mean - chroma).square().sum(1).sqrt().flatten())
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
    varied = expected.std() > 0 and actual.std() > 0
    kept["correlation"] = float(np.corrcoef(expected, actual)[0, 1]) if varied else 0.0
    return kept


def _rows(weight, said, came) -> list[dict]:
    return [
        {"predicted": said[i] / weight[i], "true": came[i] / weight[i], "weight": weight[i]}
        for i in range(len(weight))
        if weight[i] > 0
    ]
