"""Errors by class and by true hue."""

import numpy as np
import torch
from torch import Tensor

from colorlib.color import rgb_to_hsv
from colorlib.datasets.arrays import Labels
from colorlib.metrics import ab_distances


def by_class(errors: Tensor, labels: Labels) -> np.ndarray:
    """Mean (classes,) of errors (N,) over each class's images, NaN for a class without any.

    labels: as `load_labels` gives them.
    """
    classes, names = labels
    sums = np.bincount(classes, weights=errors.numpy(), minlength=len(names))
    counts = np.bincount(classes, minlength=len(names))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def by_hue(
    systems: dict[str, Tensor], truth: Tensor, bins: int = 24, min_saturation: float = 0.2
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(bin centres in turns, {system: mean ab error (bins,), NaN for an empty bin}).

    systems: name -> predicted RGB (N, 3, H, W). Only pixels of a saturation above `min_saturation`
    count.
    """
    hsv = rgb_to_hsv(truth)
    chosen = hsv[:, 1] > min_saturation
    bin_of = (hsv[:, 0][chosen] * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(bin_of, minlength=bins)  # 0 / 0 is NaN: an empty bin is not drawn
    curves = {}
    for name, predicted in systems.items():
        distance = ab_distances(predicted, truth)
        sums = torch.bincount(bin_of, weights=distance[chosen].double(), minlength=bins)
        curves[name] = (sums / counts).numpy()
    return (np.arange(bins) + 0.5) / bins, curves
