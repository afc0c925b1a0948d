"""The figures with axes: curves, bars, trade-offs between metrics, in the style of style.py."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from colorlib.color import hsv_to_rgb
from colorlib.data import to_images
from colorlib.metrics import NAMES
from colorlib.report.style import COLUMN, OTHER, OURS, PAGE, TRUTH, YOURS
from colorlib.report.tables import TITLES, title

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


def class_bars(names: list[str], errors: np.ndarray, grey: np.ndarray, count: int = 10) -> Figure:
    """Mean ab error of the `count` best and worst classes, beside grey's; arrays (classes,)."""
    order = np.argsort(errors)[: np.isfinite(errors).sum()]  # NaN, sorted last, has no images
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.4), sharex=True)
    for axis, chosen, heading in (
        (axes[0], order[:count], "most faithful classes"),
        (axes[1], order[::-1][:count], "least faithful classes"),
    ):
        place = np.arange(len(chosen))
        axis.barh(place, errors[chosen], color=OURS, height=0.6, label="ours")
        axis.plot(grey[chosen], place, "|", color=TRUTH, ms=9, mew=1.5, label="grey")
        axis.set_yticks(place, [names[i].replace("_", " ") for i in chosen])
        axis.invert_yaxis()
        axis.set(title=heading, xlabel="mean ab error, Lab units")
    axes[0].legend(loc="lower right")
    return fig


def hue_error(centres: np.ndarray, curves: dict[str, np.ndarray], note: str = "") -> Figure:
    """Mean ab error against the true hue (in turns), one curve for each of three systems."""
    fig, axis = plt.subplots(figsize=(COLUMN, 2.3))
    styles = zip(("-", "--", ":"), (OURS, TRUTH, OTHER), strict=True)
    for (name, curve), (line, colour) in zip(curves.items(), styles, strict=False):
        axis.plot(centres, curve, line, color=colour, label=name)
    ramp = torch.stack((torch.linspace(0, 1, 256), torch.ones(256), torch.ones(256)))
    top = 1.15 * max(np.nanmax(c) for c in curves.values())
    bar = to_images(hsv_to_rgb(ramp[:, None])[None])[0]
    axis.imshow(bar, extent=(0, 1, -0.06 * top, 0), aspect="auto")
    axis.set(xlim=(0, 1), ylim=(-0.06 * top, top), xlabel="true hue, turns")
    axis.set_ylabel("mean ab error, Lab units")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 0.1), ncols=len(curves), columnspacing=1)
    if note:
        axis.set_title(note, fontsize=7)
    return fig


def trade_off(points: list[dict], curve: list[dict], note: str = "") -> Figure:
    """Raw against rebalanced AuC, and PSNR against colourfulness: baselines, and our curve.

    points, curve: rows of a result; each row of the curve has a "vividness".
    """
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.6))
    for axis, (x, y) in zip(axes, TRADED, strict=True):
        axis.plot([r[x] for r in curve], [r[y] for r in curve], ".-", color=OURS, label="ours")
        for row in (curve[0], curve[-1]):
            axis.annotate(f"vividness {row['vividness']:g}", (row[x], row[y]), (4, 4),
                          textcoords="offset points", fontsize=6, color=OURS)  # fmt: skip
        for row, marker in zip(points, "osD^v", strict=False):
            axis.plot(row[x], row[y], marker, color=TRUTH, mfc="none", label=title(row))
        axis.set(xlabel=NAMES[x], ylabel=NAMES[y])
        axis.margins(0.2)
        axis.locator_params(axis="x", nbins=5)
    axes[0].legend()
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
