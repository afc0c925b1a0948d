"""How quality grows with images, time and width: the fit, and what a given level would take."""

import numpy as np

EXPONENTS = np.linspace(0.05, 2, 196)


def saturating(x, y) -> dict:
    """Least squares of y = best - loss x^-power; a power law that levels off at "best".

    x, y: at least three points. Returns "best", "loss", "power", "residual", root mean square, and
    "determined": whether the best power lies inside `EXPONENTS`, not at an end, where many fit.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 3:
        raise ValueError(f"saturating: got {len(x)} points, wanted three or more")
    found = []
    for power in EXPONENTS:
        terms = np.stack((np.ones_like(x), -(x**-power)), 1)
        (best, loss), *_ = np.linalg.lstsq(terms, y, rcond=None)
        residual = np.sqrt(np.mean((terms @ (best, loss) - y) ** 2))
        found.append({"best": best, "loss": loss, "power": power, "residual": residual})
    fit = {k: float(v) for k, v in min(found, key=lambda fit: fit["residual"]).items()}
    return fit | {"determined": bool(EXPONENTS[0] < fit["power"] < EXPONENTS[-1])}


def at(fit: dict, x):
    """y of the fit at x."""
    return fit["best"] - fit["loss"] * np.asarray(x, float) ** -fit["power"]


def needed(fit: dict, level: float) -> float:
    """The x at which the fit reaches `level`; infinite where it never does."""
    if level >= fit["best"] or fit["loss"] <= 0:
        return float("inf")
    return float((fit["loss"] / (fit["best"] - level)) ** (1 / fit["power"]))
