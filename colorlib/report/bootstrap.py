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


def bootstrap(
    rows: dict[str, Tensor], resamples: int = 300, other: dict[str, Tensor] | None = None
) -> dict[str, list[float]]:
    """95 % intervals (low, high) of summary(rows), less summary(other), resampling the images."""
    names = list(rows)

    def statistic(*drawn: np.ndarray) -> np.ndarray:
        parts = (drawn[i : i + len(names)] for i in range(0, len(drawn), len(names)))
        first, *second = (averages(dict(zip(names, part, strict=True))) for part in parts)
        return np.stack([first[n] - second[0][n] if second else first[n] for n in first])

    columns = [part[name].numpy() for part in (rows, other or {}) for name in part]
    found = bootstrap_intervals(columns, statistic, resamples).T.tolist()
    return dict(zip(averages(rows), found, strict=True))


def paired_bootstrap(
    one: dict[str, Tensor], other: dict[str, Tensor], resamples: int = 1000
) -> dict[str, list[float]]:
    """95 % intervals (low, high) of summary(one) - summary(other), resampling the images.

    one, other: `per_image` of two systems on the same images.
    """
    return bootstrap(one, resamples, other)
