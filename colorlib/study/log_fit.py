"""How quality grows with images, time and width: decibels per doubling, and what a level takes."""

from collections.abc import Sequence

import numpy as np


def fit_line(x: Sequence[float], y: Sequence[float]) -> dict[str, float]:
    """Least squares of y = start + gain log2(x) on two points or more.

    Returns "start", "gain" (per doubling of x) and "residual", the root mean square. The line never
    levels off, although everything does in the end: a forecast from it is an upper bound. A power
    law that does level off was tried; four runs do not determine its level.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 2 or len(x) != len(y):
        raise ValueError(
            f"fit_line: got {len(x)} and {len(y)} numbers, expected as many of each, two or more"
        )
    gain, start = np.polyfit(np.log2(x), y, 1)
    residual = np.sqrt(np.mean((start + gain * np.log2(x) - y) ** 2))
    return {"start": float(start), "gain": float(gain), "residual": float(residual)}


def value_at(fit: dict[str, float], x: float | np.ndarray) -> float | np.ndarray:
    """y of the fit at x."""
    return fit["start"] + fit["gain"] * np.log2(x)


def needed(fit: dict[str, float], level: float) -> float:
    """The x at which the fit reaches `level`; infinite where it does not rise."""
    if fit["gain"] <= 0:
        return float("inf")
    return float(2 ** ((level - fit["start"]) / fit["gain"]))
