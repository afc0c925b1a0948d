"""The photo tool: a photograph in colour, with sliders, hints and other plausible colourings.

What is on the page is a preview (photos/preview.py). The full-size picture is made when it is
saved, and the tool shows the line of code that makes the same picture. Clicks need no extension:
scripts in the page's own HTML write where the click was into a hidden text field.
"""

import base64
import html
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image, ImageColor

from colorlib import paths
from colorlib.datasets.image_files import read_rgb, to_rgb
from colorlib.environment import offer
from colorlib.model import ColorNet
from colorlib.photos.colorize_photo import INNER, check_setting, colorize_photo, network
from colorlib.photos.hints import PALETTE, Hint
from colorlib.photos.image_output import FORMATS, save_image
from colorlib.photos.preview import SIDE, Preview, Settings, code_line
from colorlib.widgets.page import safe_name

NEAR = 0.03  # of the longer side: a click this close to a dot means the dot
SAMPLE = "chelsea.png"  # of scikit-image's wheel, as the built-in sample

STYLE = """<style>
.colorlib-stack {display: grid; position: relative; overflow: hidden; cursor: crosshair}
.colorlib-stack > * {grid-area: 1 / 1; margin: 0 !important; width: 100% !important; min-width: 0}
.colorlib-stack .widget-html-content {width: 100%; height: 100%; line-height: 0}
.colorlib-stack img, .colorlib-photo figure img {width: 100%; display: block}
.colorlib-stack > img {clip-path: inset(0 0 0 var(--wipe, 0%)); height: 100% !important}
.colorlib-colors .widget-button {color: #000; padding: 0; text-shadow: 0 0 2px #fff, 0 0 2px #fff,
  0 0 3px #fff, 0 0 3px #fff}
.colorlib-click {display: none !important}
.colorlib-photo .over {position: relative; width: 100%; height: 100%}
.colorlib-photo .over > * {position: absolute; transform: translate(-50%, -50%);
  pointer-events: none}
.colorlib-photo .dot {width: 12px; height: 12px; border-radius: 50%; border: 2px solid #fff;
  box-shadow: 0 0 0 1px #000; box-sizing: content-box}
.colorlib-photo .chosen {box-shadow: 0 0 0 1px #000, 0 0 0 4px #fff, 0 0 0 5px #000}
.colorlib-photo .cross {width: 16px; height: 16px; background:
  linear-gradient(#fff, #fff) 50% / 2px 100% no-repeat,
  linear-gradient(#fff, #fff) 50% / 100% 2px no-repeat; filter: drop-shadow(0 0 1px #000)}
.colorlib-photo .line {top: 50%; left: var(--wipe, 0%); width: 2px; height: 100%;
  background: #fff; box-shadow: 0 0 1px #000}
.colorlib-photo a {text-decoration: underline}
.colorlib-photo figure {margin: 0; line-height: 1.4}
.colorlib-photo label.wipe {display: flex; gap: 6px; align-items: center; line-height: 1.4}
.colorlib-photo label.wipe input {flex: 1; min-width: 0}
.colorlib-photo pre {white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; line-height: 1.4;
  user-select: all}
.colorlib-photo .widget-html-content {line-height: 1.4}
</style>"""
ABOUT_UPLOAD = """up to 10 MB (Jupyter's limit); a larger one by its path:
 <code>photo_tool(image="photo.jpg")</code>"""
WIPE = """<label class="wipe">grey <input type="range" min="0" max="100" value="0"
 aria-label="Wipe: per cent of the picture, from the left, that shows the grey photograph"
 oninput="this.closest('.colorlib-photo').querySelector('.colorlib-stack').style.setProperty(
 '--wipe', this.value + '%')"> coloured</label>"""
# One pixel that names pictures, sliders and fields for screen readers: ipywidgets leaves this out
NAMED = """<img alt="" style="width: 0" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
 onload="var tool = this.closest('.colorlib-photo'); setTimeout(function () {
 tool.querySelectorAll('img.widget-image').forEach(function (picture) {
 picture.alt = 'The photograph in the colours of the network'; });
 tool.querySelectorAll('.widget-inline-hbox').forEach(function (row) {
 var label = row.querySelector('.widget-label');
 var part = row.querySelector('.noUi-handle, .ui-slider-handle, input');
 if (label && part) { part.setAttribute('aria-label', label.textContent); } }); }, 300)">"""
