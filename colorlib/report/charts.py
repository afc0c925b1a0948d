"""The figures with axes: curves, bars, trade-offs between metrics, in the style of style.py."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from colorlib.metrics import NAMES
from colorlib.report.style import OTHER, OURS, PAGE, TRUTH, YOURS
from colorlib.report.tables import TITLES

TRADED = (("raw_auc", "rebalanced_auc"), ("colourfulness", "psnr"))  # across, up: one panel each
BASELINES = ("grey", "random_colors")


def learning_curves(history: list[dict], note: str = "") -> Figure:
    """Training and validation loss, validation PSNR and raw AuC, against the epoch."""
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.0))
    epochs = [row["epoch"] for row in history]
    axes[0].plot(epochs, [row["train_loss"] for row in history], color=OTHER, label="training")
    if "psnr" in history[0]:
        names = ("validation_loss", "psnr", "raw_auc")
        for axis, name in zip(axes, names, strict=True):
            label = "validation" if name == "validation_loss" else None
            axis.plot(epochs, [row[name] for row in history], ".-", ms=3, color=OURS, label=label)
    axes[0].legend()
    labels = ("loss, nats a pixel", "validation PSNR, dB", "validation raw AuC")
    for axis, text in zip(axes, labels, strict=True):
        axis.set(xlabel="epoch", ylabel=text)
        axis.locator_params(axis="x", integer=True)
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def recipes_compared(
    curves: dict[str, list[dict]],
    ours: str,
    extra: dict[str, list[dict]] | None = None,
    note: str = "",
) -> Figure:
    """The key figure: raw against rebalanced AuC, and beside it PSNR against colourfulness.

    curves: key -> rows with the four metrics and their "intervals"; `ours` is drawn strongest.
    extra: one more name -> rows, of a reader's own recipe. Bars are 95 % bootstrap intervals.
    """
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 3.4))
    extra = extra or {}
    markers = dict(zip([key for key in curves if key != ours], "oD^vP*X<>d", strict=False))
    for axis, names in zip(axes, TRADED, strict=True):
        for key, rows in (curves | extra).items():
            color = YOURS if key in extra else TRUTH if key in BASELINES else OTHER
            look = {"fmt": markers.get(key, "s"), "mfc": "white", "ms": 4, "lw": 0.9, "zorder": 2}
            if key == ours:
                color = OURS
                look = {"fmt": ".", "mfc": OURS, "ms": 5, "lw": 1.6, "zorder": 3}
            (x, x_bars), (y, y_bars) = (values_and_bars(rows, name) for name in names)
            line = "-" if len(rows) > 1 else "none"
            axis.errorbar(x, y, xerr=x_bars, yerr=y_bars, color=color, linestyle=line,
                          elinewidth=0.7, label=TITLES.get(key, key), **look)  # fmt: skip
        axis.set(xlabel=NAMES[names[0]], ylabel=NAMES[names[1]])
        axis.locator_params(axis="x", nbins=5)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2)
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def values_and_bars(rows: list[dict], metric: str) -> tuple[list[float], np.ndarray]:
    """A metric of rows (N), and how far its interval reaches below and above, (2, N)."""
    values = [row[metric] for row in rows]
    intervals = np.array([row["intervals"][metric] for row in rows]).T
    return values, np.abs(intervals - values)
