"""The figures with axes: curves, bars, trade-offs between metrics, in the style of style.py."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from colorlib.metrics import NAMES
from colorlib.report.style import OTHER, OURS, PAGE, TRUTH, YOURS, headline
from colorlib.report.tables import TITLES

TRADED = (("raw_auc", "rebalanced_auc"), ("colourfulness", "psnr"))  # across, up: one panel each
BASELINES = ("grey", "random_colors")
LEAST_SPANS = (0.3, 1.0, 0.02)  # of a panel's axis: of loss, PSNR and raw AuC
COLORS = ("#4a6fa5", "#d98c21", "#7a5195", "#4f9d9d", "#8c6d4f", "#9aa23c")  # of other systems


def learning_curves(history: list[dict], note: str = "", title: str = "") -> Figure:
    """Training and validation loss, validation PSNR and raw AuC, against the epoch."""
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.2))
    epochs = [row["epoch"] for row in history]
    axes[0].plot(epochs, [row["train_loss"] for row in history], color=OTHER, label="training")
    if "psnr" in history[0]:
        names = ("validation_loss", "psnr", "raw_auc")
        for axis, name in zip(axes, names, strict=True):
            label = "validation" if name == "validation_loss" else None
            axis.plot(epochs, [row[name] for row in history], ".-", ms=3, color=OURS, label=label)
    axes[0].legend()
    labels = ("loss, nats", "validation PSNR, dB", "validation raw AuC")
    for axis, text, least in zip(axes, labels, LEAST_SPANS, strict=True):
        axis.set(xlabel="epoch", ylabel=text)
        axis.locator_params(axis="x", integer=True)
        low, high = axis.get_ylim()
        more = max(least - (high - low), 0) / 2  # or noise would fill the panel
        axis.set_ylim(low - more, high + more)
    return headline(fig, title, note)


def recipes_compared(
    curves: dict[str, list[dict]], ours: str, extra: Mapping[str, list[dict]] = {}, note: str = ""
) -> Figure:
    """The key figure: raw against rebalanced AuC, and beside it PSNR against colourfulness.

    curves: key -> rows with the four metrics and their "intervals"; `ours` is drawn strongest.
    extra: one more name -> rows, of a reader's own recipe. Bars are 95 % bootstrap intervals.
    """
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 3.6))
    others = [key for key in curves if key != ours and key not in BASELINES]
    colors = dict(zip(others, COLORS, strict=False)) | dict.fromkeys(BASELINES, TRUTH)
    colors |= {ours: OURS} | dict.fromkeys(extra, YOURS)
    markers = dict(zip([*BASELINES, *others], "ox^vDPsd", strict=False)) | dict.fromkeys(extra, "*")
    for axis, names in zip(axes, TRADED, strict=True):
        for key, rows in (curves | extra).items():
            strong = key == ours or key in extra
            x, y = points = np.array([[row[name] for row in rows] for name in names])
            ends = np.array([[row["intervals"][name] for row in rows] for name in names])
            x_bars, y_bars = np.abs(ends.swapaxes(1, 2) - points[:, None])
            axis.errorbar(x, y, xerr=x_bars, yerr=y_bars, color=colors[key], alpha=0.3, fmt="none",
                          elinewidth=0.7)  # fmt: skip
            axis.plot(x, y, "-", marker=markers.get(key, "."), color=colors[key], zorder=3,
                      ms=9 if key in extra else 5, mfc=colors[key] if strong else "white",
                      lw=1.8 if key == ours else 0.9, label=TITLES.get(key, key))  # fmt: skip
            if key == ours and len(rows) > 1:
                for row, text in ((rows[0], "cautious"), (rows[-1], "bold")):
                    axis.annotate(text, [row[name] for name in names], (5, 4), color=OURS,
                                  textcoords="offset points", fontsize=7)  # fmt: skip
        axis.set(xlabel=NAMES[names[0]], ylabel=NAMES[names[1]])
        axis.locator_params(axis="x", nbins=5)
        axis.margins(0.08)
    axes[0].annotate("better", (0.97, 0.97), (0.8, 0.8), xycoords="axes fraction", color="#777777",
                     fontsize=7, arrowprops={"arrowstyle": "->", "color": "#777777"})  # fmt: skip
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2)
    title = "A distribution is a curve from cautious to bold; a regression is one point"
    return headline(fig, title, note)
