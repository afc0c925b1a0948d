"""The figures of notebook 5. Each takes what data/results holds, or arrays, and returns a Figure.

Images are uint8 (N, H, W, 3). The title is the message; the note says which data are shown.
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
from colorlib.compare.recipes import AB_SPACING
from colorlib.data import load_images, to_images, to_tensor
from colorlib.decoding import cell_lattice
from colorlib.metrics import NAMES
from colorlib.model import ColorNet
from colorlib.report import store
from colorlib.report.evaluation_report import colored
from colorlib.report.pictures import image_grid
from colorlib.report.style import OTHER, OURS, PAGE, TRUTH, headline
from colorlib.report.tables import caption, signed
from colorlib.study.analysis import SHOWN, ablation, scaling
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
        found = [(y, *row[metric]) for y, row in zip(place, rows, strict=True) if metric in row]
        *_, second, first = sorted(abs(off) for _, off, _ in found)
        edge = 1.3 * (second if first > 2 * second else first)  # one would hide the rest
        for y, off, limit in found:
            axis.barh(y, 2 * limit, 0.7, -limit, color=OURS, alpha=0.25, lw=0)
            if abs(off) > edge:
                axis.plot(-edge, y, "<", ms=5, color=OTHER)
                axis.annotate(signed(off, metric), (-edge, y), (6, -3), fontsize=7, color=OTHER,
                              textcoords="offset points")  # fmt: skip
            else:
                inside = abs(off) <= limit
                axis.plot(off, y, "o", ms=4, color=OTHER, mfc="white" if inside else OTHER)
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
    panels = scaling(study)
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
    for axis, name in zip(axes, ("cells", "mode", "distance"), strict=True):
        x, y = ([row[k] for row in result[name]] for k in ("predicted", "true"))
        low, high = (1e-5, 1) if name == "cells" else (0, 1.05 * max(*x, *y))
        axis.plot([low, high], [low, high], "--", color=TRUTH, lw=0.8, label="as predicted")
        axis.plot(x, y, "o-", ms=3, color=OURS)
        axis.set(xlabel="predicted probability", ylabel="share that was true", aspect="equal")
        axis.set(xlim=(low, high), ylim=(low, high))
    axes[0].set(title="every cell", xscale="log", yscale="log")
    axes[0].legend(loc="upper left", fontsize=6)
    error = f"calibration\nerror {result['mode_error']:.3f}"
    axes[1].text(0.95, 0.08, error, transform=axes[1].transAxes, ha="right", fontsize=7)
    axes[1].set(title="the likeliest cell")
    units = "distance, chroma units"
    axes[2].set(title="distance from the mean", xlabel=f"predicted {units}", ylabel=f"true {units}")
    return headline(fig, "Predicted probabilities are nearly right", caption(result))


def fading_figure(result: dict) -> Figure:
    """Colourfulness and error against the similarity to the nearest training image."""
    column = {name: np.array([row[name] for row in result["rows"]]) for name in result["rows"][0]}
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.1))
    x, look = column["similarity"], {"ms": 3, "color": OURS, "label": "ours"}
    axes[0].plot(x, 100 * column["share"], "o-", **look)
    axes[1].plot(x, column["error"], "o-", **look)
    axes[1].plot(x, column["grey_error"], "s--", ms=3, color=TRUTH, label="grey")
    axes[0].set(ylabel="colourfulness,\n% of the true one")
    axes[1].set(ylabel="mean ab error, Lab units")
    axes[1].legend()
    for axis in axes:
        axis.set_ylim(0, 1.1 * max(max(line.get_ydata()) for line in axis.lines))
        axis.set(xlabel="cosine similarity to the nearest training image")
    return headline(fig, "Unfamiliar images get paler colours", caption(result))


def entropy_figure(model: ColorNet, images: np.ndarray, count: int = 8) -> Figure:
    """The entropy at each point of `count` of the images, from the surest to the least sure."""
    unsure = entropy(distribution(model, luma(to_tensor(images))))
    order = unsure.mean((1, 2)).argsort()
    chosen = order[np.linspace(0, len(order) - 1, count).round()]
    scale = plt.cm.ScalarMappable(plt.Normalize(0, np.log(len(model.cells))), "viridis")
    maps = scale.cmap(scale.norm(unsure[chosen].numpy()))
    maps = maps.repeat(model.fold, 1).repeat(model.fold, 2)
    truth, gray, made = map(to_images, colored(model, images[chosen.numpy()]))
    titles = [f"{unsure[i].mean():.1f}" for i in chosen]
    fig = image_grid([gray, maps, made, truth], titles, ["input", "entropy", "ours", "truth"])
    fig.colorbar(scale, ax=fig.axes, label="entropy, nats", fraction=0.02, pad=0.01)
    return headline(fig, "From the surest image to the least sure (mean entropy above)")


def failures_figure(model: ColorNet, images: np.ndarray, found: dict, count: int = 5) -> Figure:
    """The worst images of each cause, ours beside the truth. found: see `failures.causes`."""
    order, rows, labels = found["error"].argsort(descending=True), [], []
    for number, (title, _) in enumerate(CAUSES.values()):
        chosen = images[order[found["cause"][order] == number][:count].numpy()]
        if len(chosen):
            truth, _, made = map(to_images, colored(model, chosen))
            rows.append([image for pair in zip(made, truth, strict=True) for image in pair])
            labels.append(title.replace(" ", "\n"))
    fig = image_grid(rows, ["ours", "truth"] * count, labels)
    return headline(fig, "The worst images, by cause")


def duplicates_figure() -> Figure:
    """Near-duplicates: of each range of similarity three that are the same by eye, three not."""
    found, looked = (store.load_result(f"duplicates{x}", committed=True) for x in ("", "-by-eye"))
    test, train = (load_images("cifar100", split) for split in ("test", "train"))
    partner = {i: j for i, j, _ in found["pairs"]}
    rows, labels = [], []
    for part in looked["ranges"][::-1]:
        same = [i for i in part["duplicates"] if i in partner][:3]
        other = [i for i in part["looked_at"] if i in partner and i not in part["duplicates"]][:3]
        if same:
            rows.append([image for i in same + other for image in (test[i], train[partner[i]])])
            labels.append(f"{part['from']:g} to {part['to']:g}")
    fig = image_grid(rows, ["test", "train"] * 6, labels)
    title = "The same photograph by eye (left half), and only alike (right half)"
    return headline(fig, title, "CIFAR-100")


def colourful_pixel(images: np.ndarray) -> tuple[np.ndarray, tuple[int, int], Tensor]:
    """The image (H, W, 3) whose colourfulness varies most, the (row, column) of its most colourful
    inner pixel, and the pixel's ab (2,)."""
    ab = rgb_to_lab(to_tensor(images))[:, 1:]
    length = ab.norm(dim=1)
    chosen = int(length.std((1, 2)).argmax())
    inner = length[chosen, 4:-4, 4:-4]
    row, column = (int(i) + 4 for i in np.unravel_index(int(inner.argmax()), inner.shape))
    return images[chosen], (row, column), ab[chosen, :, row, column]


