"""A photograph under two sliders: vividness, and the size at which the network sees it."""

import io

from PIL import Image

from colorlib.datasets.image_files import read_rgb
from colorlib.photos.colorize_photo import INNER, colorize_photo
from colorlib.widgets.panels import in_a_row, keep_figure, png

SHOWN = 420  # pixels of the longer side on the page; what is saved has all of them


def uploaded(value) -> tuple[str, bytes] | None:
    """(name, content) of the last file of a FileUpload: a dict in ipywidgets 7, a tuple in 8."""
    if not value:
        return None
    if isinstance(value, dict):
        name, file = list(value.items())[-1]
        return name, bytes(file["content"])
    return value[-1]["name"], bytes(value[-1]["content"])


def colour_yours(model, image=None, vividness: float = 0.5, size: int = INNER):
    """Colour a photograph of one's own: an upload button, two sliders, a button that saves.

    model: as `colorize_photo` takes it. image: a path or a Pillow image to begin with. Returns an
    ipywidgets box with the controls by name in `controls`.
    """
    import ipywidgets as w

    style, wide = {"description_width": "80px"}, w.Layout(width="430px")
    upload = w.FileUpload(accept="image/*", multiple=False)
    vivid = w.FloatSlider(
        vividness, min=0, max=1, step=0.05, description="vividness", style=style, layout=wide
    )
    inner = w.IntSlider(
        size, min=32, max=256, step=16, description="inner size", style=style, layout=wide
    )
    for slider in (vivid, inner):
        slider.continuous_update = False
    save = w.Button(description="save", disabled=True)
    said, picture = w.HTML(), w.Image(format="png", layout=w.Layout(max_width="100%"))
    state = {"image": None, "name": "photo", "coloured": None}

    def show(_=None):
        if state["image"] is None:
            return
        state["coloured"] = colorize_photo(state["image"], model, vivid.value, inner.value)
        shown = [state["image"].convert("L").convert("RGB"), state["coloured"].copy()]
        for small in shown:
            small.thumbnail((SHOWN, SHOWN))
        titles = "input: luma", f"vividness {vivid.value:.2f}, inner size {inner.value}"
        picture.value, save.disabled = png(in_a_row(shown, titles)), False

    def take(source, name: str) -> None:
        try:
            state["image"] = source if isinstance(source, Image.Image) else read_rgb(source)
        except (OSError, ValueError) as error:
            said.value = f"{name}: not a readable image ({type(error).__name__})"
            return
        state["name"], said.value = name, ""
        show()

    def received(_):
        file = uploaded(upload.value)
        if file:
            name, content = file
            take(io.BytesIO(content), name.rsplit(".", 1)[0])

    def keep(_):
        said.value = keep_figure(state["coloured"], f"{state['name']}-coloured")

    for control in (vivid, inner):
        control.observe(show, "value")
    upload.observe(received, "value")
    save.on_click(keep)
    if image is not None:
        take(image, "photo" if isinstance(image, Image.Image) else str(image).rsplit("/", 1)[-1])

    class Box(w.VBox):
        def __repr__(self):
            return "(an upload button and two sliders, where a kernel runs)"

    box = Box([w.HBox([upload, save, said]), vivid, inner, picture])
    box.controls = {"upload": upload, "vividness": vivid, "size": inner, "save": save}
    box.controls |= {"said": said, "picture": picture, "received": received}
    return box
