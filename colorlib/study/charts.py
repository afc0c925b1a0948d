"""The figures of notebook 5: ablation, scaling, calibration, fading, and ECCV16's encoding.

Each function takes what data/results holds and returns a matplotlib Figure, in report/style.py's
style.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from torch import Tensor

from colorlib.color import lab_to_rgb
from colorlib.data import to_images
from colorlib.metrics import NAMES
from colorlib.report.style import OTHER, OURS, PAGE, TRUTH

UNSEEN = 1.01e-6  # the share of pixels of an empty cell (`Distribution.start` lets none be 0)
SHOWN = ("psnr", "raw_auc", "rebalanced_auc")


def ablation(rows: list[dict], titles: dict[str, str], note: str = "") -> Figure:
    """What each change does: a dot a row and metric, and how far chance alone may take it.

    rows: "key" and, for each metric of `SHOWN` that the change touches, (difference from ours, the
    largest that chance explains). titles: by the key.
    """
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 0.3 + 0.2 * len(rows)), sharey=True)
    place = np.arange(len(rows))
    for axis, metric in zip(axes, SHOWN, strict=True):
        axis.axvline(0, color=OURS, lw=0.8)
        ends = sorted(abs(row[metric][0]) for row in rows if metric in row)
        edge = 1.6 * ends[-2] if ends[-1] > 3 * ends[-2] else 1.2 * ends[-1]  # one would hide all
        for at, row in zip(place, rows, strict=True):
            if metric not in row:
                continue
            off, limit = row[metric]
            axis.plot(
                [-limit, limit], [at, at], color=OURS, alpha=0.25, lw=6, solid_capstyle="butt"
            )
            if abs(off) > edge:
                axis.plot(np.copysign(edge, off), at, "<" if off < 0 else ">", ms=5, color=OTHER)
                axis.annotate(f"{off:.2g}", (np.copysign(edge, off), at), (6, -3),
                              textcoords="offset points", fontsize=6, color=OTHER)  # fmt: skip
                continue
            axis.plot(off, at, "o", ms=4, color=OTHER, mfc=OTHER if abs(off) > limit else "white")
        axis.set(xlabel=f"Δ {NAMES[metric]}", xlim=(-1.1 * edge, 0.7 * edge))
        axis.locator_params(axis="x", nbins=4)
    axes[0].set_yticks(place, [titles[row["key"]] for row in rows])
    axes[0].invert_yaxis()
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def scaling(panels: list[dict], note: str = "") -> Figure:
    """PSNR against images, time and width, each with its fit.

    panels: dicts with "label", "x", "y", "name" (the axis), "fit" (x -> y), and optionally "check",
    points (x, y) that the fit has not seen.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(PAGE, 2.3), sharey=True)
    for axis, panel in zip(axes, panels, strict=True):
        x, y = np.array(panel["x"]), np.array(panel["y"])
        check = panel.get("check", [])
        ticks = [*x, *(at for at, _ in check)]
        line = np.geomspace(min(ticks), max(ticks), 100)
        axis.plot(line, panel["fit"](line), "-", color=OTHER, lw=1, label=panel["label"])
        axis.plot(x, y, "o", ms=4, color=OURS)
        for at, reached in check:
            axis.plot(at, reached, "D", ms=4, color=TRUTH, mfc="white", label="not in the fit")
        axis.set(xscale="log", xlabel=panel["name"])
        axis.minorticks_off()
        axis.set_xticks(ticks, [f"{n:,.0f}" for n in ticks])
        axis.tick_params(axis="x", rotation=35)
        axis.legend(loc="lower right", fontsize=6)
    axes[0].set(ylabel=NAMES["psnr"])
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def reliability(result: dict, note: str = "") -> Figure:
    """What was predicted against what came true: every cell, the likeliest one, the error."""
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.65))
    titles = ("every cell", "the likeliest cell", "distance from the mean")
    for axis, name, title in zip(axes, ("cells", "mode", "distance"), titles, strict=True):
        rows = result[name]
        x, y = ([row[k] for row in rows] for k in ("predicted", "true"))
        low, high = (1e-5, 1) if name == "cells" else (0, 1.05 * max(*x, *y))
        axis.plot([low, high], [low, high], "--", color=TRUTH, lw=0.8, label="as predicted")
        axis.plot(x, y, "o-", ms=3, color=OURS)
        unit = ", chroma units" if name == "distance" else ""
        axis.set(title=title, xlabel=f"predicted{unit}", ylabel=f"came true{unit}")
        axis.set(xlim=(low, high), ylim=(low, high))
        if name == "cells":
            axis.set(xscale="log", yscale="log")
        axis.set_aspect("equal")
    axes[0].legend(loc="upper left")
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def fading(rows: list[dict], note: str = "") -> Figure:
    """Colourfulness and error against the similarity to the nearest training image."""
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.2))
    x = [row["similarity"] for row in rows]
    axes[0].plot(x, [row["share"] for row in rows], "o-", ms=3, color=OURS)
    axes[0].set(ylabel="colourfulness,\nshare of the truth's")
    axes[1].plot(x, [row["error"] for row in rows], "o-", ms=3, color=OURS, label="ours")
    axes[1].plot(x, [row["grey_error"] for row in rows], "s--", ms=3, color=TRUTH, label="grey")
    axes[1].set(ylabel="mean ab error, Lab units")
    axes[1].legend()
    for axis in axes:
        axis.set_ylim(0, 1.05 * max(max(line.get_ydata()) for line in axis.lines))
        axis.set(xlabel="similarity to the nearest training image (cosine)")
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def cell_colors(cells: Tensor) -> np.ndarray:
    """Colours (K, 3) in [0, 1] of ab cells (K, 2) at L 65."""
    lab = torch.cat((torch.full((len(cells), 1), 65.0), cells.float()), 1)
    return to_images(lab_to_rgb(lab.T[None, :, :, None]))[0, :, 0] / 255