def soft_encoding(
    image: np.ndarray, pixel: Sequence[int], ab: Tensor, cells: Tensor, encoded: Sequence[Tensor]
) -> Figure:
    """One pixel's colour on the ab plane, and the five of the cells (K, 2) that stand for it.

    pixel: (row, column); ab (2,): its true colour; encoded: five numbers of cells, their weights.
    """
    index, share = encoded
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.7))
    axes[0].imshow(image, interpolation="nearest")
    axes[0].plot(pixel[1], pixel[0], "s", ms=9, mfc="none", mec="white", mew=1.5)
    axes[0].set_title("a pixel of the image")
    axes[0].axis("off")
    lab = torch.cat((torch.full((len(cells), 1), 65.0), cells), 1)
    colors = to_images(lab_to_rgb(lab.T[None, :, :, None]))[0, :, 0] / 255
    for axis in axes[1:]:
        axis.scatter(*cells.T, c=colors, s=9, marker="s", lw=0)
        axis.plot(*ab, "kx", ms=6, mew=1.5, zorder=4, label="true colour")
        axis.set(xlabel="a, green to red", ylabel="b, blue to yellow", aspect="equal")
    axes[1].set_title(f"its place among {len(cells)} cells")
    axes[1].legend(loc="lower left", fontsize=6)
    chosen, middle = cells[index], cells[index].mean(0)
    axes[2].scatter(*chosen.T, s=60, c=colors[index], edgecolors="black", marker="s", zorder=3)
    for point, part in zip(chosen, share.tolist(), strict=True):
        away = point - middle
        label = point + 11 * away / away.norm().clamp(min=1)
        axes[2].annotate(f"{part:.0%}", point.tolist(), label.tolist(), fontsize=7, ha="center",
                         va="center", arrowprops={"arrowstyle": "-", "lw": 0.5})  # fmt: skip
    a, b = ab.tolist()
    axes[2].set(xlim=(a - 30, a + 30), ylim=(b - 30, b + 30), title="its five nearest cells")
    return headline(fig, "Soft encoding: five cells share one colour")


def rebalancing(
    steps: Sequence[Tensor], cells: Tensor, image: np.ndarray, weights: Tensor
) -> Figure:
    """From how common colours are to what each point of an image weighs, `weights` (h, w).

    steps: how common each of the cells (K, 2) is, the same smoothed, and its weight, all (K,).
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