CLICK = """var box = this.getBoundingClientRect(), sent = this.closest('.colorlib-photo')
 .querySelector('.colorlib-click input'); sent.value = [(event.clientX - box.left) / box.width,
 (event.clientY - box.top) / box.height, Date.now()].join(' '); ['input', 'change'].forEach(
 function (kind) { sent.dispatchEvent(new Event(kind, {bubbles: true})); });"""
# Chromium downloads no data address beyond 2 MB, but a blob of any size. `URL` alone would be the
# page's address here.
DOWNLOAD = """var link = this; if (link.href.startsWith('data:')) { event.preventDefault();
 fetch(link.href).then(function (answer) { return answer.blob(); }).then(function (blob) {
 link.href = window.URL.createObjectURL(blob); link.click(); }); }"""


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
):
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

        def slider(kind: type, act: Callable, *args, live=True, **options):
            made = kind(*args, style=style, layout=wide, continuous_update=live, **options)
            made.observe(act, "value")
            return made

        def button(text: str, act: Callable, tip: str = "", **options):
            made = w.Button(description=text, tooltip=tip or text, layout=short, **options)
            made.on_click(act)
            return made

        c["upload"] = w.FileUpload(accept="image/*", multiple=False)
        c["upload"].observe(self.received, "value")
        c["busy"], c["said"], c["code"], c["link"] = (w.HTML() for _ in range(4))
        c["before"], c["over"], c["original"] = (w.HTML() for _ in range(3))
        c["picture"] = w.Image(format="jpeg")
        c["click"] = w.Text()
        c["click"].add_class("colorlib-click")
        c["click"].observe(self._clicked, "value")
        c["vividness"] = slider(
            w.FloatSlider, self.show, vividness, min=0, max=1, step=0.05, description="vividness"
        )
        c["size"] = slider(
            w.IntSlider, self._resized, size, min=32, max=max(256, size), step=16, live=False,
            description="working size",
        )  # fmt: skip
        c["another"] = button("another", self.another, "Draw other plausible colours by chance")
        c["mean"] = button("back to the mean", self.to_mean, disabled=True)
        c["x"], c["y"] = (
            slider(w.IntSlider, self._dragged, 0, 0, 1, description=f"place: {axis}")
            for axis in "xy"
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
        c["colors"] = _row([*c["palette"], c["picker"]])
        c["colors"].add_class("colorlib-colors")
        top = w.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="8px")
        parts = [
            w.HTML(STYLE),
            _row([c["upload"], w.HTML(ABOUT_UPLOAD)]),
            _row([c["busy"], c["said"]]),
            w.Box([w.VBox([stack, w.HTML(WIPE)], layout=self.column), c["original"]], layout=top),
            w.VBox([c["vividness"], c["size"]]),
            _row([c["another"], c["mean"]]),
        ]
        if self.model.config["hints"]:
            about = "<b>Hints.</b> Click a place in the picture and choose its colour. "
            about += "Click a dot, then its new place, to move it."
            parts += [w.HTML(about), w.VBox([c["x"], c["y"]]), c["colors"], c["hints"]]
        else:
            parts += [w.HTML("This network takes no hints; the network <code>photo</code> does.")]
            c["another"].disabled = True
        parts += [c["click"], c["code"], _row([c["save"], c["link"]])]

        class Box(w.VBox):
            def __repr__(self) -> str:
                return "(the photo tool: upload, sliders and hints, where a kernel runs)"

        self.box = Box(parts)
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
            self.controls["before"].value = _picture(grey, "The photograph in grey, the input")
            original = image.resize(grey.size, Image.Resampling.BOX, reducing_gap=2)
            shown = _picture(original, "The original photograph in its own colours")
            shown = (
                f"<figure>{shown}<figcaption>the original colours, not used</figcaption></figure>"
            )
            self.controls["original"].value = shown if preview.own_colors else ""
            with self.silently():
                for axis, side in (("x", width), ("y", height)):
                    self.controls[axis].max = max(side - 1, 1)
                    self.controls[axis].value = side // 2
            self.show()
            self._point(None)

    def received(self, _=None) -> None:
        """Take what was uploaded."""
        file = uploaded(self.controls["upload"].value)
        if file:
            name, content = file
            self.take(io.BytesIO(content), name, repr(name))

    def settings(self) -> Settings:
        """What the sliders, hints and buttons say."""
        size, hints = self.controls["size"].value, tuple(self.hints)
        return Settings(round(self.controls["vividness"].value, 2), size, hints, self.seed)

    def show(self, _=None) -> None:
        """Recolour the preview, and write the line of code."""
        picture = self.preview.colored(self.settings())
        self.controls["picture"].value = _jpeg(picture)
        line = html.escape(code_line(self.source, self.settings(), self.model_code))
        self.controls["code"].value = f"The same picture at full size:<pre>{line}</pre>"
        self.controls["link"].value = ""

    def _resized(self, _) -> None:
        with self.busy("Colouring"):
            self.show()
            self._offer()

    # Other colourings

    def another(self, _=None) -> None:
        """Draw other colours by chance: the next seed."""
        self._show_seed((self.seed or 0) + 1)
        with self.busy("Colouring"):
            self.show()

    def to_mean(self, _=None) -> None:
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

    def _clicked(self, change) -> None:
        with suppress(ValueError):
            x, y = (float(word) for word in change["new"].split()[:2])
            self.click(x, y)

    def _dragged(self, _) -> None:
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

    def _picked(self, change) -> None:
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
        words += 'set it with the sliders below." onclick="' + html.escape(CLICK) + '"'
        self.controls["over"].value = f'<div class="over" {words}>{marks}{NAMED}</div>'
        self._list()

    def _list(self) -> None:
        """One row for each hint; rows are made once and used again."""
        import ipywidgets as w

        while len(self.rows) < len(self.hints):
            number, short = len(self.rows), w.Layout(width="auto", flex="0 0 auto")
            buttons = [w.Button(description=word, layout=short) for word in ("move", "remove")]
            buttons[0].on_click(lambda _, n=number: self._select(n, moving=True))
            buttons[1].on_click(lambda _, n=number: self.remove(n))
            self.rows.append(_row([w.HTML(), *buttons]))
        for number, (x, y, color) in enumerate(self.hints):
            label, *buttons = self.rows[number].children
            chosen = (
                " <b>Click its new place.</b>" if self.moving and number == self.selected else ""
            )
            label.value = (
                f'<span style="background:{color}">&emsp;</span> x {x:g}, y {y:g}, {color}'
            )
            label.value += chosen
            for button in buttons:
                button.tooltip = f"{button.description} hint {number + 1}, {color}"
        self.controls["hints"].children = self.rows[: len(self.hints)]

    # The full size

    def full_size(self) -> Image.Image:
        """The photograph at its own size, as the line of code makes it."""
        return colorize_photo(self.image, self.model, **self.settings()._asdict())

    def save(self, _=None) -> None:
        """Make the full-size picture, keep it as figures/NAME-coloured, and offer it as a link."""
        ending = Path(self.name).suffix.lower()
        ending = ending if ending in FORMATS else ".png"
        name = f"{safe_name(Path(self.name).stem)}-coloured{ending}"
        height, width = self.preview.photo
        path, link = paths.figures() / name, self.controls["link"]
        link.value = what = f"Making {width} × {height} pixels"
        with self.busy(what):
            try:
                with tempfile.TemporaryDirectory() as folder:
                    save_image(self.full_size(), Path(folder) / name)
                    body = (Path(folder) / name).read_bytes()
            except (OSError, ValueError, MemoryError, RuntimeError) as error:
                link.value = f"Not made: {html.escape(str(error) or type(error).__name__)}"
                return
            try:
                with paths.replacing(path) as part:
                    part.write_bytes(body)
                said, saved = f"Saved as {path}", True
            except OSError as error:
                said, saved = f"Not saved ({error.strerror})", False
            kind, data = FORMATS[ending].lower(), base64.b64encode(body).decode()
            link.value = (
                f'{html.escape(said)}; <a download="{html.escape(name)}" '
                f'href="data:image/{kind};base64,{data}" onclick="{html.escape(DOWNLOAD)}">'
                f"download {html.escape(name)}</a> ({len(body) / 1e6:.1f} MB)"
            )
        if saved:
            offer(path)

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


def _row(children: list):
    """Widgets side by side; on a narrow page below each other."""
    import ipywidgets as w

    return w.Box(children, layout=w.Layout(flex_flow="row wrap", align_items="center"))


def _jpeg(image: Image.Image) -> bytes:
    body = io.BytesIO()
    image.convert("RGB").save(body, "JPEG", quality=90, subsampling=0)
    return body.getvalue()


def _picture(image: Image.Image, alt: str) -> str:
    """An image as HTML."""
    data = base64.b64encode(_jpeg(image)).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/jpeg;base64,{data}">'


def _mark(kind: str, x: float, y: float, style: str = "") -> str:
    """A dot or a cross at shares of width and height."""
    return f'<div class="{kind}" style="left:{x:.2%};top:{y:.2%}{style}"></div>'
