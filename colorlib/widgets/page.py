"""What the widgets share: controls, rows that wrap, clicks, keys, names for screen readers, saving.

Clicks and keys need no extension: a script in the page's own HTML writes them into a hidden text
field, whose value the kernel sees.
"""

import base64
import html
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from colorlib import paths

if TYPE_CHECKING:
    from ipywidgets import Box, Widget

STYLE, SCRIPT = (
    Path(__file__).with_name(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
)
# HTML in a widget runs no script but what stands in an attribute.
WIRE = f"""<style>{STYLE}</style><img alt="" style="width: 0" onload="{html.escape(SCRIPT)}"
 src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">"""


class Tool:
    """Widgets by name in `controls`, together in `box`, and what they do."""

    controls: dict[str, Any]
    box: "Box"
    act: Callable[..., None]  # see `page`
    still: Callable[[], str] | None = None  # HTML that stands in where no kernel runs
    quiet = False

    def watch(self, control: "Widget", act: Callable[[Any], None]) -> "Widget":
        """Call act(new value) whenever a reader changes the control."""
        control.observe(lambda change: None if self.quiet else act(change["new"]), "value")
        return control

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Set controls without what follows when a reader does."""
        self.quiet = True
        try:
            yield
        finally:
            self.quiet = False

    def slider(
        self, text: str, value: float, top: float, act: Callable[[Any], None], **more: object
    ) -> "Widget":
        """A slider from 0 to `top`: of floats if they are, else of integers."""
        import ipywidgets as w

        kind = w.FloatSlider if isinstance(top, float) else w.IntSlider
        layout, style = w.Layout(width="100%", max_width="460px"), {"description_width": "110px"}
        options = {"min": 0, "max": top, "layout": layout, "style": style} | more
        return self.watch(kind(value, description=text, **options), act)

    def button(self, text: str, act: Callable[[], None], tip: str = "", **more: object) -> "Widget":
        """A button as wide as its text."""
        import ipywidgets as w

        options = {"tooltip": tip or text, "layout": w.Layout(width="auto")} | more
        made = w.Button(description=text, **options)
        made.on_click(lambda _: act())
        return made

    def page(self, children: Sequence["Widget"], text: str) -> "Box":
        """The box: the widgets below each other. text: what stands in where no kernel runs.

        act("click", x, y) is called for a click on what has the class `colorlib-pick`, x and y as
        shares of its width and height; act("key", "left") for an arrow key that no slider or field
        takes; and act with the words in `data-send` of a button in HTML. A text or picture is named
        for screen readers by `data-alt` in the same box.
        """
        import ipywidgets as w

        tool = self

        class Page(w.VBox):
            def __repr__(self) -> str:
                return f"({text}, where a kernel runs)"

            def _repr_mimebundle_(self, **options: object) -> dict:
                bundle = super()._repr_mimebundle_(**options) or {}
                return bundle | ({"text/html": tool.still()} if tool.still else {})

        def read(sent: str) -> None:
            kind, *words, _ = sent.split()  # the last is the time, so that no two are the same
            if kind != "click":
                self.act(kind, *words)
            elif all(0 <= float(word) < 1 for word in words):
                self.act(kind, *map(float, words))

        field = self.watch(w.Text(), read)
        field.add_class("colorlib-sent")
        box = Page([*children, field, w.HTML(WIRE)])
        box.add_class("colorlib-widget")
        box.sent, box.controls, box.tool = field, self.controls, self
        return box


def row(children: Sequence["Widget"]) -> "Box":
    """Widgets side by side; on a narrow page below each other."""
    import ipywidgets as w

    layout = w.Layout(flex_flow="row wrap", align_items="center", overflow="visible")
    return w.Box(list(children), layout=layout)


def encoded(image: Image.Image, kind: str = "JPEG") -> bytes:
    """An image as a JPEG, its colours at full resolution, or as a PNG that is packed quickly."""
    body = io.BytesIO()
    image.convert("RGB").save(body, kind, quality=90, subsampling=0, compress_level=1)
    return body.getvalue()


def picture(image: Image.Image, alt: str) -> str:
    """An image as HTML."""
    data = base64.b64encode(encoded(image)).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/jpeg;base64,{data}">'


def hexadecimal(color: Sequence[int]) -> str:
    """An 8-bit RGB triple as "#RRGGBB"."""
    return "#{:02X}{:02X}{:02X}".format(*color)


def swatch(color: str) -> str:
    """A colour "#RRGGBB" as HTML: a patch of it and its name."""
    return f'<span style="background: {color}; outline: 1px solid #888">&emsp;</span> {color}'


def safe_name(name: str) -> str:
    """A name from outside as a file name: without folders, and without what means more in HTML."""
    return re.sub(r"[^\w.() -]+", "-", name).lstrip(".")


def keep(body: bytes, path: Path) -> str:
    """Write a file as NAME, or NAME-2, NAME-3 where there is one: a sentence that says where.

    It is also offered for download where the kernel runs elsewhere.
    """
    from colorlib.environment import offer

    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    try:
        with paths.replacing(free) as part:
            part.write_bytes(body)
    except OSError as error:
        return f"Not saved: {error.strerror}"
    offer(free)
    return f"Saved as {free}"
