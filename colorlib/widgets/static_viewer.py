"""A small browser of precomputed pictures in one piece of HTML: where no kernel runs."""

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from colorlib.color import to_gray
from colorlib.datasets.arrays import to_images, to_tensor
from colorlib.model import ColorNet, colorize
from colorlib.widgets.page import jpeg

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
    names: Sequence[str] | None = None,
) -> str:
    """HTML with two sliders over the first uint8 images (N, H, W, 3), at five levels of vividness.

    names: what each image is called. See `static_page`.
    """
    images = images[:SHOWN]
    truth = to_tensor(images)
    gray = to_gray(truth, given)
    columns = [gray.expand(-1, 3, -1, -1), *(colorize(model, gray, given, v) for v in LEVELS)]
    rows = np.concatenate([*(to_images(column) for column in columns), images], axis=2)
    names = list(names or [f"image {i}" for i in range(len(images))])[: len(images)]
    return static_page(list(rows), names, f"input: {given}", 160)


def static_page(
    rows: list[np.ndarray], names: list[str], title: str, side: int, last: str = "truth"
) -> str:
    """HTML that turns over rows of pictures, uint8 (H, 7 W, 3): the input, `LEVELS`, the truth.

    It needs no Python and nothing from another host, and has no element id, so that a page may
    hold several. Where scripts do not run (GitHub) a still picture shows the same. title,
    last: of the first and the last column. side: of a picture on the page, in pixels.
    """
    sheet = Image.fromarray(np.concatenate(rows))
    columns = len(LEVELS) + 2
    shape = {"width": sheet.width // columns, "height": sheet.height // len(rows)}
    shape["style"] = "; image-rendering: pixelated" if shape["width"] < side else ""
    views = [
        VIEW.format(side=side, columns=columns, title=html.escape(text), **shape)
        for text in (title, "prediction", last)
    ]
    about = {"names": names, "levels": [f"{level:g}" for level in LEVELS]}
    data = base64.b64encode(jpeg(sheet, 88)).decode()
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        about=html.escape(json.dumps(about)),
        alt=f"Pictures: {title}, coloured at five levels of vividness, {last}",
        legend=f"Left to right: {title}, vividness 0 to 1, {last}.",
        source=f"data:image/jpeg;base64,{data}",
        views="".join(views),
        wide=f"{3 * side + 24}px",
    )
