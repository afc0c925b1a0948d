"""95 % intervals of a summary, and of the difference of two, by resampling the images."""

import numpy as np
import torch

from colorlib.metrics import summary


def paired_bootstrap(one: dict, other: dict, resamples: int = 1000, seed: int = 0) -> dict:
    """95 % intervals (low, high) of summary(one) - summary(other), resampling the images.

    one, other: `per_image` of two systems on the same images. Source: Efron and Tibshirani 1993,
    chapter 13 (percentile interval).
    """
    if len(one["psnr"]) != len(other["psnr"]):
        raise ValueError(
            f"paired_bootstrap: got {len(one['psnr'])} and {len(other['psnr'])} images"
        )
    a, b = (resampled(rows, resamples, seed) for rows in (one, other))
    return intervals({name: a[name] - b[name] for name in a})


def bootstrap(rows: dict, resamples: int = 300, seed: int = 0) -> dict:
    """95 % intervals (low, high) of summary(rows), resampling the images."""
    return intervals(resampled(rows, resamples, seed))


def resampled(rows: dict, resamples: int, seed: int) -> dict[str, np.ndarray]:
    """summary of `resamples` draws, with replacement, of the images: the same for one seed."""
    count, random = len(rows["psnr"]), np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        pick = torch.from_numpy(random.integers(0, count, count))
        for name, value in summary({k: v[pick] for k, v in rows.items()}).items():
            drawn.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in drawn.items()}


def intervals(drawn: dict) -> dict[str, list[float]]:
    return {k: [float(x) for x in np.percentile(v, (2.5, 97.5))] for k, v in drawn.items()}
