"""The photo tool: a photograph in colour, with sliders, hints and other plausible colourings.

What is on the page is a preview (photos/preview.py). The full-size picture is made when it is
saved, and the tool shows the line of code that makes the same picture.
"""

import base64
import html
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor

from colorlib import paths
from colorlib.datasets.image_files import read_rgb, to_rgb
from colorlib.environment import offer
from colorlib.model import ColorNet
from colorlib.photos.colorize_photo import INNER, check_setting, colorize_photo, network
from colorlib.photos.hints import PALETTE, Hint
from colorlib.photos.image_output import FORMATS, save_image
from colorlib.photos.preview import SIDE, Preview, Settings, code_line
from colorlib.widgets.page import free_path, jpeg, page, picture, row, safe_name, swatch
from colorlib.widgets.static_viewer import LEVELS, static_page

if TYPE_CHECKING:
    from ipywidgets import Box, Widget

NEAR = 0.03  # of the longer side: a click this close to a dot means the dot
SAMPLE = "chelsea.png"  # of scikit-image's wheel, as the built-in sample
ABOUT_UPLOAD = """up to 10 MB (Jupyter's limit); a larger one by its path:
 <code>photo_tool(image="photo.jpg")</code>"""
WIPE = """<label class="wipe">grey <input type="range" min="0" max="100" value="0"
 aria-label="Wipe: per cent of the picture, from the left, that shows the grey photograph">
 coloured</label>"""


def uploaded(value: dict | tuple) -> tuple[str, bytes] | None:
    """(name, content) of the last file of a FileUpload: a dict in ipywidgets 7, a tuple in 8."""
    if not value:
        return None
    if isinstance(value, dict):
        name, file = list(value.items())[-1]
        return name, bytes(file["content"])
    return value[-1]["name"], bytes(value[-1]["content"])


def photo_tool(
    model: str | Path | ColorNet = "photo",
    image: str | Path | Image.Image | None = None,
    vividness: float = 0.5,
    size: int = INNER,
) -> "Box":
    """Colour a photograph of one's own: an ipywidgets box, its `PhotoTool` as `tool`.

    model: a shipped name, a file, or a ColorNet. image: a path or a Pillow image to begin with;
    else a sample photograph. Raises ValueError for a published network, and for settings that
    `colorize_photo` does not take.
    """
    check_setting(vividness, size)
    return PhotoTool(model, image, vividness, size).box


