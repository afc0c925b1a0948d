"""The slider browser: pictures whose bytes change in place, so that nothing flickers or piles up.

Jupyter draws an Output anew at each step; an `ipywidgets.Image` does not, in ipywidgets 8 as in
Colab's 7.7. The pictures are drawn in panels.py; static_viewer.py makes what stands in for the
browser where no kernel runs.
"""

import html
import random
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch import Tensor

from colorlib import paths
from colorlib.color import to_gray
from colorlib.datasets.arrays import Labels, check_uint8, to_images, to_tensor
from colorlib.metrics import mean_ab_error, psnr
from colorlib.model import ColorNet, colorize
from colorlib.widgets import panels
from colorlib.widgets.page import Tool, encoded, hexadecimal, keep, row, swatch
from colorlib.widgets.static_viewer import viewer

if TYPE_CHECKING:
    from ipywidgets import Box

ALL = "all classes"
ORDERS = ("by number", "worst first", "best first")
LIKELIEST = 5  # cells whose probability is listed
ALTS = {
    "input": "The input, in grey",
    "first": "The prediction at the first setting",
    "second": "The prediction at the second setting",
    "truth": "The image in its true colours",
    "error": "Map of the error at the first setting",
    "disk": "The pixel's distribution on the chroma disk",
}
CHUNK = 250  # images measured between two signs of progress


def browse(
    images: np.ndarray, model: ColorNet, given: str = "value", labels: Labels | None = None
) -> "Box":
    """Browse `images` (uint8, N H W 3): input, two settings of vividness, truth, error, one pixel.

    A slider over the images (previous, next, random, a play button, an image's number), in their
    own order, worst or best first, of all classes or one; two vividness sliders; a pixel, picked
    by a click or two sliders, whose predicted distribution is drawn on the chroma disk; a button
    that saves what is shown in the folder of figures. labels: `load_labels(...)`'s (labels, class
    names), or None. Returns an ipywidgets box with the controls by name in `controls`. In an
    exported report and on GitHub, where no kernel runs, some precomputed images stand in its place.
    """
    if not isinstance(model, ColorNet):
        raise ValueError(f"model: got {type(model).__name__}, expected a ColorNet (load_model)")
    check_uint8(images)
    if labels and len(labels[0]) < len(images):
        raise ValueError(
            f"labels: got {len(labels[0])}, expected one for each of {len(images)} images"
        )
    if labels and not np.isin(labels[0], range(len(labels[1]))).all():
        wish = f"numbers from 0 to {len(labels[1]) - 1}, as there are {len(labels[1])} class names"
        raise ValueError(f"labels: got {np.unique(labels[0])}, expected {wish}")
    return Browser(images, model, given, labels).box


