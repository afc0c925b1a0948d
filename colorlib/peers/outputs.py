"""Outputs that the reader has of any system, made elsewhere: data/outputs/SYSTEM/NAME.png."""

import glob

from PIL import Image, ImageChops

from colorlib import paths
from colorlib.datasets.image_files import SUFFIXES, read_rgb


def outputs(inputs: dict[str, Image.Image] | None = None) -> dict[str, dict[str, Image.Image]]:
    """name -> {"input": grey image, "truth": image if there is one, SYSTEM: its output, ...}.

    An output belongs to the photograph of its name: one of `inputs` (Pillow images), a file of
    data/inputs, whose colours if any are taken for the truth, or a photograph of data/photos.
    Raises ValueError that names an output without an input, or a file that cannot be read.
    """
    root = paths.data_root()
    found: dict[str, dict[str, Image.Image]] = {}
    for file in sorted((root / "outputs").glob("*/*")):
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        if file.stem not in found:
            found[file.stem] = _input(file, inputs or {})
        found[file.stem][file.parent.name] = read_rgb(file)
    return found


def _input(file, inputs: dict) -> dict[str, Image.Image]:
    root, name = paths.data_root(), file.stem
    if name in inputs:
        return {"input": inputs[name].convert("L").convert("RGB")}
    pattern = f"{glob.escape(name)}.*"
    places = [*(root / "inputs").glob(pattern), *(root / "photos").rglob(pattern)]
    places = sorted(place for place in places if place.suffix.lower() in SUFFIXES)
    if not places:
        raise ValueError(
            f"{file.relative_to(root)}: no input of that name, expected {name}.png (or another "
            "image format) in inputs/ or photos/ of the data root"
        )
    image = read_rgb(places[0])
    gray = image.convert("L").convert("RGB")
    red, *others = image.split()
    coloured = any(ImageChops.difference(red, other).getextrema()[1] for other in others)
    return {"input": gray} | ({"truth": image} if coloured else {})
