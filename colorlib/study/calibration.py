"""Is the predicted distribution right? How often a cell is the true one, how far off the mean is.

A network is calibrated if, of all the cells to which it gives 30 %, 30 % are the true ones (Guo et
al. 2017, "On Calibration of Modern Neural Networks", section 2).
"""

import numpy as np
import torch
from scipy.stats import binned_statistic
from torch import Tensor

from colorlib.color import luma
from colorlib.data import to_tensor
from colorlib.decoding import DecodeSetting, cell_probabilities
from colorlib.model import ColorNet, evaluation_mode, predict
from colorlib.recipes import Distribution
from colorlib.report import evaluation, store

EDGES = {  # of the bins of the predicted probability
    "cells": np.concatenate(([0.0], np.geomspace(1e-4, 1, 13))),
    "mode": np.linspace(0, 1, 16),
}


def distribution(model: ColorNet, gray: Tensor) -> Tensor:
    """The probability of each cell at each predicted point, (N, K, h, w), for luma (N, 1, H, W)."""
    with evaluation_mode(model) as device:
        gray = gray.to(device)
        return cell_probabilities(model, predict(model, gray, "luma"), DecodeSetting()).cpu()


def entropy(probabilities: Tensor) -> Tensor:
    """Entropy (N, h, w) in nats of distributions (N, K, h, w); log K where nothing is known."""
    return -(probabilities * probabilities.clamp(min=1e-12).log()).sum(1)


def distance(probabilities: Tensor, true: Tensor, cells: Tensor) -> Tensor:
    """Mean distance (N, h, w), in chroma units, of cells drawn from `true` to the predicted mean.

    Both are distributions (N, K, h, w). The network expects `distance` of the predicted one twice.
    """
    predicted = probabilities.movedim(1, -1)
    far = torch.cdist((predicted @ cells).flatten(0, 2), cells).view_as(predicted)
    return (true.movedim(1, -1) * far).sum(-1)


def soft_target(model: ColorNet, truth: Tensor) -> tuple[Tensor, Tensor]:
    """The target distribution (N, K, h, w) of RGB (N, 3, H, W), and each point's weight."""
    index, share, weight = Distribution(model.config["spacing"], model.fold).target(truth)
    empty = torch.zeros(len(truth), len(model.cells), *index.shape[-2:])
    return empty.scatter_add_(1, index, share), weight


def bin_sums(name: str, predicted: Tensor, true: Tensor, weight: Tensor) -> np.ndarray:
    """By bins of the predicted probability, (3, bins): weight, and both weighted sums."""
    weight = weight.expand_as(predicted)
    columns = [x.flatten().numpy() for x in (weight, weight * predicted, weight * true)]
    return binned_statistic(predicted.flatten(), columns, "sum", EDGES[name]).statistic


def measure_calibration(model: ColorNet, images: np.ndarray) -> dict:
    """The calibration of a network of chroma cells on uint8 `images` (N, H, W, 3), input luma.

    "cells": rows of the predicted probability of a cell and of the share that was true, over all
    points; "mode": the same of the likeliest cell alone; "mode_error": its expected calibration
    error (Guo et al., equation 3); "distance": the expected and the true error of the mean, by
    tenths of the expected one. Points weigh as in training; the truth is the soft target.
    """
    cells, sums, points = model.cells.cpu(), dict.fromkeys(EDGES, 0.0), []
    for truth in to_tensor(images).split(250):
        probabilities = distribution(model, luma(truth))
        true, weight = soft_target(model, truth)
        mode = probabilities.argmax(1, keepdim=True)
        sums["cells"] += bin_sums("cells", probabilities, true, weight)
        sums["mode"] += bin_sums(
            "mode", probabilities.gather(1, mode), true.gather(1, mode), weight
        )
        errors = [distance(probabilities, x, cells) for x in (probabilities, true)]
        parts = torch.stack((*errors, weight[:, 0], entropy(probabilities)))
        points.append(parts.flatten(1))
    result = {
        name: [{"predicted": p / w, "true": t / w, "weight": w} for w, p, t in bins.T if w]
        for name, bins in sums.items()
    }
    weight, predicted, true = sums["mode"]
    result["mode_error"] = float(np.abs(predicted - true).sum() / weight.sum())
    expected, actual, weight, entropies = torch.cat(points, 1).double().numpy()
    weight = weight + 1e-9  # black pixels alone would weigh nothing
    result["distance"] = [
        {"predicted": np.average(expected[part], weights=weight[part]),
         "true": np.average(actual[part], weights=weight[part])}
        for part in np.array_split(expected.argsort(), 10)
    ]  # fmt: skip
    result["entropy"] = float(np.average(entropies, weights=weight))
    spread = np.cov(expected, actual, aweights=weight)
    scale = np.sqrt(spread[0, 0] * spread[1, 1])
    result["correlation"] = float(spread[0, 1] / scale) if scale > 0 else 0.0
    return result


def calibration_result(model: ColorNet, name: str, source: str, images: np.ndarray) -> dict:
    """`measure_calibration` of shipped weights, saved as the result `calibration`."""
    found = measure_calibration(model, images) | {"sample": calibration_sample(model, images)}
    return save_study("calibration", model, name, source, images, found)


def save_study(
    result_name: str, model: ColorNet, name: str, source: str, images: np.ndarray, content: dict,
    **config: float,
) -> dict:  # fmt: skip
    """Save what notebook 5 measured; under NAME-quick unless on all of CIFAR-100's test images."""
    data = store.data_record(source, "test", images)
    config = {"model": name, "given": "luma"} | config
    made = store.provenance({name: model}, config, data, notebook="05_study")
    quick = "" if (source, len(images)) == ("cifar100", 10000) else "-quick"
    return store.save_result(result_name + quick, made | content)


def calibration_sample(model: ColorNet, images: np.ndarray) -> dict[str, float]:
    """Two numbers of the first images alone, for the test that recomputes them."""
    found = measure_calibration(model, images[: evaluation.SAMPLE])
    return {name: found[name] for name in ("mode_error", "entropy")}


def calibration_summary(result: dict) -> str:
    """Sentences: the calibration error, and the expected and true error of the surest tenth."""
    low, high = result["distance"][0], result["distance"][-1]
    return (
        f"The expected calibration error of the likeliest cell is {result['mode_error']:.3f}. "
        f"In the surest tenth of the points the network expects an error of {low['predicted']:.3f} "
        f"and makes {low['true']:.3f}; in the least sure tenth it expects {high['predicted']:.3f} "
        f"and makes {high['true']:.3f} (chroma units). Expected and true error correlate at "
        f"{result['correlation']:.2f}."
    )