class Browser(Tool):
    """The widgets of the browser, by name in `controls`, and what they do."""

    def __init__(self, images: np.ndarray, model: ColorNet, given: str, labels: Labels | None):
        import ipywidgets as w

        self.images, self.model, self.given, self.classes = images, model, given, None
        if labels:
            names = [name.replace("_", " ") for name in labels[1]]
            self.classes = np.array([names[label] for label in labels[0][: len(images)]])
        self.shown, self.errors = np.arange(len(images)), np.empty(0)
        self.look = lru_cache(maxsize=1)(lambda i: panels.Look(images[i], model, given))
        last, (height, width) = len(self.images) - 1, self.images.shape[1:3]
        named = {"style": {"description_width": "110px"}, "layout": w.Layout(width="250px")}
        classes = [ALL] + ([] if self.classes is None else np.unique(self.classes).tolist())
        c = self.controls = {
            "number": self.slider("position", 0, last, self.show, readout=False),
            "place": w.HTML(),
            "play": w.Play(min=0, max=last, interval=700),
            "previous": self.button("previous", lambda: self.step(-1)),
            "next": self.button("next", lambda: self.step(1)),
            "random": self.button("random", self.jump, "a random one of the images shown"),
            "image": w.BoundedIntText(0, 0, last, description="image number", **named),
            "class": w.Dropdown(options=classes, description="class", **named),
            "order": w.Dropdown(options=ORDERS, description="order", **named),
            "first": self.slider("vividness", 0.0, 1.0, self.show, step=0.05),
            "second": self.slider("second setting", 1.0, 1.0, self.show, step=0.05),
            "row": self.slider("pixel: row", height // 2, height - 1, self.show),
            "column": self.slider("column", width // 2, width - 1, self.show),
            "pixel": w.HTML(),
            "save": self.button("save", self.save, "save what is shown as a PNG"),
            "said": w.HTML(),
        }
        self.watch(c["image"], self._go_to)
        self.watch(c["class"], self._arrange)
        self.watch(c["order"], self._arrange)
        w.link((c["number"], "value"), (c["play"], "value"))  # jslink would send two messages
        titles = list(ALTS)[: 6 if self.model.config["head"] == "distribution" else 5]
        full = w.Layout(width="100%", margin="0")
        self.pictures = {name: w.Image(layout=full) for name in titles}
        self.captions = {name: w.HTML() for name in titles}
        grid = w.GridBox(
            [w.VBox([self.pictures[name], self.captions[name]]) for name in titles],
            layout=w.Layout(
                grid_template_columns="repeat(auto-fill, minmax(130px, 1fr))",
                grid_gap="8px", max_width="1160px", align_items="flex-start",
            ),
        )  # fmt: skip
        grid.add_class("colorlib-pixels")
        for name in titles[:5]:
            self.pictures[name].add_class("colorlib-pick")
        rows = [
            ["number", "place"],
            ["previous", "next", "random", "play", "image"],
            ["first", "second"],
            ["class", "order"] if self.classes is not None else ["order"],
            ["row", "column", "pixel"],
            ["save", "said"],
        ]
        parts = [row([c[name] for name in names]) for names in rows]
        self.box = self.page([*parts[:4], grid, *parts[4:]], f"a browser of {last + 1:,} images")
        self.show()

    # Which image

    def current(self) -> int:
        """The number of the image that is shown."""
        return int(self.shown[self.controls["number"].value])

    def title(self, i: int) -> str:
        """An image's number and class."""
        return f"image {i}" + ("" if self.classes is None else f", {self.classes[i]}")

    def step(self, by: int) -> None:
        """Go on or back, from the last to the first."""
        number = self.controls["number"]
        number.value = (number.value + by) % (number.max + 1)

    def jump(self) -> None:
        """Go to another one, by chance."""
        self.step(random.randint(1, max(1, self.controls["number"].max)))

    def _go_to(self, image: int) -> None:
        """Show the image of a number, if the slider goes over it."""
        (places,) = np.nonzero(self.shown == image)
        said = "" if len(places) else f"Image {image} is not of the class chosen."
        self.controls["said"].value = said
        if len(places):
            self.controls["number"].value = int(places[0])

    def _arrange(self, _: str) -> None:
        """Choose and sort the images that the slider goes over."""
        c, shown = self.controls, np.arange(len(self.images))
        kind, order = c["class"].value, c["order"].value
        c["said"].value = ""
        if kind != ALL:
            shown = np.flatnonzero(self.classes == kind)
        if order != ORDERS[0]:
            self._measure()
            ranked = self.errors[shown].argsort(kind="stable")
            shown = shown[ranked if order == ORDERS[2] else ranked[::-1]]
            c["said"].value = f"Sorted by the mean ab error at vividness 0, {order}."
        self.shown = shown
        with self.silently():
            c["number"].value = 0
            c["number"].max = c["play"].max = len(shown) - 1
        self.show()

    def _measure(self) -> None:
        """Find the mean ab error of each image at vividness 0, once."""
        for start in range(len(self.errors), len(self.images), CHUNK):
            self.controls["said"].value = f"Measured {start:,} of {len(self.images):,} images…"
            truth = to_tensor(self.images[start : start + CHUNK])
            predicted = colorize(self.model, to_gray(truth, self.given), self.given)
            self.errors = np.append(self.errors, mean_ab_error(predicted, truth))

    # What is shown

    def show(self, _: float | None = None) -> None:
        """Draw the image, the settings and the pixel that the controls say."""
        number, i, c = self.controls["number"], self.current(), self.controls
        place = f"{number.value + 1} of {number.max + 1}"
        c["place"].value = f"<b>{place}</b>: {html.escape(self.title(i))}"
        with self.silently():
            c["image"].value = i
        for name, (picture, title, about) in self.drawn().items():
            self.pictures[name].value = encoded(picture, "PNG")
            self.captions[name].value = f'<b data-alt="{ALTS[name]}">{title}</b><br>{about}'

    def drawn(self) -> dict[str, tuple[Image.Image, str, str]]:
        """By name: each picture, its title, and what its caption says beside that, as HTML.

        The line about the pixel is written, too.
        """
        c, image = self.controls, self.images[self.current()]
        seen, pixel = self.look(self.current()), (c["row"].value, c["column"].value)
        made = dict.fromkeys(self.pictures)

        def add(name: str, image: np.ndarray, title: str, about: str = "") -> None:
            made[name] = panels.enlarged(image, pixel), title, about

        add("input", to_images(seen.gray.expand(-1, 3, -1, -1))[0], f"input: {self.given}")
        add("truth", image, "truth")
        for name in ("second", "first"):
            rgb = seen.colored(c[name].value)
            error, colored = seen.error(rgb), to_images(rgb)[0]
            about = f"PSNR {psnr(rgb, seen.truth).item():.1f} dB, ab error {error.mean():.1f}"
            add(name, colored, f"vividness {c[name].value:.2f}", about)
        about = f"black 0, yellow {panels.LARGEST_ERROR} or more"
        wrong = panels.heat(error / panels.LARGEST_ERROR)
        add("error", wrong, f"ab error at {c['first'].value:.2f}", about)
        true, predicted = (swatch(hexadecimal(x[pixel])) for x in (image, colored))
        c["pixel"].value = (
            f"Pixel in row {pixel[0]}, column {pixel[1]}: truth {true}, prediction {predicted}, "
            f"{error[pixel].item():.1f} units of ab apart."
        )
        if "disk" in made:
            setting = c["first"].value, pixel
            c["pixel"].value += self._likeliest(seen.likely(*setting))
            made["disk"] = seen.disk(*setting), "colours of the pixel", "o mean, x truth"
        return made

    def _likeliest(self, shares: Tensor) -> str:
        """The likeliest cells with their probabilities, and what the line on the disk is."""
        most, cells = shares.topk(LIKELIEST)
        colors = panels.cell_colors(self.model)[cells.numpy()]
        listed = [f"{swatch(hexadecimal(c))} {s:.0%}" for c, s in zip(colors, most, strict=True)]
        return (
            f"<br>The network's likeliest colours there: {', '.join(listed)}. On the disk the "
            "line is the path of the mean from vividness 0 (white end) to 1 (black end)."
        )

    def act(self, kind: str, *words: float | str) -> None:
        """A click on a picture chooses its pixel; arrow keys outside a slider turn the page."""
        if kind == "key":
            self.step(1 if words[0] == "right" else -1)
        else:
            height, width = self.images.shape[1:3]
            with self.silently():
                self.controls["row"].value = int(words[1] * height)
                self.controls["column"].value = int(words[0] * width)
            self.show()

    # Saving, and the page without a kernel

    def save(self) -> None:
        """Save what is shown as browser-IMAGE.png in the folder of figures."""
        pictures, titles, _ = zip(*self.drawn().values(), strict=True)
        made = panels.sheet(pictures, titles, self.title(self.current()))
        path = paths.figures() / f"browser-{self.current()}.png"
        self.controls["said"].value = html.escape(keep(encoded(made, "PNG"), path))

    def still(self) -> str:
        """The first images as HTML that needs no kernel."""
        return viewer(self.images, self.model, self.given, self.title)
