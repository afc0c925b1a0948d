"""The figures of notebook 5. Each takes what data/results holds, or arrays, and returns a Figure.

The title is the message; `note` says small which data are shown.
"""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from colorlib.color import lab_to_rgb, luma, rgb_to_lab
from colorlib.compare.heads import AB_SPACING
from colorlib.data import load_images, to_images, to_tensor
from colorlib.decoding import cell_lattice
from colorlib.metrics import NAMES
from colorlib.model import ColorNet, colorize
from colorlib.report import store
from colorlib.report.pictures import image_grid
from colorlib.report.style import OTHER, OURS, PAGE, TRUTH, headline
from colorlib.report.tables import caption
from colorlib.study.analysis import SHOWN, ablation, scaling, signed
from colorlib.study.calibration import distribution, entropy
from colorlib.study.failures import CAUSES

UNSEEN = 1.01e-6  # the share of pixels of an empty cell (`Distribution.setup` lets none be 0)


def ablation_figure(study: dict) -> Figure:
    """What each change does: a dot a row and metric, and the band that another seed explains."""
    rows = ablation(study)
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 0.6 + 0.2 * len(rows)), sharey=True)
    gaps = [one["group"] != other["group"] for one, other in pairwise(rows)]
    place = np.arange(len(rows)) + 0.5 * np.cumsum([0, *gaps])
    for axis, metric in zip(axes, SHOWN, strict=True):
        axis.axvline(0, color=OURS, lw=0.8)
        ends = sorted(abs(row[metric][0]) for row in rows if metric in row)
        edge = 1.3 * (ends[-2] if ends[-1] > 2 * ends[-2] else ends[-1])  # one would hide the rest
        for at, row in zip(place, rows, strict=True):
            if metric not in row:
                continue
            off, limit = row[metric]
            axis.barh(at, 2 * limit, 0.7, -limit, color=OURS, alpha=0.25, lw=0)
            if abs(off) > edge:
                axis.plot(-edge, at, "<", ms=5, color=OTHER)
                axis.annotate(signed(off, metric), (-edge, at), (6, -3),
                              textcoords="offset points", fontsize=7, color=OTHER)  # fmt: skip
            else:
                inside = abs(off) <= limit
                axis.plot(off, at, "o", ms=4, color=OTHER, mfc="white" if inside else OTHER)
        axis.set(xlabel=f"change of {NAMES[metric]}", xlim=(-1.1 * edge, 0.6 * edge))
        axis.locator_params(axis="x", nbins=4)
        axis.tick_params(axis="y", length=0)
    axes[0].set_yticks(place, [row["title"] for row in rows])
    axes[0].invert_yaxis()
    found = [abs(row["psnr"][0]) <= row["psnr"][1] for row in rows if "psnr" in row]
    title = f"{sum(found)} of {len(found)} changes move PSNR no more than another seed does"
    return headline(fig, title, f"band: another seed, 95 %; hollow: inside it; {caption(study)}")


def scaling_figure(study: dict) -> Figure:
    """PSNR against images, time and width, and what a doubling brings."""
    panels = [panel for panel in scaling(study) if len(panel["x"]) > 1]
    fig, axes = plt.subplots(1, len(panels), figsize=(PAGE, 2.1), sharey=True, squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.plot(panel["x"], panel["y"], "o-", ms=4, color=OURS)
        axis.set(xscale="log", xlabel=panel["name"])
        axis.set_title(f"{signed(panel['gain'], 'psnr')} a doubling", fontsize=7)
        axis.minorticks_off()
        labels = [f"{x / 1e6:.1f} M" if x >= 1e5 else f"{x:,}" for x in panel["x"]]
        axis.set_xticks(panel["x"], labels)
        axis.margins(x=0.12)
    axes[0, 0].set(ylabel=NAMES["psnr"])
    most = max(panels, key=lambda panel: panel["gain"])["name"].partition(" of ")[0]
    return headline(fig, f"At this size, more {most} bring most", caption(study))


def reliability(result: dict) -> Figure:
    """What was predicted against what came true: every cell, the likeliest one, the error."""
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.5))
    titles = ("every cell", "the likeliest cell", "distance from the mean")
    for axis, name, title in zip(axes, ("cells", "mode", "distance"), titles, strict=True):
        x, y = ([row[k] for row in result[name]] for k in ("predicted", "true"))
        low, high = (1e-5, 1) if name == "cells" else (0, 1.05 * max(*x, *y))
        axis.plot([low, high], [low, high], "--", color=TRUTH, lw=0.8, label="as predicted")
        axis.plot(x, y, "o-", ms=3, color=OURS)
        unit = "distance, chroma units" if name == "distance" else "probability"
        axis.set(xlabel=f"predicted {unit}", ylabel=f"true {unit}".replace("true p", "share p"))
        axis.set(title=title, xlim=(low, high), ylim=(low, high), aspect="equal")
    axes[0].set(xscale="log", yscale="log", ylabel="share that was true")
    axes[1].set(ylabel="share that was true")
    error = f"calibration\nerror {result['mode_error']:.3f}"
    axes[1].text(0.95, 0.08, error, transform=axes[1].transAxes, ha="right", fontsize=7)
    axes[0].legend(loc="upper left", fontsize=6)
    return headline(fig, "Predicted probability against the share that was true", caption(result))


