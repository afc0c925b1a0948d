"""A small browser of precomputed pictures in one piece of HTML: where no kernel runs."""

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from colorlib.color import to_gray
from colorlib.datasets.arrays import to_images, to_tensor
from colorlib.model import ColorNet, colorize
from colorlib.widgets.page import encoded

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
SHOWN = 40  # images
TEMPLATE = Path(__file__).with_name("static_viewer.html")
VIEW = """<figure style="margin: 0; flex: 1 1 {side}px; max-width: {side}px"><div class="view"
 style="width: 100%; aspect-ratio: {width} / {height}; background-size: {columns}00% auto{style}">
</div><figcaption>{title}</figcaption></figure>"""


def viewer(
    images: np.ndarray,
    model: ColorNet,
    given: str = "value",
    name: Callable[[int], str] = "image {}".format,
) -> str:
    """HTML that turns over the first uint8 images (N, H, W, 3); name(i): what image i is called."""
    images = images[:SHOWN]
    truth = to_tensor(images)
    gray = to_gray(truth, given)
    columns = [gray.expand(-1, 3, -1, -1), *(colorize(model, gray, given, v) for v in LEVELS)]
    rows = np.concatenate([*(to_images(column) for column in columns), images], axis=2)
    return static_page(rows, [name(i) for i in range(len(images))], f"input: {given}", 160)


def static_page(
    rows: np.ndarray, names: list[str], title: str, side: int, last: str = "truth"
) -> str:
    """HTML that turns over rows of pictures, uint8 (N, H, 7 W, 3): the input, `LEVELS`, the truth.

    It needs no Python and nothing from another host, and has no element id, so that a page may
    hold several. Where scripts do not run (GitHub) a still picture shows the same. title,
    last: of the first and the last column. side: of a picture on the page, in pixels.
    """
    sheet, columns = Image.fromarray(np.concatenate(rows)), len(LEVELS) + 2
    width, height = rows.shape[2] // columns, rows.shape[1]
    style = "; image-rendering: pixelated" if width < side else ""
    shape = {"side": side, "columns": columns, "width": width, "height": height, "style": style}
    about = {"names": names, "levels": [f"{level:g}" for level in LEVELS]}
    data = base64.b64encode(encoded(sheet)).decode()
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        about=html.escape(json.dumps(about)),
        alt=f"Pictures: {title}, coloured at five levels of vividness, {last}",
        legend=f"Left to right: {title}, vividness 0 to 1, {last}.",
        source=f"data:image/jpeg;base64,{data}",
        views="".join(VIEW.format(title=text, **shape) for text in (title, "prediction", last)),
        wide=f"{3 * side + 24}px",
    )
