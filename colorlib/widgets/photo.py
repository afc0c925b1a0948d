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
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageColor

from colorlib import paths, peers
from colorlib.datasets.image_files import read_rgb, to_rgb
from colorlib.model import ColorNet
from colorlib.photos.colorize_photo import INNER, check_setting, colorize_photo, network, open_photo
from colorlib.photos.hints import PALETTE
from colorlib.photos.image_output import FORMATS, save_image
from colorlib.photos.preview import SIDE, Preview, Settings, code_line
from colorlib.widgets.hints import Hints
from colorlib.widgets.page import Tool, encoded, hexadecimal, keep, picture, row, safe_name
from colorlib.widgets.static_viewer import LEVELS, static_page

if TYPE_CHECKING:
    from ipywidgets import Box

SAMPLE = "chelsea.png"  # of scikit-image's wheel, as the built-in sample
ABOUT_UPLOAD = """up to 10 MB (Jupyter's limit); a larger one by its path:
 <code>photo_tool(image="photo.jpg")</code>"""
ABOUT_HINTS = """<b>Hints.</b> Click a place in the picture and choose its colour. Click a dot, then
 its new place, to move it."""
WIPE = """<label class="wipe">grey <input type="range" min="0" max="100" value="0"
 aria-label="Wipe: per cent of the picture, from the left, that shows the grey photograph">
 coloured</label>"""


def uploaded(value: dict | tuple) -> list[tuple[str, bytes]]:
    """(name, content) of the files of a FileUpload: a dict in ipywidgets 7, a tuple in 8."""
    if isinstance(value, dict):
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]


def photo_tool(
    model: str | Path | ColorNet = "photo",
    image: str | Path | Image.Image | np.ndarray | None = None,
    vividness: float = 0.5,
    size: int = INNER,
) -> "Box":
    """Colour a photograph of one's own: an ipywidgets box, its `PhotoTool` as `tool`.

    model: a shipped name, a file, or a ColorNet. image: a path, a Pillow image or a uint8 array
    (H, W) or (H, W, 3) to begin with; else a sample photograph. Raises ValueError for a published
    network, and for images and settings that `colorize_photo` does not take.
    """
    check_setting(vividness, size)
    if not (image is None or isinstance(image, str | Path | Image.Image)):
        image = Image.fromarray(open_photo(image)[0])
    # by its name a published network would be fetched first
    published = isinstance(model, str) and model in peers.OFFICIAL
    if published or not isinstance(net := network(model), ColorNet):
        raise ValueError("model: the photo tool is for our own networks, such as 'photo'")
    named = repr(str(model)) if isinstance(model, str | Path) else "model"
    tool = PhotoTool(net, None if model == "photo" else named, vividness, size)
    tool.begin(image)
    return tool.box