def fading_figure(result: dict) -> Figure:
    """Colourfulness and error against the similarity to the nearest training image."""
    rows = result["rows"]
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.1))
    x = [row["similarity"] for row in rows]
    axes[0].plot(x, [100 * row["share"] for row in rows], "o-", ms=3, color=OURS)
    axes[0].set(ylabel="colourfulness,\n% of the true one")
    axes[1].plot(x, [row["error"] for row in rows], "o-", ms=3, color=OURS, label="ours")
    axes[1].plot(x, [row["grey_error"] for row in rows], "s--", ms=3, color=TRUTH, label="grey")
    axes[1].set(ylabel="mean ab error, Lab units")
    axes[1].legend()
    for axis in axes:
        axis.set_ylim(0, 1.1 * max(max(line.get_ydata()) for line in axis.lines))
        axis.set(xlabel="similarity to the nearest training image")
    return headline(fig, "Unfamiliar images get paler colours", caption(result))


def entropy_figure(model: ColorNet, images: np.ndarray, count: int = 8) -> Figure:
    """The entropy at each point of `count` of the images, from the surest to the least sure."""
    gray = luma(to_tensor(images))
    unsure = entropy(distribution(model, gray))
    order = unsure.mean((1, 2)).argsort()
    chosen = order[np.linspace(0, len(order) - 1, count).round()]
    peak = float(np.log(len(model.cells)))
    maps = plt.colormaps["viridis"](unsure[chosen].numpy() / peak)
    maps = maps.repeat(model.fold, 1).repeat(model.fold, 2)
    rows = [to_images(gray[chosen].expand(-1, 3, -1, -1)), maps,
            to_images(colorize(model, gray[chosen], "luma")), images[chosen.numpy()]]  # fmt: skip
    labels = ["input", "entropy", "ours", "truth"]
    titles = [f"{unsure[i].mean():.1f}" for i in chosen]
    fig = image_grid(rows, titles, labels)
    scale = plt.cm.ScalarMappable(plt.Normalize(0, peak), "viridis")
    fig.colorbar(scale, ax=fig.axes, label="entropy, nats", fraction=0.02, pad=0.01)
    return headline(fig, "From the surest image to the least sure (mean entropy above)")


def failures_figure(model: ColorNet, images: np.ndarray, found: dict, count: int = 5) -> Figure:
    """The worst images of each cause, ours beside the truth. found: see `failures.causes`."""
    order, rows, labels = found["error"].argsort(descending=True), [], []
    for number, (title, _) in enumerate(CAUSES.values()):
        chosen = order[found["cause"][order] == number][:count].numpy()
        if len(chosen):
            ours = to_images(colorize(model, luma(to_tensor(images[chosen])), "luma"))
            row = [image for pair in zip(ours, images[chosen], strict=True) for image in pair]
            rows.append([*row, *[None] * (2 * count - len(row))])
            labels.append(title.replace(" ", "\n"))
    fig = image_grid(rows, ["ours", "truth"] * count, labels)
    return headline(fig, "The worst images, by cause")


def duplicates_figure() -> Figure:
    """CIFAR-100's near-duplicates: of each range of similarity three that are the same by eye,
    and three that are not."""
    found, looked = (store.load_result(f"duplicates{x}", committed=True) for x in ("", "-by-eye"))
    test, train = (load_images("cifar100", split) for split in ("test", "train"))
    partner = {i: j for i, j, _ in found["pairs"]}
    rows, labels = [], []
    for part in looked["ranges"][::-1]:
        same = [i for i in part["duplicates"] if i in partner][:3]
        other = [i for i in part["looked_at"] if i in partner and i not in part["duplicates"]][:3]
        if same:
            pairs = [[test[i], train[partner[i]]] for i in same + other]
            row = [image for pair in pairs for image in pair]
            rows.append([*row, *[None] * (12 - len(row))])
            labels.append(f"{part['from']:g} to {part['to']:g}")
    fig = image_grid(rows, ["test", "train"] * 6, labels)
    title = "The same photograph by eye (left half), and only alike (right half)"
    return headline(fig, title, "CIFAR-100")


