"""The figures made of pictures, in the style of style.py. Images are uint8 arrays (N, H, W, 3)."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from colorlib.color import hsv_to_rgb, luma, rgb_to_hsv, value
from colorlib.data import to_images, to_tensor
from colorlib.metrics import colourfulness
from colorlib.report.style import PAGE, headline


def image_grid(
    rows: Sequence[Sequence], titles: Sequence[str], labels: Sequence[str] = (),
    width: float = PAGE, note: str = "", title: str = "",
) -> Figure:  # fmt: skip
    """A table of pictures: rows of images (H, W, 3) or (H, W), titles of columns, labels of rows.

    A place stays empty where an image is None or a row ends early.
    """
    letters = max((len(line) for text in labels for line in text.split("\n")), default=0)
    cell = (width - 0.07 * letters) / len(titles)
    shape = np.asarray(rows[0][0]).shape
    height = len(rows) * (cell * shape[0] / shape[1] + 0.02)
    size = {"figsize": (width, height + 0.25 * any(titles) + 0.2 * bool(note))}
    fig, axes = plt.subplots(len(rows), len(titles), squeeze=False, layout="compressed", **size)
    fig.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
    for places, row in zip(axes, rows, strict=True):
        for axis, image in zip_longest(places, row):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if image is not None:
                axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    for axis, text in zip(axes[0], titles, strict=True):
        axis.set_title(text)
    for axis, text in zip(axes[:, 0], labels, strict=False):
        axis.set_ylabel(text, rotation=0, ha="right", va="center")
    return headline(fig, title, note)


def most_colourful(images: np.ndarray, count: int) -> np.ndarray:
    """The numbers (count,) of the most colourful images, the first one first."""
    return colourfulness(to_tensor(images)).argsort(descending=True)[:count].numpy()


def grey_images(gray: Tensor) -> np.ndarray:
    """Grey pixels (N, 1, H, W) in [0, 1] as images."""
    return to_images(gray.expand(-1, 3, -1, -1))


def hue_bar() -> np.ndarray:
    """All hues, as one image (1, 256, 3)."""
    hsv = torch.ones(1, 3, 1, 256)
    hsv[0, 0] = torch.linspace(0, 1, 256)
    return to_images(hsv_to_rgb(hsv))[0]


def channels(images: np.ndarray, numbers: Sequence[int], note: str = "") -> Figure:
    """The images of these numbers, their hue, the hue where S is below 0.2, and S and V."""
    images, labels = images[list(numbers)], [f"image {number}" for number in numbers]
    hsv = rgb_to_hsv(to_tensor(images))
    pure = hsv.clone()
    pure[:, 1:] = 1
    hue = to_images(hsv_to_rgb(pure))
    noise = np.where(hsv[:, 1, :, :, None].numpy() < 0.2, hue, 255)
    rows = zip(images, hue, noise, grey_images(hsv[:, 1:2]), grey_images(hsv[:, 2:]), strict=True)
    titles = ["image", "hue H", "hue where S < 0.2", "saturation S", "value V"]
    title = "Value is the input; hue and saturation are the target"
    fig = image_grid(list(rows), titles, labels, PAGE, note, title)
    fig.set_figheight(fig.get_figheight() + 0.5)
    fig.get_layout_engine().set(rect=(0, 0.1, 1, 0.9))
    bar = fig.add_axes((0.3, 0.07, 0.4, 0.02))
    bar.imshow(hue_bar(), extent=(0, 1, 0, 1), aspect="auto")
    bar.set(yticks=[], xlabel="hue, in turns")
    return fig


def value_and_luma(images: np.ndarray, note: str = "") -> Figure:
    """The same images as value and as luma: a pure blue is as bright as white in value only."""
    rgb = to_tensor(images)
    rows = [images, grey_images(value(rgb)), grey_images(luma(rgb))]
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
    last = len(rows) - 2
    epochs = np.unique(np.geomspace(1, last, min(count, last)).round().astype(int))
    labels = ["input", *(f"epoch {epoch}" for epoch in epochs), "truth"]
    chosen = rows[[1, *(epochs + 1), 0]]
    title = "Colours arrive in training"
    return image_grid(chosen, [""] * rows.shape[1], labels, PAGE, note, title)


def read_strip(path: str | Path) -> np.ndarray:
    """A run's strip.png, eight images wide, as uint8 (rows, 8, side, side, 3)."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    side = pixels.shape[1] // 8
    return pixels.reshape(-1, side, 8, side, 3).swapaxes(1, 2)
