"""95 % intervals of means over images, and of differences of two systems, by resampling.

Source: Efron and Tibshirani 1993, chapter 13 (percentile intervals), by `scipy.stats.bootstrap`.
"""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from colorlib.metrics import averages

BATCH = 20  # resamples at a time: bounds the memory


def bootstrap_intervals(
    columns: list[np.ndarray], statistic: Callable[..., np.ndarray], resamples: int, seed: int = 0
) -> np.ndarray:
    """95 % intervals (low and high, ...) of statistic(*columns), an array (...).

    columns: numbers (N,) that are resampled together. statistic takes arrays (..., N) and reduces
    the last axis. The same seed draws the same resamples.
    """
    from scipy import stats

    if len(columns[0]) == 1:
        value = statistic(*columns)
        return np.stack((value, value))
    found = stats.bootstrap(
        columns,
        lambda *drawn, axis: statistic(*drawn),
        n_resamples=resamples,
        batch=BATCH,
        vectorized=True,
        paired=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return np.stack(found.confidence_interval)


def paired_bootstrap(
    one: dict[str, Tensor], other: dict[str, Tensor], resamples: int = 1000, seed: int = 0
) -> dict[str, list[float]]:
    """95 % intervals (low, high) of summary(one) - summary(other), resampling the images.

    one, other: `per_image` of two systems on the same images.
    """
    if len(one["psnr"]) != len(other["psnr"]):
        raise ValueError(
            f"paired_bootstrap: got {len(one['psnr'])} and {len(other['psnr'])} images, "
            "expected the same images for both systems"
        )
    return _intervals([one, other], resamples, seed)


def bootstrap(rows: dict[str, Tensor], resamples: int = 300, seed: int = 0) -> dict:
    """95 % intervals (low, high) of summary(rows), resampling the images."""
    return _intervals([rows], resamples, seed)


def _intervals(systems: list[dict[str, Tensor]], resamples: int, seed: int) -> dict:
    names = list(systems[0])

    def statistic(*drawn: np.ndarray) -> np.ndarray:
        parts = [drawn[start : start + len(names)] for start in range(0, len(drawn), len(names))]
        one, *other = (averages(dict(zip(names, part, strict=True))) for part in parts)
        return np.stack([one[name] - other[0][name] if other else one[name] for name in one])

    columns = [rows[name].numpy() for rows in systems for name in names]
    low, high = bootstrap_intervals(columns, statistic, resamples, seed)
    return {name: [float(low[i]), float(high[i])] for i, name in enumerate(averages(systems[0]))}