def colourful_pixel(images: np.ndarray) -> tuple[np.ndarray, tuple[int, int], Tensor]:
    """The most colourful image (H, W, 3), the (row, column) of its most colourful inner pixel, and
    the pixel's ab (2,)."""
    ab = rgb_to_lab(to_tensor(images))[:, 1:]
    chosen = int(ab.norm(dim=1).mean((1, 2)).argmax())
    chroma = ab[chosen].norm(dim=0)[4:-4, 4:-4]
    row, column = divmod(int(chroma.argmax()), chroma.shape[1])
    pixel = row + 4, column + 4
    return images[chosen], pixel, ab[chosen, :, pixel[0], pixel[1]]


def soft_encoding(
    image: np.ndarray, pixel: Sequence[int], ab: Tensor, cells: Tensor, encoded: Sequence[Tensor]
) -> Figure:
    """One pixel's colour on the ab plane, and the five cells that stand for it.

    image: uint8 (H, W, 3); pixel: (row, column); ab (2,): its true colour; cells (K, 2); encoded:
    the numbers (5,) of the nearest cells and their weights (5,).
    """
    index, share = encoded
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.7))
    axes[0].imshow(image, interpolation="nearest")
    axes[0].plot(pixel[1], pixel[0], "s", ms=9, mfc="none", mec="white", mew=1.5)
    lab = torch.cat((torch.full((len(cells), 1), 65.0), cells), 1)
    colors = to_images(lab_to_rgb(lab.T[None, :, :, None]))[0, :, 0] / 255
    for axis in axes[1:]:
        axis.scatter(*cells.T, c=colors, s=9, marker="s", lw=0)
        axis.plot(*ab, "kx", ms=6, mew=1.5, zorder=4, label="true colour")
        axis.set(xlabel="a, green to red", ylabel="b, blue to yellow", aspect="equal")
    axes[1].legend(loc="lower left", fontsize=6)
    chosen, middle = cells[index], cells[index].mean(0)
    axes[2].scatter(*chosen.T, s=60, c=colors[index], edgecolors="black", marker="s", zorder=3)
    for point, part in zip(chosen, share.tolist(), strict=True):
        away = point - middle
        label = point + 11 * away / away.norm().clamp(min=1)
        axes[2].annotate(f"{part:.0%}", point.tolist(), label.tolist(), fontsize=7, ha="center",
                         va="center", arrowprops={"arrowstyle": "-", "lw": 0.5})  # fmt: skip
    a, b = ab.tolist()
    axes[2].set(xlim=(a - 30, a + 30), ylim=(b - 30, b + 30))
    titles = "a pixel of the image", f"its place among {len(cells)} cells", "its five nearest cells"
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title)
    axes[0].axis("off")
    return headline(fig, "Soft encoding: five cells share one colour")


def rebalancing(
    steps: Sequence[Tensor], cells: Tensor, image: np.ndarray, weights: Tensor
) -> Figure:
    """From how common colours are to what a pixel of an image weighs.

    steps: how common each cell is, the same smoothed, and its weight, all (K,); cells (K, 2); image
    uint8 (H, W, 3); weights (h, w): of its points.
    """
    lattice, reach = cell_lattice(cells, AB_SPACING), float(cells.abs().max()) + AB_SPACING / 2
    fig, axes = plt.subplots(1, 5, figsize=(PAGE, 2.1))
    titles = "share of pixels", "smoothed share", "weight"
    for axis, values, title in zip(axes, steps, titles, strict=False):
        shown = torch.where((lattice < 0) | (values[lattice] <= UNSEEN), torch.nan, values[lattice])
        norm = None if title == "weight" else LogNorm()
        shown = axis.imshow(shown.T.numpy(), origin="lower", extent=(-reach, reach) * 2, norm=norm)
        fig.colorbar(shown, ax=axis, location="bottom", label=title)
        axis.set(xlabel="a", xticks=[-100, 0, 100], yticks=[])
    axes[0].set(ylabel="b", yticks=[-100, 0, 100])
    for axis, shown, title in ((axes[3], image, ""), (axes[4], weights, "weight of each point")):
        shown = axis.imshow(shown, interpolation="nearest")
        bar = fig.colorbar(shown, ax=axis, location="bottom", label=title)
        bar.ax.set_visible(bool(title))
        axis.axis("off")
    return headline(fig, "Class rebalancing: rare colours weigh more")
