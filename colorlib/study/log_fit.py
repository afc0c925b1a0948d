"""How quality grows with images, time and width: decibels per doubling, and what a level takes."""

import numpy as np


def line(x, y) -> dict:
    """Least squares of y = start + gain log2(x) on two points or more.

    Returns "start", "gain" (per doubling of x) and "residual", the root mean square. It never
    levels off, as everything does in the end: a forecast from it is an upper bound. A power law
    that does level off was tried; four runs do not determine its level.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 2 or len(x) != len(y):
        raise ValueError(f"line: got {len(x)} and {len(y)} numbers, wanted as many, two or more")
    gain, start = np.polyfit(np.log2(x), y, 1)
    residual = np.sqrt(np.mean((start + gain * np.log2(x) - y) ** 2))
    return {"start": float(start), "gain": float(gain), "residual": float(residual)}


def at(fit: dict, x):
    """y of the fit at x."""
    return fit["start"] + fit["gain"] * np.log2(x)


def needed(fit: dict, level: float) -> float:
    """The x at which the fit reaches `level`; infinite where it does not rise."""
    if fit["gain"] <= 0:
        return float("inf")
    return float(2 ** ((level - fit["start"]) / fit["gain"]))