def soft_encoding(
    image: np.ndarray,
    pixel: tuple[int, int],
    ab: Tensor,
    cells: Tensor,
    index: Tensor,
    share: Tensor,
    note: str = "",
) -> Figure:
    """One pixel's colour on the ab plane, and the five cells that stand for it.

    image: uint8 (H, W, 3); pixel: (row, column); ab (2,): its true colour; cells (K, 2); index and
    share (5,): the nearest cells, and their weights.
    """
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.5))
    axes[0].imshow(image, interpolation="nearest")
    axes[0].plot(pixel[1], pixel[0], "s", ms=9, mfc="none", mec="white", mew=1.5)
    axes[0].set(xticks=[], yticks=[], title="1 a pixel of the image")
    colors = cell_colors(cells)
    for axis in axes[1:]:
        axis.scatter(*cells.T, c=colors, s=9, marker="s", lw=0)
        axis.plot(*ab, "kx", ms=6, mew=1.5, label="true colour")
        axis.set(xlabel="a", ylabel="b", aspect="equal")
    axes[1].set_title(f"2 its place among {len(cells)} cells")
    chosen = cells[index]
    axes[2].scatter(*chosen.T, s=700 * share, c=colors[index], edgecolors="black", zorder=3)
    for point, part in zip(chosen.tolist(), share.tolist(), strict=True):
        axes[2].annotate(f"{part:.2f}", point, (10, 8), textcoords="offset points", fontsize=7)
    axes[2].plot(*ab, "kx", ms=6, mew=1.5, zorder=4)
    axes[2].set(xlim=(ab[0] - 22, ab[0] + 22), ylim=(ab[1] - 22, ab[1] + 22))
    axes[2].set_title("3 soft encoding: the five nearest")
    axes[0].spines[:].set_visible(False)
    axes[1].legend(loc="lower left", fontsize=6)
    if note:
        fig.suptitle(note, fontsize=7)
    return fig


def rebalancing(
    cells: Tensor, prior: Tensor, smooth: Tensor, weight: Tensor, weights: Tensor, note: str = ""
) -> Figure:
    """From how common colours are to what a pixel weighs.

    cells (K, 2); prior, smooth and weight (K,); weights (h, w): of the image's pixels.
    """
    fig, axes = plt.subplots(1, 4, figsize=(PAGE, 1.9))
    titles = ("1 how common", "2 smoothed", "3 weight")
    for axis, values, title in zip(axes, (prior, smooth, weight), titles, strict=False):
        seen = values > UNSEEN
        ends = float(values[seen].min()), float(values.max())
        norm = Normalize(0, ends[1]) if values is weight else LogNorm(*ends)
        shown = axis.scatter(*cells[seen].T, c=values[seen], s=7, marker="s", lw=0, norm=norm)
        axis.set(aspect="equal", title=title, xlabel="a", ylabel="b")
        fig.colorbar(shown, ax=axis, shrink=0.6, location="bottom", pad=0.02)
    shown = axes[3].imshow(weights, cmap="viridis", interpolation="nearest", vmin=0)
    fig.colorbar(shown, ax=axes[3], shrink=0.6, location="bottom", pad=0.02)
    axes[3].set(xticks=[], yticks=[], title="4 what its pixels weigh")
    axes[3].spines[:].set_visible(False)
    if note:
        fig.supxlabel(note, fontsize=7)
    return fig
