"""95 % intervals of means over images, and of differences of two systems, by resampling.

Source: Efron and Tibshirani 1993, chapter 13 (percentile intervals), by `scipy.stats.bootstrap`.
"""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from colorlib.metrics import averages


def bootstrap_intervals(
    columns: list[np.ndarray], statistic: Callable[..., np.ndarray], resamples: int
) -> np.ndarray:
    """95 % intervals (low and high, ...) of statistic(*columns), an array (...).

    columns: numbers (N,) that are resampled together, the same resamples each time. statistic takes
    arrays (..., N) and reduces the last axis.
    """
    from scipy import stats

    if len(columns[0]) == 1:
        return np.stack([statistic(*columns)] * 2)
    found = stats.bootstrap(
        columns, lambda *drawn, axis: statistic(*drawn), n_resamples=resamples, vectorized=True,
        paired=True, method="percentile", rng=np.random.default_rng(0),
        batch=20,  # bounds the memory
    )  # fmt: skip
    return np.stack(found.confidence_interval)


def paired_bootstrap(
    one: dict[str, Tensor], other: dict[str, Tensor], resamples: int = 1000
) -> dict[str, list[float]]:
    """95 % intervals (low, high) of summary(one) - summary(other), resampling the images.

    one, other: `per_image` of two systems on the same images.
    """
    return _intervals([one, other], resamples)


def bootstrap(rows: dict[str, Tensor], resamples: int = 300) -> dict[str, list[float]]:
    """95 % intervals (low, high) of summary(rows), resampling the images."""
    return _intervals([rows], resamples)


def _intervals(systems: list[dict[str, Tensor]], resamples: int) -> dict[str, list[float]]:
    names = list(systems[0])

    def statistic(*drawn: np.ndarray) -> np.ndarray:
        parts = (drawn[i : i + len(names)] for i in range(0, len(drawn), len(names)))
        one, *other = (averages(dict(zip(names, part, strict=True))) for part in parts)
        return np.stack([one[name] - other[0][name] if other else one[name] for name in one])

    columns = [rows[name].numpy() for rows in systems for name in names]
    found = bootstrap_intervals(columns, statistic, resamples).T.tolist()
    return dict(zip(averages(systems[0]), found, strict=True))
