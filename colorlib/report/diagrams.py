"""Drawings that explain: the training loop, the chroma disk, its cells, the network, one pixel."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from torch import Tensor

from colorlib.color import add_chroma, hsv_to_chroma, hsv_to_rgb, rgb_to_hsv, value
from colorlib.data import to_images, to_tensor
from colorlib.decoding import DecodeSetting, cell_probabilities, mean_color, setting_at
from colorlib.model import ColorNet, colorize, evaluation_mode, predict
from colorlib.report.pictures import grey_images
from colorlib.report.style import OTHER, OURS, PAGE, TRUTH, headline

RING = (1.06, 1.2)  # radii of the hue ring around the chroma disk
FAINT = "#b8b2a7"
NEAR = 0.25  # distance on the chroma disk: a cell and its direct neighbours


def process_diagram(image: np.ndarray, model: ColorNet, note: str = "") -> Figure:
    """The self-supervised loop around one image (H, W, 3) and what a network makes of it."""
    rgb = to_tensor(image[None])
    colors = rgb_to_hsv(torch.cat((rgb, colorize(model, value(rgb), "value"))))
    colors[:, 2] = 1  # hue and saturation alone
    target, guess = to_images(hsv_to_rgb(colors))
    fig, axis = plt.subplots(figsize=(PAGE, 2.9))
    pictures = (
        (image, 0.3, 1.6, "1  colour image"),
        (grey_images(value(rgb))[0], 3.4, 3.0, "2  value: the input"),
        (target, 3.4, 0.2, "3  hue and saturation: the target"),
        (guess, 9.6, 3.0, "5  predicted hue and saturation"),
    )
    for picture, x, y, text in pictures:
        axis.imshow(picture, extent=(x, x + 1.5, y, y + 1.5))
        axis.text(x + 0.75, y - 0.1, text, ha="center", va="top", fontsize=7)
    for x, y, text in ((6.3, 3.3, "4  network"), (9.4, 0.5, "6  loss")):
        box = FancyBboxPatch((x, y), 1.9, 0.9, boxstyle="round,pad=0.08", fc="#f1ede4", ec=TRUTH)
        axis.add_patch(box)
        axis.text(x + 0.95, y + 0.45, text, ha="center", va="center")
    arrow(axis, (1.9, 2.6), (3.3, 3.6))
    arrow(axis, (1.9, 2.1), (3.3, 1.1))
    arrow(axis, (5.0, 3.75), (6.2, 3.75))
    arrow(axis, (8.3, 3.75), (9.5, 3.75))
    arrow(axis, (10.35, 2.6), (10.35, 1.5))
    arrow(axis, (5.0, 0.95), (9.3, 0.95))
    arrow(axis, (9.5, 1.5), (7.3, 3.2), color=OURS, linestyle="--")
    axis.text(8.2, 2.2, "7  adjust the\nweights", color=OURS, fontsize=7, ha="right", va="center")
    axis.set(xlim=(0, 12.2), ylim=(-0.3, 4.7), aspect="equal")
    axis.axis("off")
    return headline(fig, "The image is its own label: it gives both the input and the target", note)


def arrow(axis: Axes, start: Sequence[float], end: Sequence[float], **look: Any) -> None:
    """An arrow from one point (x, y) to another."""
    look = {"arrowstyle": "-|>", "mutation_scale": 9, "color": TRUTH} | look
    axis.add_patch(FancyArrowPatch(start, end, **look))


def draw_disk(axis: Axes, title: str = "", fill: float = 1.0) -> None:
    """The chroma disk at value 1, its inside as opaque as `fill`, with a ring of pure hues."""
    line = torch.linspace(-RING[1], RING[1], 301)
    y, x = torch.meshgrid(line, line, indexing="ij")
    radius = torch.hypot(x, y)
    inside, ring = radius <= 1, (radius >= RING[0]) & (radius <= RING[1])
    chroma = torch.stack((x, y)) / torch.where(ring, radius, 1.0) * (inside | ring)
    rgb = to_images(add_chroma(chroma[None], torch.ones(1, 1, *x.shape)))[0]
    opaque = (255 * (fill * inside + ring.float())).byte()
    extent = np.array((-1, 1, -1, 1)) * RING[1]
    axis.imshow(np.dstack((rgb, opaque)), extent=extent, origin="lower", zorder=0)
    axis.set(xticks=[], yticks=[], xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), title=title)
    axis.spines[:].set_visible(False)


def chroma_plane(chroma: Tensor, note: str = "") -> Figure:
    """Why hue is an angle, the chroma disk, and where chroma (N, 2, H, W) lies in it."""
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.7))
    draw_disk(axes[0], "two reds, a and b", 0)
    middle = {"ha": "center", "va": "center"}
    for x, y, text in ((1.32, 0, "0"), (0, 1.32, "0.25"), (-1.32, 0, "0.5"), (0, -1.32, "0.75")):
        axes[0].text(x, y, text, fontsize=7, **middle)
    x = 0.9 * np.cos(0.1 * np.pi)
    for y, text in ((0.9 * np.sin(0.1 * np.pi), "a"), (-0.9 * np.sin(0.1 * np.pi), "b")):
        axes[0].plot(x, y, "ko", ms=4)
        axes[0].text(x - 0.14, y, text, **middle)
    line = {"arrowstyle": "-", "color": OURS, "lw": 0.6}
    for x, y, marker, word in ((0.86, 0.42, "+", "points"), (-0.9, -0.42, "x", "numbers")):
        axes[0].plot(x, 0, marker, color=OURS, ms=6, mew=1.6)
        axes[0].annotate(f"mean of the {word}", (x, 0), (-0.02, y), fontsize=7, color=OURS,
                         arrowprops=line, **middle)  # fmt: skip
    draw_disk(axes[1], "chroma disk: radius S, angle H")
    draw_disk(axes[2], "where the pixels lie", 0)
    x, y = chroma.movedim(1, 0).flatten(1).numpy()
    counts, *_ = np.histogram2d(y, x, bins=101, range=[[-1, 1], [-1, 1]])
    shares = np.where(counts > 0, counts / counts.sum(), np.nan)
    shown = axes[2].imshow(shares, origin="lower", extent=(-1, 1, -1, 1), norm=LogNorm())
    fig.colorbar(shown, ax=axes[2], label="share of pixels", shrink=0.75)
    return headline(fig, "Hue is an angle, so colour is a point in a disk", note)


def cell_grid(cells: Tensor, chroma: tuple[float, float], spacing: float = 0.2) -> Figure:
    """The cells (K, 2) over the chroma disk, and the four that describe one colour `chroma`."""
    fig, axes = plt.subplots(1, 2, figsize=(0.8 * PAGE, 2.9))
    draw_disk(axes[0], f"{len(cells)} cells, {spacing:g} apart", 0.55)
    draw_disk(axes[1], "one colour (cross) and its four weights", 0.55)
    low = np.floor(np.array(chroma) / spacing)
    x, y = np.array(chroma) / spacing - low
    for axis in axes:
        axis.plot(*cells.T.numpy(), ".", color=TRUTH, ms=3)
    axes[0].add_patch(Rectangle(low * spacing, spacing, spacing, fill=False, ec=OURS, lw=1.2))
    for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = (x if i else 1 - x) * (y if j else 1 - y)
        at = (low + (i, j)) * spacing
        axes[1].plot(*at, "o", color=OURS, ms=3 + 14 * weight**0.5)
        away = at + np.array(((-0.045, 0.045)[i], (-0.05, 0.05)[j]))
        sides = {"ha": ("right", "left")[i], "va": ("top", "bottom")[j]}
        axes[1].text(*away, f"{weight:.2f}", **sides)
    axes[1].plot(*chroma, "x", color="white", ms=8, mew=4)
    axes[1].plot(*chroma, "x", color=TRUTH, ms=7, mew=2)
    centre = (low + 0.5) * spacing
    axes[1].set(xlim=centre[0] + np.array((-0.3, 0.3)), ylim=centre[1] + np.array((-0.3, 0.3)))
    return headline(fig, "A colour is described by the four nearest cells")


def network_diagram(model: ColorNet, side: int = 32) -> Figure:
    """The U-Net: each box a feature map, with its channels x height x width."""
    widths, levels, half = model.config["widths"], len(model.config["widths"]), side // model.fold
    boxes = [("input", 1, side, 0), ("fold", model.fold**2, half, 0), ("stem", widths[0], half, 0)]
    boxes += [("pool", widths[i], half // 2**i, i) for i in range(1, levels)]
    boxes += [("upsample", widths[i], half // 2**i, i) for i in reversed(range(levels - 1))]
    boxes += [("logits", model.head.out_channels, half, 0)]
    fig, axis = plt.subplots(figsize=(PAGE, 2.6))
    sides_of = []  # of each box: where it starts, where it ends, its middle's height
    for place, (name, channels, size, level) in enumerate(boxes):
        height, width = 0.28 + 1.1 * size / side, 0.16 + 0.07 * channels**0.5
        x, y = 1.55 * place, -1.25 * level
        corner = x - width / 2, y - height / 2
        color = OURS if name == "logits" else OTHER
        axis.add_patch(Rectangle(corner, width, height, fc=color, alpha=0.75, ec="none"))
        text = f"{channels} × {size} × {size}"
        axis.text(x, y + height / 2 + 0.08, text, ha="center", fontsize=7)
        axis.text(x, y - height / 2 - 0.08, name, ha="center", va="top", fontsize=7, color=TRUTH)
        sides_of.append((x - width / 2 - 0.06, x + width / 2 + 0.06, y))
    look = {"mutation_scale": 8, "shrinkA": 0, "shrinkB": 0, "lw": 0.8}
    for (_, start, y), (end, _, next_y) in pairwise(sides_of):
        arrow(axis, (start, y), (end, next_y), **look)
    for level in range(levels - 1):
        (left, start, y), (end, right, _) = sides_of[2 + level], sides_of[2 * levels - level]
        arrow(axis, (start, y + 0.12), (end, y + 0.12), **look, color=FAINT, linestyle="--")
        middle = (left + start + end + right) / 4
        axis.text(middle, y + 0.2, "skip: added", ha="center", fontsize=7, color="#777777")
    axis.set(xlim=(-0.8, 1.55 * len(boxes) - 0.7), ylim=(-1.25 * levels + 0.2, 1.1))
    axis.axis("off")
    return headline(fig, "Down to where one unit sees the whole image, and up again")


def ambiguous_pixel(logits: Tensor, gray: Tensor, model: ColorNet) -> tuple[int, int, int]:
    """(Image, row, column) of the bright point where the mean hides most colour.

    There the mean length of a colour exceeds the length of the mean colour most, weighted by value
    and by the probability of the colours that are not near the mean.
    """
    probabilities = logits.softmax(1)
    length = torch.einsum("nkhw,k->nhw", probabilities, model.cells.norm(dim=1))
    mean = mean_color(model, probabilities)
    hidden = (length - mean.norm(dim=1)) * F.avg_pool2d(gray, model.fold)[:, 0]
    away = torch.cdist(mean.movedim(1, -1), model.cells).movedim(-1, 1) > NEAR
    hidden = hidden * (away * probabilities).sum(1)
    return tuple(map(int, np.unravel_index(int(hidden.argmax()), hidden.shape)))


def pixel_distribution(model: ColorNet, images: np.ndarray, note: str = "") -> Figure:
    """The most ambiguous pixel of uint8 images (N, H, W, 3): its distribution, mean and mode."""
    gray = value(to_tensor(images))
    with evaluation_mode(model):
        logits = predict(model, gray, "value")
        image, row, column = ambiguous_pixel(logits, gray, model)
        plain, bold = (
            cell_probabilities(model, logits[[image]], setting)[0, :, row, column]
            for setting in (DecodeSetting(), setting_at(model, 1.0, "value"))
        )
    fig, axes = plt.subplots(1, 4, figsize=(PAGE, 2.3), width_ratios=(1, 1.15, 1.15, 0.55))
    axes[0].imshow(gray[image, 0], cmap="gray", vmin=0, vmax=1)
    corner = np.array((column, row)) * model.fold - 0.5
    axes[0].add_patch(Rectangle(corner, model.fold, model.fold, fill=False, ec=OURS, lw=1.5))
    axes[0].set(xticks=[], yticks=[], title="input, and one point")
    swatches = []
    for axis, shares, name in ((axes[1], plain, "as predicted"), (axes[2], bold, "vividness 1")):
        draw_disk(axis, name, 0.35)
        axis.scatter(*model.cells.T.numpy(), s=900 * shares.numpy(), color=TRUTH, alpha=0.75, lw=0)
        mean = shares @ model.cells
        axis.plot(*mean, "+", color=OURS, ms=9, mew=2)
        swatches.append((f"mean,\n{name}", mean))
    swatches.append(("most likely,\nvividness 1", model.cells[bold.argmax()]))
    truth = hsv_to_chroma(rgb_to_hsv(to_tensor(images[image : image + 1])))
    swatches.append(("truth", F.avg_pool2d(truth, model.fold)[0, :, row, column]))
    level = gray[image, :, row * model.fold, column * model.fold].view(1, 1, 1, 1)
    for place, (name, chroma) in enumerate(swatches):
        color = add_chroma(chroma.view(1, 2, 1, 1), level)[0, :, 0, 0].clamp(0, 1).numpy()
        axes[3].add_patch(Rectangle((0, -place), 0.8, 0.8, color=color))
        axes[3].text(0.95, 0.4 - place, name, va="center", fontsize=7)
    axes[3].set(xlim=(0, 2.4), ylim=(-3.1, 0.9))
    axes[3].axis("off")
    return headline(fig, "Two likely colours, and a mean that is neither", note)
