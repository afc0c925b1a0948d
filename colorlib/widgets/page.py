"""What the widgets share on the page: rows that wrap, clicks, keys, names for screen readers.

Clicks and keys need no extension: a script in the page's own HTML writes them into a hidden text
field, whose value the kernel sees.
"""

import base64
import html
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from ipywidgets import Box, Widget

STYLE, SCRIPT = (
    Path(__file__).with_name(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
)
# HTML in a widget runs no script but what stands in an attribute.
WIRE = f"""<style>{STYLE}</style><img alt="" style="width: 0" onload="{html.escape(SCRIPT)}"
 src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">"""


def row(children: Sequence["Widget"]) -> "Box":
    """Widgets side by side; on a narrow page below each other."""
    import ipywidgets as w

    layout = w.Layout(flex_flow="row wrap", align_items="center", overflow="visible")
    return w.Box(list(children), layout=layout)


def page(
    children: Sequence["Widget"],
    act: Callable[..., None],
    text: str,
    still: Callable[[], str] | None = None,
) -> "Box":
    """The widgets below each other; act("click", x, y) and act("key", "left") are called.

    x, y: shares of the width and height of the picture that was clicked. "left" or "right" is an
    arrow key that no slider or field takes. A text or picture is named for screen readers by
    `data-alt` in the same box; pictures of the class `colorlib-pick` take clicks. text: what stands
    in where no kernel runs; still: makes the HTML that does.
    """
    import ipywidgets as w

    class Page(w.VBox):
        def __repr__(self) -> str:
            return f"({text}, where a kernel runs)"

        def _repr_mimebundle_(self, **options: object) -> dict:
            bundle = super()._repr_mimebundle_(**options) or {}
            return bundle | ({"text/html": still()} if still else {})

    field, script = w.Text(), w.HTML(WIRE)
    field.add_class("colorlib-sent")

    def read(change: dict) -> None:
        try:
            kind, *words, _ = change["new"].split()
            if kind == "click":
                x, y = map(float, words)
                words = [x, y]
        except ValueError:  # not what the script writes
            return
        act(kind, *words)

    field.observe(read, "value")
    made = Page([*children, field, script])
    made.add_class("colorlib-widget")
    made.sent = field
    return made


def png(image: Image.Image) -> bytes:
    """An image as PNG, packed quickly: for what is only shown."""
    body = io.BytesIO()
    image.save(body, "PNG", compress_level=1)
    return body.getvalue()


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """An image as JPEG, its colours at full resolution."""
    body = io.BytesIO()
    image.convert("RGB").save(body, "JPEG", quality=quality, subsampling=0)
    return body.getvalue()


def picture(image: Image.Image, alt: str) -> str:
    """An image as HTML."""
    data = base64.b64encode(jpeg(image)).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/jpeg;base64,{data}">'


def swatch(color: str) -> str:
    """A colour "#RRGGBB" as HTML: a patch of it and its name."""
    return f'<span style="background: {color}; outline: 1px solid #888">&emsp;</span> {color}'


def safe_name(name: str) -> str:
    """A name from outside as a file name: without folders, and without what means more in HTML."""
    return re.sub(r"[^\w.() -]+", "-", name).lstrip(".")


def free_path(path: Path) -> Path:
    """The path, or the next NAME-2, NAME-3 that no file has: nothing is overwritten."""
    number, tried = 2, path
    while tried.exists():
        tried = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return tried
