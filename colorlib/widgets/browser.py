"""The slider browser: one picture whose bytes change, so that nothing flickers or piles up.

Jupyter draws an Output anew at each step; a single `ipywidgets.Image` does not, in ipywidgets 8 as
in Colab's 7.7. What it shows is drawn in panels.py; what stands in for it where no kernel runs, in
static_viewer.py.
"""

import re

import numpy as np

from colorlib.color import to_gray
from colorlib.datasets.arrays import check_uint8, to_tensor
from colorlib.metrics import mean_ab_error
from colorlib.model import ColorNet, colorize
from colorlib.widgets.panels import keep_figure, panels, pixel_at, png
from colorlib.widgets.static_viewer import SHOWN, viewer

ORDERS = ("by number", "worst first", "best first")


def errors(images: np.ndarray, model: ColorNet, given: str) -> np.ndarray:
    """Mean ab error (N,) of each image at vividness 0: what "worst" and "best" sort by."""
    found = []
    for start in range(0, len(images), 500):
        truth = to_tensor(images[start : start + 500])
        found.append(mean_ab_error(colorize(model, to_gray(truth, given), given), truth).numpy())
    return np.concatenate(found)


def browse(images: np.ndarray, model: ColorNet, given="value", labels=None):
    """Browse `images` (uint8, N H W 3): input, prediction, original, error, one pixel's colours.

    A slider over the images (arrow keys, a play button, "random"), in their own order, worst or
    best first, of all classes or one; a vividness slider; a pixel, picked by clicking (where
    ipyevents is installed) or by two sliders, whose predicted distribution is drawn; a button that
    saves what is shown to figures/NAME.png. labels: `load_labels(...)`'s (labels, class names), or
    None. Returns an ipywidgets box with the controls by name in `controls`. In an exported report
    and on GitHub, where no kernel runs, a few precomputed images stand in its place.
    """
    import ipywidgets as w

    images = check_uint8(images)
    height, width = images.shape[1:3]
    names = [n.replace("_", " ") for n in labels[1]] if labels is not None else []
    style = {"description_width": "70px"}
    wide, narrow = w.Layout(width="430px"), w.Layout(width="250px")
    number = w.IntSlider(0, 0, len(images) - 1, description="image", style=style, layout=wide)
    play = w.Play(min=0, max=len(images) - 1, interval=700)
    random = w.Button(description="random", layout=w.Layout(width="80px"))
    classes = w.Dropdown(
        options=["all classes", *sorted(names)], description="class", style=style, layout=narrow
    )
    order = w.Dropdown(options=ORDERS, description="order", style=style, layout=narrow)
    vividness = w.FloatSlider(
        0.0, min=0, max=1, step=0.05, description="vividness", style=style, layout=wide
    )
    row = w.IntSlider(height // 2, 0, height - 1, description="pixel: row", style=style)
    column = w.IntSlider(width // 2, 0, width - 1, description="column", style=style)
    name = w.Text(value="browser", description="save as", style=style, layout=narrow)
    save = w.Button(description="save", layout=w.Layout(width="80px"))
    said = w.HTML()
    picture = w.Image(format="png", layout=w.Layout(max_width="100%", object_fit="contain"))
    state = {"shown": np.arange(len(images)), "errors": None}
    generator = np.random.default_rng()

    def current() -> int:
        return int(state["shown"][number.value])

    def title(i: int) -> str:
        return f"image {i}" + (f", {names[labels[0][i]]}" if names else "")

    def sheet():
        pixel = row.value, column.value
        return panels(images[current()], model, given, vividness.value, title(current()), pixel)

    def show(_=None):
        picture.value = png(sheet())

    def arrange(_):
        shown = np.arange(len(images))
        if classes.value in names:
            shown = shown[np.asarray(labels[0])[: len(images)] == names.index(classes.value)]
        if not len(shown):
            said.value = "No image of that class is here."
            classes.value = "all classes"
            return
        if order.value != ORDERS[0]:
            if state["errors"] is None:
                said.value = f"Measuring {len(images):,} images…"
                state["errors"] = errors(images, model, given)
                said.value = ""
            ranked = state["errors"][shown].argsort(kind="stable")
            shown = shown[ranked if order.value == ORDERS[2] else ranked[::-1]]
        state["shown"] = shown
        number.value = 0
        number.max = play.max = len(shown) - 1
        show()

    def keep(_):
        if not re.fullmatch(r"[\w-]+", name.value):
            said.value = "A name of letters, digits, _ and -, please."
            return
        said.value = keep_figure(sheet(), name.value)

    def jump(_):
        if number.max:  # to another one than this
            number.value = (number.value + int(generator.integers(number.max)) + 1) % (
                number.max + 1
            )

    def click(event):
        pixel = pixel_at(event["dataX"], event["dataY"], images.shape[1:])
        if pixel:
            row.value, column.value = pixel

    for control in (number, vividness, row, column):
        control.observe(show, "value")
    w.link((number, "value"), (play, "value"))  # after the picture; jslink would send two messages
    for control in (classes, order):
        control.observe(arrange, "value")
    random.on_click(jump)
    save.on_click(keep)
    show()
    try:
        from ipyevents import Event
    except ImportError:
        pass
    else:
        Event(source=picture, watched_events=["click"]).on_dom_event(click)

    class Browser(w.VBox):
        def __repr__(self):
            return f"(a browser of {len(images):,} images, where a kernel runs)"

        def _repr_mimebundle_(self, **options):
            bundle = super()._repr_mimebundle_(**options) or {}
            few = [title(i) for i in range(min(SHOWN, len(images)))]
            return bundle | {"text/html": viewer(images, model, given, few)}

    box = Browser(
        [
            w.HBox([number, play, random]),
            w.HBox([vividness, classes, order] if names else [vividness, order]),
            w.HBox([row, column]),
            picture,
            w.HBox([name, save, said]),
        ]
    )
    box.controls = {
        "number": number, "play": play, "random": random, "classes": classes, "order": order,
        "vividness": vividness, "row": row, "column": column, "name": name, "save": save,
        "said": said, "picture": picture, "click": click,
    }  # fmt: skip
    return box
