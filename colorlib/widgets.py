"""The slider browser: one picture whose bytes change, so that nothing flickers or piles up.

Jupyter draws an Output anew at each step; a single `ipywidgets.Image` does not, in ipywidgets 8 as
in Colab's 7.7.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from colorlib.color import to_gray
from colorlib.data import check_uint8, to_images, to_tensor
from colorlib.metrics import mean_ab_error, psnr
from colorlib.model import ColorNet, colorize

PANEL, MARGIN, TITLE = 192, 8, 22


def panels(
    image: np.ndarray, model: ColorNet, given="value", vividness=0.0, name=""
) -> Image.Image:
    """Input, prediction and original of one uint8 image (H, W, 3), side by side, with a caption."""
    truth = to_tensor(check_uint8(image[None]))
    gray = to_gray(truth, given)
    predicted = colorize(model, gray, given, vividness)
    distance = mean_ab_error(predicted, truth).item()
    shown = [to_images(gray.expand(-1, 3, -1, -1))[0], to_images(predicted)[0], image]
    titles = (f"input: {given}", f"prediction, vividness {vividness:.2f}", "original")
    width = 3 * PANEL + 4 * MARGIN
    sheet = Image.new("RGB", (width, PANEL + 2 * TITLE + MARGIN), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for i, (picture, title) in enumerate(zip(shown, titles, strict=True)):
        left = MARGIN + i * (PANEL + MARGIN)
        scaled = Image.fromarray(picture).resize((PANEL, PANEL), Image.Resampling.NEAREST)
        sheet.paste(scaled, (left, TITLE))
        draw.text((left, 3), title, "black", font)
    text = f"{name}   PSNR {psnr(predicted, truth).item():.1f} dB, mean ab error {distance:.1f}"
    draw.text((MARGIN, TITLE + PANEL + 4), text.strip(), "black", font)
    return sheet


def browse(images: np.ndarray, model: ColorNet, given="value", labels=None):
    """Sliders over `images` (uint8, N H W 3) and vividness; shows input, prediction and original.

    labels: `load_labels(...)`'s (labels, class names), or None. Returns an ipywidgets box whose
    children are the number slider, the vividness slider and the picture.
    """
    import ipywidgets

    images = check_uint8(images)
    style = {"description_width": "70px"}
    wide = ipywidgets.Layout(width="520px")
    number = ipywidgets.IntSlider(
        0, 0, len(images) - 1, description="image", style=style, layout=wide
    )
    vividness = ipywidgets.FloatSlider(
        0.0, min=0, max=1, step=0.05, description="vividness", style=style, layout=wide
    )
    picture = ipywidgets.Image(format="png")

    def show(_=None):
        name = f"image {number.value}"
        if labels is not None:
            name += f", {labels[1][labels[0][number.value]].replace('_', ' ')}"
        sheet = panels(images[number.value], model, given, vividness.value, name)
        buffer = io.BytesIO()
        sheet.save(buffer, "PNG", compress_level=1)
        picture.value = buffer.getvalue()

    for slider in (number, vividness):
        slider.observe(show, "value")
    show()

    class Browser(ipywidgets.VBox):
        def __repr__(self):  # what GitHub and exported reports show
            return f"(two sliders over {len(images):,} images, where a kernel runs)"

    return Browser([number, vividness, picture])


class LiveCurves:
    """`on_epoch` for `fit`: redraws the curves and the strip in place as epochs end."""

    def __init__(self, note: str = ""):
        self.note, self.handle = note, None

    def __call__(self, history: list[dict], strip: np.ndarray) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        from colorlib import charts, plots

        figures = charts.learning_curves(history, self.note), plots.strip(strip, self.note)
        sheets = []
        for figure in figures:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=110)
            plt.close(figure)
            sheets.append(Image.open(buffer).convert("RGB"))
        width = max(s.width for s in sheets)
        both = Image.new("RGB", (width, sum(s.height for s in sheets)), "white")
        top = 0
        for sheet in sheets:
            both.paste(sheet, ((width - sheet.width) // 2, top))
            top += sheet.height
        if self.handle is None:
            self.handle = display(both, display_id=True)
        else:
            self.handle.update(both)
