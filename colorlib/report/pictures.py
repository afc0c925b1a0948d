"""The figures made of pictures, in the style of style.py. Images are uint8 arrays (N, H, W, 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from colorlib.color import hsv_to_rgb, luma, rgb_to_hsv, value
from colorlib.data import to_images, to_tensor
from colorlib.metrics import colourfulness
from colorlib.report.style import PAGE, headline


def image_grid(
    rows: Sequence[Sequence],
    titles: Sequence[str],
    labels: Sequence[str] | None = None,
    width: float = PAGE,
    note: str = "",
    title: str = "",
) -> Figure:
    """A table of pictures: rows of images (H, W, 3) or (H, W), titles, row labels, a note."""
    labels_width = (
        0.07 * max(len(line) for text in labels for line in text.split("\n")) if labels else 0
    )
    cell = (width - labels_width) / len(titles)
    shape = np.asarray(rows[0][0]).shape
    lines = 0.25 * any(titles) + 0.2 * bool(note)
    height = len(rows) * (cell * shape[0] / shape[1] + 0.02) + lines
    size = {"figsize": (width, height), "layout": "compressed"}
    fig, axes = plt.subplots(len(rows), len(titles), squeeze=False, **size)
    fig.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
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
    return headline(fig, title, note)


def most_colourful(images: np.ndarray, count: int) -> np.ndarray:
    """The numbers (count,) of the most colourful images, the first one first."""
    return colourfulness(to_tensor(images)).argsort(descending=True)[:count].numpy()


def as_bytes(gray: torch.Tensor) -> np.ndarray:
    """Grey pixels (N, 1, H, W) in [0, 1] as uint8 images (N, H, W)."""
    return (gray[:, 0] * 255).round().byte().numpy()


def channels(
    images: np.ndarray, numbers: Sequence[int], note: str = "", faint: float = 0.2
) -> Figure:
    """The images of these numbers, their hue, the hue where S is below `faint`, and S and V."""
    images, labels = images[list(numbers)], [f"image {number}" for number in numbers]
    hsv = rgb_to_hsv(to_tensor(images))
    pure = hsv.clone()
    pure[:, 1:] = 1
    hue = to_images(hsv_to_rgb(pure))
    noise = np.where(hsv[:, 1, :, :, None].numpy() < faint, hue, 255)
    rows = list(zip(images, hue, noise, as_bytes(hsv[:, 1:2]), as_bytes(hsv[:, 2:]), strict=True))
    titles = ["image", "hue H", f"hue where S < {faint:g}", "saturation S", "value V"]
    title = "Value is the input; hue and saturation are the target"
    fig = image_grid(rows, titles, labels, PAGE, note, title)
    legend = hsv_to_rgb(torch.stack((torch.linspace(0, 1, 256), *torch.ones(2, 256)))[:, None])
    fig.set_figheight(fig.get_figheight() + 0.5)
    fig.get_layout_engine().set(rect=(0, 0.1, 1, 0.9))
    bar = fig.add_axes((0.3, 0.07, 0.4, 0.02))
    bar.imshow(to_images(legend[None])[0], extent=(0, 1, 0, 1), aspect="auto")
    bar.set(yticks=[], xlabel="hue, in turns")
    return fig


def value_and_luma(images: np.ndarray, note: str = "") -> Figure:
    """The same images as value and as luma: a pure blue is as bright as white in value only."""
    rgb = to_tensor(images)
    rows = [images, as_bytes(value(rgb)), as_bytes(luma(rgb))]
    title = "Saturated colours are bright in value and dark in luma"
    return image_grid(rows, [""] * len(images), ["image", "value", "luma"], PAGE, note, title)


def ways(images: np.ndarray, systems: Mapping[str, np.ndarray], note: str = "") -> Figure:
    """A row for each system's images, name -> uint8 (N, H, W, 3) or grey (N, H, W), truth last."""
    rows = [*systems.values(), images]
    title = "The distribution gives a cautious picture and a bold one"
    return image_grid(rows, [""] * len(images), [*systems, "truth"], PAGE, note, title)


def strip(rows: np.ndarray, note: str = "", count: int = 4, width: int = 6) -> Figure:
    """Predictions in training: the input, `count` epochs, the truth, of the `width` most colourful.

    rows: as `read_strip` gives them: truth, input, and one row an epoch.
    """
    rows = rows[:, most_colourful(rows[0], width)]
    epochs = np.unique(
        np.geomspace(1, len(rows) - 2, min(count, len(rows) - 2)).round().astype(int)
    )
    chosen = [rows[1], *(rows[epoch + 1] for epoch in epochs), rows[0]]
    labels = ["input", *(f"epoch {epoch}" for epoch in epochs), "truth"]
    return image_grid(
        chosen, [""] * rows.shape[1], labels, PAGE, note, "Colours arrive in training"
    )


def read_strip(path: str | Path) -> np.ndarray:
    """A run's strip.png, eight images wide, as uint8 (rows, 8, side, side, 3)."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    side = pixels.shape[1] // 8
    return pixels.reshape(-1, side, 8, side, 3).swapaxes(1, 2)
