"""The slider browser: pictures whose bytes change in place, so that nothing flickers or piles up.

Jupyter draws an Output anew at each step; an `ipywidgets.Image` does not, in ipywidgets 8 as in
Colab's 7.7. The pictures are drawn in panels.py; static_viewer.py makes what stands in for the
browser where no kernel runs.
"""

import hashlib
import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch import Tensor

from colorlib import paths
from colorlib.color import to_gray
from colorlib.datasets.arrays import Labels, check_uint8, load_npy, to_images, to_tensor
from colorlib.metrics import mean_ab_error, psnr
from colorlib.model import ColorNet, colorize
from colorlib.report.store import weights_digest
from colorlib.widgets import panels
from colorlib.widgets.page import free_path, page, png, row, swatch

if TYPE_CHECKING:
    from ipywidgets import Box, Widget

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


def errors(
    images: np.ndarray, model: ColorNet, given: str, tell: Callable[[int], None]
) -> np.ndarray:
    """Mean ab error (N,) of each image at vividness 0: what "worst" and "best" sort by.

    Kept on file in the data root, so that the second time takes no time. tell: is called with the
    number of images that are measured.
    """
    key = hashlib.sha256(np.ascontiguousarray(images)).hexdigest()[:12]
    path = paths.data_root() / "browser" / f"{key}-{weights_digest(model)}-{given}.npy"
    if path.is_file():
        return np.array(load_npy(path))
    found = []
    for start in range(0, len(images), CHUNK):
        tell(start)
        truth = to_tensor(images[start : start + CHUNK])
        found.append(mean_ab_error(colorize(model, to_gray(truth, given), given), truth).numpy())
    measured = np.concatenate(found)
    try:
        with paths.replacing(path) as part, part.open("wb") as file:
            np.save(file, measured)
    except OSError:
        pass  # a data root that is read-only; they are measured again next time
    return measured


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
    return Browser(check_uint8(images), model, given, labels).box