class PhotoTool:
    """The widgets of the photo tool, by name in `controls`, and what they do.

    A hint that is selected takes the next colour from the palette; one that is `moving` also goes
    to the next click.
    """

    def __init__(
        self,
        model: str | Path | ColorNet,
        image: str | Path | Image.Image | None,
        vividness: float,
        size: int,
    ):
        net = network(model)
        if not isinstance(net, ColorNet):
            raise ValueError("model: the photo tool is for our own networks, such as 'photo'")
        self.model = net
        named = isinstance(model, str | Path)
        self.model_code = None if model == "photo" else repr(str(model)) if named else "model"
        self.image: Image.Image | None = None
        self.preview: Preview | None = None
        self.name, self.source = "photo", "image"  # of the file; as Python code
        self.hints: list[Hint] = []
        self.place: tuple[int, int] | None = None
        self.selected: int | None = None
        self.moving, self.seed, self.quiet = False, None, False
        self.rows: list = []
        self._build(vividness, size)
        self._begin(image)

    def _begin(self, image: str | Path | Image.Image | None) -> None:
        """Show the photograph; without one, or where it cannot be read, the sample."""
        import skimage.data

        if isinstance(image, Image.Image):
            self.take(image, "photo.png", "image")
        elif image is not None:
            self.take(Path(image), Path(image).name, repr(str(image)))
        if self.preview is None:
            said = self.controls["said"].value
            sample = Path(skimage.data.__file__).parent / SAMPLE
            self.take(sample, SAMPLE, f"skimage.data.{sample.stem}()")
            self.controls["said"].value = f"{said} {self.controls['said'].value}".strip()

    def _build(self, vividness: float, size: int) -> None:
        """Make the widgets and connect them."""
        import ipywidgets as w

        c: dict = {}
        style = {"description_width": "90px"}
        wide, short = w.Layout(width="100%", max_width="480px"), w.Layout(width="auto")

        def slider(
            kind: type, act: Callable, text: str, value: float, **options: object
        ) -> "Widget":
            made = kind(value, description=text, style=style, layout=wide, **options)
            made.observe(act, "value")
            return made

        def button(text: str, act: Callable, tip: str = "", **options: object) -> "Widget":
            made = w.Button(description=text, tooltip=tip or text, layout=short, **options)
            made.on_click(act)
            return made

        c["upload"] = w.FileUpload(accept="image/*", multiple=False)
        c["upload"].observe(self.received, "value")
        c["busy"], c["said"], c["code"], c["link"] = (w.HTML() for _ in range(4))
        c["before"], c["over"], c["original"] = (w.HTML() for _ in range(3))
        c["picture"] = w.Image(format="jpeg")
        c["progress"] = w.FloatProgress(0.0, max=1, layout=w.Layout(width="150px", display="none"))
        c["vividness"] = slider(
            w.FloatSlider, self.show, "vividness", vividness, min=0, max=1, step=0.05
        )
        more = {"min": 32, "max": max(256, size), "step": 16, "continuous_update": False}
        c["size"] = slider(w.IntSlider, self._resized, "working size", size, **more)
        c["another"] = button("another", self.another, "Draw other plausible colours by chance")
        c["mean"] = button("back to the mean", self.to_mean, disabled=True)
        c["x"], c["y"] = (
            slider(w.IntSlider, self._dragged, f"place: {axis}", 0, min=0, max=1) for axis in "xy"
        )
        c["palette"] = [
            button("", lambda _, i=i: self.choose(self.offered[i])) for i in range(PALETTE)
        ]
        for made in c["palette"]:
            made.layout = w.Layout(width="52px", margin="2px")
        c["picker"] = w.ColorPicker(concise=True, description="any other", style=style)
        c["picker"].observe(self._picked, "value")
        c["hints"] = w.VBox()
        c["save"] = button(
            "save full size", self.save, "Make, save and offer the full-size picture"
        )
        self.controls, self.offered = c, []

        stack = w.Box([c["before"], c["picture"], c["over"]])
        stack.add_class("colorlib-stack")
        self.column = w.Layout(flex="1 1 220px", max_width=f"{SIDE}px")
        c["original"].layout = w.Layout(flex="1 1 220px", max_width=f"{SIDE}px", margin="0")
        c["colors"] = row([*c["palette"], c["picker"]])
        c["colors"].add_class("colorlib-colors")
        top = w.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="8px")
        parts = [
            row([c["upload"], w.HTML(ABOUT_UPLOAD)]),
            row([c["busy"], c["progress"], c["said"]]),
            w.Box([w.VBox([stack, w.HTML(WIPE)], layout=self.column), c["original"]], layout=top),
            w.VBox([c["vividness"], c["size"]]),
            row([c["another"], c["mean"]]),
        ]
        if self.model.config["hints"]:
            about = "<b>Hints.</b> Click a place in the picture and choose its colour. "
            about += "Click a dot, then its new place, to move it."
            parts += [w.HTML(about), w.VBox([c["x"], c["y"]]), c["colors"], c["hints"]]
        else:
            parts += [w.HTML("This network takes no hints; the network <code>photo</code> does.")]
            c["another"].disabled = True
        parts += [c["code"], row([c["save"], c["link"]])]
        self.box = page(parts, self._act, "the photo tool: upload, sliders, hints", self.still)
        self.box.add_class("colorlib-photo")
        self.box.controls, self.box.tool = c, self

    # The photograph

    def take(self, source: Image.Image | Path | io.BytesIO, name: str, code: str) -> None:
        """Show another photograph; a sentence says why where it cannot be read."""
        said, called = self.controls["said"], html.escape(name)
        with self.busy(f"Reading {name}"):
            try:
                image = to_rgb(source) if isinstance(source, Image.Image) else read_rgb(source)
                preview = Preview(image, self.model)
            except (OSError, ValueError, MemoryError) as error:
                why = getattr(error, "strerror", None) or str(error).removeprefix(f"{source}: ")
                said.value = html.escape(f"{name}: {why or type(error).__name__}")
                return
            self.image, self.preview, self.name, self.source = image, preview, name, code
            self.hints, self.place, self.selected, self.moving = [], None, None, False
            self._show_seed(None)
            height, width = preview.photo
            said.value = f"{called}, {width} × {height} pixels."
            if preview.own_colors:
                said.value += " The photograph has colours of its own. They are not used."
            grey = preview.input()
            self.column.max_width = f"{round(SIDE * width / max(width, height))}px"
            self.controls["original"].layout.max_width = self.column.max_width
            self.controls["before"].value = picture(grey, "The photograph in grey, the input")
            original = image.resize(grey.size, Image.Resampling.BOX, reducing_gap=2)
            shown = picture(original, "The photograph in its own colours")
            shown += "<figcaption>the photograph's own colours, not used</figcaption>"
            shown = f"<figure>{shown}</figure>" if preview.own_colors else ""
            self.controls["original"].value = shown
            with self.silently():
                for axis, side in (("x", width), ("y", height)):
                    self.controls[axis].max = max(side - 1, 1)
                    self.controls[axis].value = side // 2
            self.show()
            self._point(None)

    def received(self, _: object = None) -> None:
        """Take what was uploaded."""
        file = uploaded(self.controls["upload"].value)
        if file:
            name, content = file
            self.take(io.BytesIO(content), name, repr(name))

    def settings(self) -> Settings:
        """What the sliders, hints and buttons say."""
        size, hints = self.controls["size"].value, tuple(self.hints)
        return Settings(round(self.controls["vividness"].value, 2), size, hints, self.seed)

    def show(self, _: object = None) -> None:
        """Recolour the preview, and write the line of code."""
        self.controls["picture"].value = jpeg(self.preview.colored(self.settings()))
        line = html.escape(code_line(self.source, self.settings(), self.model_code))
        self.controls["code"].value = f"The same picture at full size:<pre>{line}</pre>"
        self.controls["link"].value = ""

    def _resized(self, _: object) -> None:
        with self.busy("Colouring"):
            self.show()
            self._offer()

    # Other colourings

    def another(self, _: object = None) -> None:
        """Draw other colours by chance: the next seed."""
        self._show_seed((self.seed or 0) + 1)
        with self.busy("Colouring"):
            self.show()

    def to_mean(self, _: object = None) -> None:
        """Go back from a drawn colouring to the mean."""
        self._show_seed(None)
        self.show()

    def _show_seed(self, seed: int | None) -> None:
        self.seed, self.controls["mean"].disabled = seed, seed is None

    # Hints

    def click(self, x: float, y: float) -> None:
        """Choose a dot, a place, or a moving dot's new place: shares of width and height."""
        if not (0 <= x < 1 and 0 <= y < 1):
            return
        height, width = self.preview.photo
        place = int(x * width), int(y * height)
        away = [(hx - place[0]) ** 2 + (hy - place[1]) ** 2 for hx, hy, _ in self.hints]
        near = min(range(len(away)), key=away.__getitem__, default=None)
        if self.moving and (near != self.selected or not self._close(away[near])):
            self._move(self.selected, place)
            self._select(None)
        elif near is not None and self._close(away[near]):
            self._select(None if self.moving else near, moving=not self.moving)
        else:
            self._select(None)
            self._point(place)

    def _close(self, squared: float) -> bool:
        return squared <= (NEAR * max(self.preview.photo)) ** 2

    def _act(self, kind: str, *words: float) -> None:
        if kind == "click":
            self.click(*words)

    def _dragged(self, _: object) -> None:
        """The sliders of the place: they move a moving dot, else the cross."""
        if self.quiet:
            return
        height, width = self.preview.photo
        place = min(self.controls["x"].value, width - 1), min(self.controls["y"].value, height - 1)
        if self.moving:
            self._move(self.selected, place)
        else:
            self.selected = None
        self._point(place)

    def choose(self, color: str) -> None:
        """Give the selected hint, or a new one at the place, this colour ("#RRGGBB")."""
        if self.place is None:
            self.controls["said"].value = "Click a place in the picture first."
            return
        if self.selected is None:
            self.hints.append((*self.place, color))
            self.selected = len(self.hints) - 1
        else:
            self.hints[self.selected] = (*self.hints[self.selected][:2], color)
        self.moving = False
        self.show()
        self._draw()

    def remove(self, number: int) -> None:
        """Take a hint away."""
        del self.hints[number]
        self._select(None)
        self.show()

    def _move(self, number: int, place: tuple[int, int]) -> None:
        self.hints[number] = (*place, self.hints[number][2])
        self._set_place(place)
        self.show()

    def _select(self, number: int | None, moving: bool = False) -> None:
        self.selected, self.moving = number, moving and number is not None
        self._point(None if number is None else self.hints[number][:2])

    def _point(self, place: tuple[int, int] | None) -> None:
        """Show the cross, and the palette of the place."""
        self.place = place
        if place is not None:
            self._set_place(place)
        self._draw()
        self._offer()

    def _set_place(self, place: tuple[int, int]) -> None:
        with self.silently():
            self.controls["x"].value, self.controls["y"].value = place

    def _offer(self) -> None:
        """Put the colours that are likely at the place on the buttons."""
        self.controls["colors"].layout.display = "none" if self.place is None else "flex"
        if self.place is None:
            return
        others = [hint for number, hint in enumerate(self.hints) if number != self.selected]
        found = self.preview.palette(*self.place, self.controls["size"].value, others)
        self.offered = [color for color, _ in found]
        for made, (color, share) in zip(self.controls["palette"], found, strict=True):
            made.style.button_color = made.tooltip = color
            made.description = "<1 %" if share < 0.005 else f"{100 * share:.0f} %"
        with self.silently():
            self.controls["picker"].value = self.offered[0]

    def _picked(self, change: dict) -> None:
        if not self.quiet:
            red, green, blue = ImageColor.getrgb(change["new"])[:3]
            self.choose(f"#{red:02X}{green:02X}{blue:02X}")

    def _draw(self) -> None:
        """The dots and the cross over the picture, and the list of hints."""
        height, width = self.preview.photo
        marks = '<div class="line"></div>'
        for number, (x, y, color) in enumerate(self.hints):
            kind = "dot chosen" if number == self.selected else "dot"
            marks += _mark(kind, x / width, y / height, f";background:{color}")
        if self.place is not None and self.selected is None:
            marks += _mark("cross", self.place[0] / width, self.place[1] / height)
        count = f"{len(self.hints)} hint{'s' * (len(self.hints) != 1)}"
        words = f'role="application" aria-label="The photograph with {count}. Click a place, or '
        words += (
            'set it with the sliders below." data-alt="The photograph as the network colours it"'
        )
        self.controls["over"].value = f'<div class="over colorlib-pick" {words}>{marks}</div>'
        self._list()

    def _list(self) -> None:
        """One row for each hint; rows are made once and used again."""
        import ipywidgets as w

        while len(self.rows) < len(self.hints):
            number, short = len(self.rows), w.Layout(width="auto", flex="0 0 auto")
            buttons = [w.Button(description=word, layout=short) for word in ("move", "remove")]
            buttons[0].on_click(lambda _, n=number: self._select(n, moving=True))
            buttons[1].on_click(lambda _, n=number: self.remove(n))
            self.rows.append(row([w.HTML(), *buttons]))
        for number, (x, y, color) in enumerate(self.hints):
            label, *buttons = self.rows[number].children
            label.value = f"x {x:g}, y {y:g}, {swatch(color)}"
            if self.moving and number == self.selected:
                label.value += " <b>Click its new place.</b>"
            for button in buttons:
                button.tooltip = f"{button.description} hint {number + 1}, {color}"
        self.controls["hints"].children = self.rows[: len(self.hints)]

    # The full size

    def full_size(self, progress: Callable[[float], None] | None = None) -> Image.Image:
        """The photograph at its own size, as the line of code makes it."""
        settings = self.settings()._asdict()
        return colorize_photo(self.image, self.model, **settings, progress=progress)

    def save(self, _: object = None) -> None:
        """Make the full-size picture, keep it as figures/NAME-coloured, and offer it as a link."""
        ending = Path(self.name).suffix.lower()
        ending = ending if ending in FORMATS else ".png"
        path = paths.figures() / f"{safe_name(Path(self.name).stem)}-coloured{ending}"
        (height, width), link, bar = (
            self.preview.photo,
            *map(self.controls.get, ("link", "progress")),
        )
        bar.value, bar.layout.display = 0, "flex"
        with self.busy(f"Making {width} × {height} pixels"):
            try:
                made = self.full_size(lambda share: bar.set_trait("value", share))
                with tempfile.TemporaryDirectory() as folder:
                    save_image(made, Path(folder) / path.name)
                    body = (Path(folder) / path.name).read_bytes()
            except (OSError, ValueError, MemoryError, RuntimeError) as error:
                link.value = f"Not made: {html.escape(str(error) or type(error).__name__)}"
                return
            finally:
                bar.layout.display = "none"
        try:
            path = free_path(path)
            with paths.replacing(path) as part:
                part.write_bytes(body)
            said = f"Saved as {path}"
            offer(path)
        except OSError as error:
            said = f"Not saved ({error.strerror})"
        kind, data = FORMATS[ending].lower(), base64.b64encode(body).decode()
        name = html.escape(path.name)
        link.value = (
            f'{html.escape(said)}; <a download="{name}" href="data:image/{kind};base64,{data}">'
            f"download {name}</a> ({len(body) / 1e6:.1f} MB)"
        )

    def still(self) -> str:
        """The preview at some levels of vividness, as HTML that needs no kernel."""
        settings, gray = self.settings(), np.asarray(self.preview.input().convert("RGB"))
        colored = [self.preview.colored(settings._replace(vividness=level)) for level in LEVELS]
        true = self.image.resize(colored[0].size, Image.Resampling.BOX, reducing_gap=2)
        strip = np.concatenate([gray, *map(np.asarray, (*colored, true))], axis=1)
        last = "own colours, not used" if self.preview.own_colors else "photograph"
        return static_page([strip], [self.name], "input: luma", 300, last)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Say what is being done as long as it takes."""
        self.controls["busy"].value = f'<span role="status">{html.escape(what)}…</span>'
        try:
            yield
        finally:
            self.controls["busy"].value = ""

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Set controls without what follows when a reader does."""
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before


def _mark(kind: str, x: float, y: float, style: str = "") -> str:
    """A dot or a cross at shares of width and height."""
    return f'<div class="{kind}" style="left:{x:.2%};top:{y:.2%}{style}"></div>'