class PhotoTool(Tool):
    """The widgets of the photo tool, by name in `controls`, and what they do.

    model_code: the network as Python code.
    """

    def __init__(self, model: ColorNet, model_code: str | None, vividness: float, size: int):
        import ipywidgets as w

        self.model, self.model_code = model, model_code
        self.preview: Preview | None = None
        self.seed: int | None = None
        texts = ("busy", "said", "before", "over", "original", "hints", "code", "link")
        sizes = {"min": 32, "step": 16, "continuous_update": False}
        patch = w.Layout(width="52px", margin="2px")
        c = self.controls = {name: w.HTML() for name in texts} | {
            "upload": w.FileUpload(accept="image/*", multiple=False),
            "progress": w.FloatProgress(0, max=1, layout=w.Layout(width="150px", display="none")),
            "picture": w.Image(format="jpeg"),
            "vividness": self.slider("vividness", vividness, 1.0, self.show, step=0.05),
            "size": self.slider(
                "working size", size, max(256, size), lambda _: self.draw(self.seed), **sizes
            ),
            "another": self.button(
                "another",
                lambda: self.draw((self.seed or 0) + 1),
                "Draw other plausible colours at random",
                disabled=not self.model.config["hints"],
            ),
            "mean": self.button("back to the mean", lambda: self.draw(None)),
            "x": self.slider("place: x", 0, 1, self._drag),
            "y": self.slider("place: y", 0, 1, self._drag),
            "palette": [
                self.button("", lambda i=i: self.color(self.offered[i]), layout=patch)
                for i in range(PALETTE)
            ],
            "picker": w.ColorPicker(concise=True, description="any other"),
            "save": self.button(
                "save full size", self.save, "Make, save and offer the full-size picture"
            ),
        }
        self.watch(c["upload"], self.receive)
        self.watch(c["picker"], lambda color: self.color(hexadecimal(ImageColor.getrgb(color)[:3])))
        stack = w.Box([c["before"], c["picture"], c["over"]])
        stack.add_class("colorlib-stack")
        self.column = w.Layout(flex="1 1 220px", max_width=f"{SIDE}px", margin="0")
        c["original"].layout = self.column
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
            parts += [w.HTML(ABOUT_HINTS), w.VBox([c["x"], c["y"]]), c["colors"], c["hints"]]
        else:
            parts += [w.HTML("This network takes no hints; the network <code>photo</code> does.")]
        parts += [c["code"], row([c["save"], c["link"]])]
        self.box = self.page(parts, "the photo tool: upload, sliders, hints")
        self.box.add_class("colorlib-photo")

    # The photograph

    def begin(self, image: str | Path | Image.Image | None) -> None:
        """Take a photograph; without one, or where it cannot be read, the sample."""
        import skimage.data

        if isinstance(image, Image.Image):
            self.take(image, "photo.png", "image")
        elif image is not None:
            self.take(Path(image), Path(image).name, repr(str(image)))
        if self.preview is None:
            failed, said = self.controls["said"].value, self.controls["said"]
            sample = Path(skimage.data.__file__).parent / SAMPLE
            self.take(sample, SAMPLE, f"skimage.data.{sample.stem}()")
            said.value = f"{failed} {said.value}".strip()

    def take(self, source: Image.Image | Path | io.BytesIO, name: str, code: str) -> None:
        """Show another photograph; a sentence says why where it cannot be read."""
        c = self.controls
        with self.busy(f"Reading {name}"):
            try:
                image = to_rgb(source) if isinstance(source, Image.Image) else read_rgb(source)
                preview = Preview(image, self.model)
            except (OSError, ValueError, MemoryError) as error:
                why = getattr(error, "strerror", None) or str(error).removeprefix(f"{source}: ")
                c["said"].value = html.escape(f"{name}: {why or type(error).__name__}")
                return
        self.image, self.preview, self.name, self.source = image, preview, name, code
        self.hints = Hints(*preview.photo)
        grey, (height, width) = preview.input(), preview.photo
        self.column.max_width = f"{round(SIDE * width / max(width, height))}px"
        c["said"].value = f"{html.escape(name)}, {width} × {height} pixels."
        c["before"].value = picture(grey, "The photograph in grey, the input")
        c["original"].value = ""
        if preview.own_colors:
            c["said"].value += " The photograph has colours of its own. They are not used."
            original = picture(self._small(grey.size), "The photograph in its own colours")
            about = "<figcaption>the photograph's own colours, not used</figcaption>"
            c["original"].value = f"<figure>{original}{about}</figure>"
        with self.silently():
            for axis, side in (("x", width), ("y", height)):
                c[axis].max = max(side - 1, 1)
                c[axis].value = side // 2
        c["code"].value = ""  # it may be the same of another photograph
        self.draw(None)

    def _small(self, size: tuple[int, int]) -> Image.Image:
        """The photograph at the preview's size."""
        return self.image.resize(size, Image.Resampling.BOX, reducing_gap=2)

    def receive(self, value: dict | tuple) -> None:
        """Take what was uploaded."""
        for name, content in uploaded(value)[-1:]:
            self.take(io.BytesIO(content), name, repr(name))

    def settings(self) -> Settings:
        """What the sliders, hints and buttons say."""
        vividness, size = (self.controls[name].value for name in ("vividness", "size"))
        return Settings(round(vividness, 2), size, self.hints.as_tuples(), self.seed)

    def draw(self, seed: int | None) -> None:
        """Show the photograph in colours that the seed draws by chance, or in the mean."""
        self.seed, self.controls["mean"].disabled = seed, seed is None
        with self.busy("Colouring"):
            self.show()

    def show(self, _: float | None = None) -> None:
        """Recolour the preview if the line of code changes; draw the hints and the palette."""
        c, settings = self.controls, self.settings()
        line = html.escape(code_line(self.source, settings, self.model_code))
        code = f"The same picture at full size:<pre>{line}</pre>"
        if code != c["code"].value:
            c["picture"].value = encoded(self.preview.colored(settings))
            c["code"].value, c["link"].value = code, ""
        c["over"].value, c["hints"].value = self.hints.marks(), self.hints.lines()
        place = self.hints.place
        c["colors"].layout.display = "none" if place is None else "flex"
        if place is None:
            return
        others = tuple(hint for hint in settings.hints if hint[:2] != place)
        found = self.preview.palette(*place, settings.size, others)
        self.offered = [color for color, _ in found]
        for made, (color, share) in zip(c["palette"], found, strict=True):
            made.style.button_color = made.tooltip = color
            made.description = "<1 %" if share < 0.005 else f"{100 * share:.0f} %"
        with self.silently():
            c["x"].value, c["y"].value = place
            c["picker"].value = self.hints.colors.get(place, self.offered[0])

    # Hints

    def act(self, kind: str, *words: Any) -> None:
        """A click on the picture, or a button in the list of hints."""
        if kind == "click":
            self.hints.click(*words)
        elif kind != "key":
            self.hints.choose(int(words[0]), kind)
        self.show()

    def _drag(self, _: int) -> None:
        """The sliders of the place: they move a moving dot, else the cross."""
        self.hints.go(self.controls["x"].value, self.controls["y"].value)
        self.show()

    def color(self, color: str) -> None:
        """Give the hint at the place, an old or a new one, this colour ("#RRGGBB")."""
        self.hints.color(color)
        self.show()

    # The full size

    def full_size(self, progress: Callable[[float], None] | None = None) -> Image.Image:
        """The photograph at its own size, as the line of code makes it."""
        settings = self.settings()._asdict()
        return colorize_photo(self.image, self.model, **settings, progress=progress)

    def save(self) -> None:
        """Make the full-size picture, keep it as figures/NAME-coloured, and offer it as a link."""
        ending = Path(self.name).suffix.lower()
        ending = ending if ending in FORMATS else ".png"
        path = paths.figures() / f"{safe_name(Path(self.name).stem)}-coloured{ending}"
        (height, width), link = self.preview.photo, self.controls["link"]
        bar = self.controls["progress"]
        bar.value, bar.layout.display = 0, "flex"
        with (
            self.busy(f"Making {width} × {height} pixels"),
            tempfile.TemporaryDirectory() as folder,
        ):
            try:
                made = self.full_size(lambda share: bar.set_trait("value", share))
                save_image(made, Path(folder) / path.name)
                body = (Path(folder) / path.name).read_bytes()
            except (OSError, ValueError, MemoryError, RuntimeError) as error:
                link.value = f"Not made: {html.escape(str(error) or type(error).__name__)}"
                return
            finally:
                bar.layout.display = "none"
        said, name = html.escape(keep(body, path)), html.escape(path.name)
        kind, data = FORMATS[ending].lower(), base64.b64encode(body).decode()
        link.value = (
            f'{said}; <a download="{name}" href="data:image/{kind};base64,{data}">download {name}'
            f"</a> ({len(body) / 1e6:.1f} MB)"
        )

    def still(self) -> str:
        """The preview at some levels of vividness, as HTML that needs no kernel."""
        settings, gray = self.settings(), self.preview.input()
        colored = [self.preview.colored(settings._replace(vividness=level)) for level in LEVELS]
        pictures = [gray.convert("RGB"), *colored, self._small(gray.size)]
        strip = np.concatenate([np.asarray(picture) for picture in pictures], axis=1)
        last = "own colours, not used" if self.preview.own_colors else "photograph"
        return static_page(strip[None], [self.name], "input: luma", 300, last)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Say what is being done as long as it takes."""
        self.controls["busy"].value = f'<span role="status">{html.escape(what)}…</span>'
        try:
            yield
        finally:
            self.controls["busy"].value = ""