class Browser:
    """The widgets of the browser, by name in `controls`, and what they do."""

    def __init__(self, images: np.ndarray, model: ColorNet, given: str, labels: Labels | None):
        self.images, self.model, self.given, self.labels = images, model, given, labels
        self.names = [name.replace("_", " ") for name in labels[1]] if labels else []
        self.cells = model.config["head"] == "distribution"
        self.shown, self.errors = np.arange(len(images)), None
        self.seen: tuple[int, panels.Look] | None = None
        self.quiet = False
        self.random = np.random.default_rng()
        self._build()
        self.show()

    def _build(self) -> None:
        """Make the widgets and connect them."""
        import ipywidgets as w

        c: dict = {}
        count, (height, width) = len(self.images), self.images.shape[1:3]
        style = {"description_width": "110px"}
        wide, short = w.Layout(width="100%", max_width="430px"), w.Layout(width="auto")
        narrow = w.Layout(width="250px")

        def slider(
            kind: type, act: Callable, text: str, value: float, top: float, **more: object
        ) -> "Widget":
            made = kind(value, min=0, max=top, description=text, style=style, layout=wide, **more)
            made.observe(act, "value")
            return made

        def button(text: str, act: Callable, tip: str = "") -> "Widget":
            made = w.Button(description=text, tooltip=tip or text, layout=short)
            made.on_click(lambda _: act())
            return made

        c["number"] = slider(w.IntSlider, self.show, "position", 0, count - 1, readout=False)
        c["place"] = w.HTML()
        c["play"] = w.Play(min=0, max=count - 1, interval=700)
        c["previous"] = button("previous", lambda: self.step(-1))
        c["next"] = button("next", lambda: self.step(1))
        c["random"] = button("random", self.jump, "a random one of the images shown")
        c["image"] = w.BoundedIntText(
            0, 0, count - 1, description="image number", style=style, layout=w.Layout(width="200px")
        )
        c["image"].observe(self._go_to, "value")
        lists = {"class": ["all classes", *sorted(self.names)], "order": ORDERS}
        for text, options in lists.items():
            c[text] = w.Dropdown(options=options, description=text, style=style, layout=narrow)
            c[text].observe(self._arrange, "value")
        for name, text, at in (("first", "vividness", 0.0), ("second", "second setting", 1.0)):
            c[name] = slider(w.FloatSlider, self.show, text, at, 1, step=0.05)
        c["row"] = slider(w.IntSlider, self.show, "pixel: row", height // 2, height - 1)
        c["column"] = slider(w.IntSlider, self.show, "column", width // 2, width - 1)
        c["name"] = w.Text("browser", description="save as", style=style, layout=narrow)
        c["save"] = button("save", self.save, "save what is shown as a PNG")
        c["said"], c["pixel"] = w.HTML(), w.HTML()
        w.link((c["number"], "value"), (c["play"], "value"))  # jslink would send two messages
        self.controls = c
        titles = [name for name in ALTS if self.cells or name != "disk"]
        self.pictures = {
            name: w.Image(layout=w.Layout(width="100%", margin="0")) for name in titles
        }
        self.captions = {name: w.HTML() for name in titles}
        grid = w.GridBox(
            [w.VBox([self.pictures[name], self.captions[name]]) for name in titles],
            layout=w.Layout(
                grid_template_columns="repeat(auto-fill, minmax(130px, 1fr))",
                grid_gap="8px", max_width="1160px", align_items="flex-start",
            ),
        )  # fmt: skip
        grid.add_class("colorlib-pixels")
        for name in set(titles) - {"disk"}:
            self.pictures[name].add_class("colorlib-pick")
        chosen = [c["class"], c["order"]] if self.names else [c["order"]]
        self.box = page(
            [
                row([c["number"], c["place"]]),
                row([c["previous"], c["next"], c["random"], c["play"], c["image"]]),
                row([c["first"], c["second"]]),
                row(chosen),
                grid,
                row([c["row"], c["column"], c["pixel"]]),
                row([c["name"], c["save"], c["said"]]),
            ],
            self.act,
            f"a browser of {count:,} images",
            self.still,
        )
        self.box.controls, self.box.browser = c, self

    # Which image

    def current(self) -> int:
        """The number of the image that is shown."""
        return int(self.shown[self.controls["number"].value])

    def title(self, i: int) -> str:
        """An image's number and class."""
        return f"image {i}" + (f", {self.names[self.labels[0][i]]}" if self.names else "")

    def step(self, by: int) -> None:
        """Go on or back, from the last to the first."""
        number = self.controls["number"]
        number.value = (number.value + by) % (number.max + 1)

    def jump(self) -> None:
        """Go to another one, by chance."""
        if self.controls["number"].max:
            self.step(1 + int(self.random.integers(self.controls["number"].max)))

    def _go_to(self, change: dict) -> None:
        if self.quiet:
            return
        (places,) = np.nonzero(self.shown == change["new"])
        if len(places):
            self.controls["said"].value = ""
            self.controls["number"].value = int(places[0])
        else:
            self.controls["said"].value = f"Image {change['new']} is not of the class chosen."

    def _arrange(self, _: dict) -> None:
        """Choose and sort the images that the slider goes over."""
        c = self.controls
        shown, said = np.arange(len(self.images)), c["said"]
        said.value = ""
        if c["class"].value in self.names:
            of_class = self.names.index(c["class"].value)
            shown = shown[np.asarray(self.labels[0])[: len(shown)] == of_class]
        if not len(shown):
            c["class"].value = "all classes"
            said.value = "No image of that class is here."
            return
        if c["order"].value != ORDERS[0]:
            if self.errors is None:
                self.errors = errors(self.images, self.model, self.given, self._progress)
            ranked = self.errors[shown].argsort(kind="stable")
            shown = shown[ranked if c["order"].value == ORDERS[2] else ranked[::-1]]
            said.value = f"Sorted by the mean ab error at vividness 0, {c['order'].value}."
        self.shown, self.quiet = shown, True
        c["number"].value = 0
        c["number"].max = c["play"].max = len(shown) - 1
        self.quiet = False
        self.show()

    def _progress(self, done: int) -> None:
        total = len(self.images)
        self.controls["said"].value = f"Measured {done:,} of {total:,} images…"

    # What is shown

    def show(self, _: dict | None = None) -> None:
        """Draw the image, the settings and the pixel that the controls say."""
        if self.quiet:
            return
        number, i, c = self.controls["number"], self.current(), self.controls
        c["place"].value = f"<b>{number.value + 1} of {number.max + 1}</b>: " + html.escape(
            self.title(i)
        )
        self.quiet, c["image"].value = True, i
        self.quiet = False
        for name, (picture, title, about) in self.drawn().items():
            self.pictures[name].value = png(picture)
            self.captions[name].value = f'<b data-alt="{ALTS[name]}">{title}</b><br>{about}'

    def drawn(self) -> dict[str, tuple[Image.Image, str, str]]:
        """By name: each picture, its title, and what its caption says beside that, as HTML."""
        c, i, given = self.controls, self.current(), self.given
        if self.seen is None or self.seen[0] != i:
            self.seen = i, panels.look(self.images[i], self.model, given)
        seen, pixel, made = self.seen[1], (c["row"].value, c["column"].value), {}
        gray = to_images(seen.gray.expand(-1, 3, -1, -1))[0]
        made["input"] = panels.enlarged(gray, pixel), f"input: {given}", ""
        colors = [self.images[i][pixel]]
        for name in ("first", "second"):
            vividness = c[name].value
            rgb = panels.colored(seen, self.model, given, vividness)
            error = panels.error_map(rgb, seen.truth)
            image = to_images(rgb)[0]
            about = f"PSNR {psnr(rgb, seen.truth).item():.1f} dB, ab error {error.mean():.1f}"
            made[name] = panels.enlarged(image, pixel), f"vividness {vividness:.2f}", about
            if name == "first":
                colors.append(image[pixel])
                wrong, far = panels.heat(error / panels.LARGEST_ERROR), error[pixel].item()
        made["truth"] = panels.enlarged(self.images[i], pixel), "truth", ""
        title = f"ab error at {c['first'].value:.2f}"
        about = f"black 0, yellow {panels.LARGEST_ERROR} or more"
        made["error"] = panels.enlarged(wrong, pixel), title, about
        true, predicted = (swatch("#{:02X}{:02X}{:02X}".format(*color)) for color in colors)
        c["pixel"].value = (
            f"Pixel in row {pixel[0]}, column {pixel[1]}: truth {true}, prediction {predicted}, "
            f"{far:.1f} units of ab apart."
        )
        if self.cells:
            setting = seen, self.model, given, c["first"].value, pixel
            c["pixel"].value += self._likeliest(panels.likely(*setting))
            made["disk"] = panels.disk(*setting), "colours of the pixel", "o mean, x truth"
        return made

    def _likeliest(self, shares: Tensor) -> str:
        """The likeliest cells with their probabilities, and what the line on the disk is."""
        most, cells = shares.topk(LIKELIEST)
        colors = panels.cell_colors(self.model)[cells.numpy()]
        found = zip(colors.tolist(), most.tolist(), strict=True)
        listed = [f"{swatch('#{:02X}{:02X}{:02X}'.format(*c))} {s:.0%}" for c, s in found]
        return (
            f"<br>The network's likeliest colours there: {', '.join(listed)}. On the disk the "
            "line is the path of the mean from vividness 0 (white end) to 1 (black end)."
        )

    def act(self, kind: str, *words: float | str) -> None:
        """A click on a picture chooses its pixel; arrow keys outside a slider turn the page."""
        if kind == "key":
            self.step(1 if words[0] == "right" else -1)
        elif all(0 <= at < 1 for at in words):
            height, width = self.images.shape[1:3]
            self.quiet = True
            self.controls["row"].value = int(words[1] * height)
            self.controls["column"].value = int(words[0] * width)
            self.quiet = False
            self.show()

    # Saving, and the page without a kernel

    def save(self) -> None:
        """Save what is shown as NAME.png, or NAME-2.png where there is one, in the figures."""
        name, said = self.controls["name"].value, self.controls["said"]
        if not re.fullmatch(r"[\w-]+", name):
            said.value = "Choose a name of letters, digits, _ and -."
            return
        from colorlib.environment import offer

        pictures, titles, _ = zip(*self.drawn().values(), strict=True)
        path = free_path(paths.figures() / f"{name}.png")
        try:
            with paths.replacing(path) as part:
                made = panels.sheet(pictures, titles, self.title(self.current()))
                made.save(part, "PNG")
        except OSError as error:
            said.value = f"Not saved: {error.strerror}"
            return
        offer(path)
        said.value = f"Saved as {html.escape(str(path))}"

    def still(self) -> str:
        """The first images as HTML that needs no kernel."""
        from colorlib.widgets.static_viewer import SHOWN, viewer

        names = [self.title(i) for i in range(min(SHOWN, len(self.images)))]
        return viewer(self.images, self.model, self.given, names)
