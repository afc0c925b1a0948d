"""The figures made of pictures, in the style of style.py. Images are uint8 arrays (N, H, W, 3)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from colorlib.color import add_chroma, hsv_to_chroma, hsv_to_rgb, luma, rgb_to_hsv, value
from colorlib.data import to_images, to_tensor
from colorlib.report.style import OURS, PAGE, TRUTH


def image_grid(
    rows: Sequence[Sequence],
    titles: Sequence[str],
    labels: Sequence[str] | None = None,
    width: float = PAGE,
    note: str = "",
) -> Figure:
    """A table of pictures: rows of images (H, W, 3) or (H, W), titles, row labels, a note."""
    labels_width = (
        0.07 * max(len(line) for text in labels for line in text.split("\n")) if labels else 0
    )
    cell = (width - labels_width) / len(titles)
    shape = np.asarray(rows[0][0]).shape
    height = len(rows) * cell * shape[0] / shape[1] + 0.25 + 0.2 * bool(note)
    fig, axes = plt.subplots(len(rows), len(titles), figsize=(width, height), squeeze=False)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            axis = axes[i, j]
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if i == 0:
                axis.set_title(titles[j])
            if image is None:
                continue
            axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        if labels:
            axes[i, 0].set_ylabel(labels[i], rotation=0, ha="right", va="center")
    fig.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    if note:
        fig.supxlabel(note, fontsize=7)
    return fig


def channels(images: np.ndarray, labels: Sequence[str] | None = None, note: str = "") -> Figure:
    """Each image beside its hue (as a full colour), saturation and value."""
    hsv = rgb_to_hsv(to_tensor(images))
    pure = hsv.clone()
    pure[:, 1:] = 1
    hue = to_images(hsv_to_rgb(pure))
    saturation, brightness = ((hsv[:, i] * 255).round().byte().numpy() for i in (1, 2))
    rows = list(zip(images, hue, saturation, brightness, strict=True))
    titles = ["image", "hue: target", "saturation: target", "value: input"]
    return image_grid(rows, titles, labels, 0.75 * PAGE, note)


def process_diagram(image: np.ndarray, predicted: np.ndarray, note: str = "") -> Figure:
    """The self-supervised loop around one image (H, W, 3) and what a network made of it."""
    hsv = rgb_to_hsv(to_tensor(image[None]))
    bright = hsv.clone()
    bright[:, 2] = 1
    gray = (hsv[0, 2] * 255).round().byte().numpy()
    target = to_images(hsv_to_rgb(bright))[0]
    fig, axis = plt.subplots(figsize=(PAGE, 2.5))
    axis.set(xlim=(0, 13.4), ylim=(0, 4.8), aspect="equal")
    axis.axis("off")
    pictures = [
        (image, 0.2, 1.7, "1 colour image"),
        (gray, 3.2, 3.0, "2 value: the input"),
        (target, 3.2, 0.4, "3 hue, saturation:\nthe target"),
        (predicted, 8.6, 3.0, "5 prediction"),
    ]
    for picture, x, y, text in pictures:
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=(x, x + 1.4, y, y + 1.4))
        below = text != "5 prediction"  # the way back to the network passes under that one
        place, side = (y - 0.08, "top") if below else (y + 1.48, "bottom")
        axis.text(x + 0.7, place, text, ha="center", va=side, fontsize=7)
    for x, y, text in ((5.7, 3.3, "4 network"), (11.3, 1.75, "6 loss")):
        box = FancyBboxPatch((x, y), 1.7, 0.8, boxstyle="round,pad=0.1", fc="#f1ede4", ec=TRUTH)
        axis.add_patch(box)
        axis.text(x + 0.85, y + 0.4, text, ha="center", va="center")
    arrows = [
        ((1.7, 2.7), (3.1, 3.6), ""),
        ((1.7, 2.1), (3.1, 1.2), ""),
        ((4.7, 3.7), (5.5, 3.7), ""),
        ((7.6, 3.7), (8.5, 3.7), ""),
        ((10.1, 3.7), (11.7, 2.75), ""),
        ((4.7, 1.1), (11.2, 1.9), ""),
        ((11.1, 2.3), (6.6, 3.1), "7 adjust the weights, next batch"),
    ]
    for start, end, text in arrows:
        dashed = "--" if text else "-"
        style = {"arrowstyle": "-|>", "mutation_scale": 9, "color": OURS if text else TRUTH}
        axis.add_patch(FancyArrowPatch(start, end, linestyle=dashed, **style))
        if text:
            axis.text(8.2, 2.05, text, color=OURS, fontsize=7, ha="center", va="center")
    axis.set(xlim=(0, 13.4), ylim=(-0.5, 4.9))
    axis.text(13.3, -0.4, note, ha="right", va="bottom", fontsize=7)
    return fig


def chroma_plane(images: np.ndarray, note: str = "") -> Figure:
    """Why hue is an angle: the wheel, the chroma disk, and where the images' colours lie in it."""
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.5))
    grid = torch.linspace(1, -1, 301)
    y, x = torch.meshgrid(grid, -grid, indexing="ij")
    chroma = torch.stack((x, y))[None]
    disk = to_images(add_chroma(chroma.clamp(-1, 1), torch.ones(1, 1, 301, 301)))[0].copy()
    radius = torch.hypot(x, y).numpy()
    wheel = disk.copy()
    disk[radius > 1] = 255
    wheel[(radius > 1) | (radius < 0.75)] = 255
    extent = (-1, 1, -1, 1)
    axes[0].imshow(wheel, extent=extent)
    for turns in (0, 0.25, 0.5, 0.75):
        angle = 2 * np.pi * turns
        axes[0].text(
            1.1 * np.cos(angle), 1.1 * np.sin(angle), f"{turns:g}", ha="center", va="center"
        )
    for turns, name in ((0.03, "a"), (0.97, "b")):
        angle = 2 * np.pi * turns
        axes[0].plot(0.87 * np.cos(angle), 0.87 * np.sin(angle), "ko", ms=3)
        axes[0].text(0.66 * np.cos(angle), 0.76 * np.sin(angle), name, ha="center", va="center")
    axes[0].plot(-0.87, 0, "kx", ms=5)
    text = "the mean of\na and b is red;\nof their hues as\nnumbers: ×, cyan"
    axes[0].text(0, 0, text, ha="center", va="center", fontsize=6)
    axes[0].set_title("hue, in turns")
    axes[1].imshow(disk, extent=extent)
    axes[1].set_title("chroma disk: S at angle H")
    hsv = rgb_to_hsv(to_tensor(images))
    points = hsv_to_chroma(hsv).permute(1, 0, 2, 3).flatten(1).numpy()
    counts, *_ = np.histogram2d(points[1], points[0], bins=101, range=[[-1, 1], [-1, 1]])
    shares = np.where(counts > 0, counts / counts.sum(), np.nan)
    shown = axes[2].imshow(shares, origin="lower", extent=extent, norm=LogNorm(), cmap="viridis")
    fig.colorbar(shown, ax=axes[2], label="share of pixels", shrink=0.8)
    axes[2].set_title("where the colours lie")
    for axis in axes:
        axis.set(xticks=[], yticks=[], xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
        axis.spines[:].set_visible(False)
    if note:
        fig.supxlabel(note, fontsize=7)
    return fig


def value_and_luma(images: np.ndarray, note: str = "") -> Figure:
    """The same images as value and as luma: a pure blue is as bright as white in value only."""
    rgb = to_tensor(images)
    rows = [images]
    rows += [(g(rgb)[:, 0] * 255).round().byte().numpy() for g in (value, luma)]
    return image_grid(rows, [""] * len(images), ["image", "value", "luma"], 0.85 * PAGE, note)


def strip(rows: np.ndarray, note: str = "", count: int = 8) -> Figure:
    """Predictions during training: the input, up to `count` epochs, the original."""
    epochs = np.linspace(1, len(rows) - 2, min(count, len(rows) - 2)).round().astype(int)
    chosen = [rows[1], *(rows[e + 1] for e in np.unique(epochs)), rows[0]]
    labels = ["input", *(f"epoch {e}" for e in np.unique(epochs)), "original"]
    return image_grid(chosen, [""] * rows.shape[1], labels, 0.8 * PAGE, note)


def read_strip(sheet: Image.Image) -> np.ndarray:
    """A run's strip.png (Pillow image), eight images wide, as uint8 (rows, 8, side, side, 3)."""
    pixels = np.asarray(sheet.convert("RGB"))
    side = pixels.shape[1] // 8
    return pixels.reshape(-1, side, 8, side, 3).swapaxes(1, 2)
