"""Outputs that ECCV16, SIGGRAPH17 and DeOldify published, fetched from a public repository.

All come from the course project that this report starts from; each file's sha256 is checked.
"""

import hashlib
from pathlib import Path

from PIL import Image

from colorlib import paths
from colorlib.datasets.download import fetch
from colorlib.datasets.image_files import read_rgb

SOURCE = (
    "https://raw.githubusercontent.com/Lossar/TDT05_colorization/"
    "f61e1ac788da3fd64107674e2598c75a4f8deb2f/"
)
FILES = {  # name: (path there, sha256)
    "brown-Guernsey-cow-bw.png": (
        "imgs/brown-Guernsey-cow-bw.png",
        "9ef9e5fbb3ed074cdadffd90c65b2cf46880b5c18f746af212ebadbbbe91a7c1",
    ),
    "ECCV_SIGGRAPH_test.png": (
        "imgs_out/ECCV_SIGGRAPH_test.png",
        "9730174caf5f338b858382b3a4761053f876484887059fe4a9fcdfff19541ca6",
    ),
    "cow-colored.png": (
        "imgs_out/deoldify/cow-colored.png",
        "6232a0c4f637f355139ba203eed81dd6c1aad2b5f325f66679612d49147b276e",
    ),
    "train_result.png": (
        "imgs_out/our_model/train_result.png",
        "28038d155015d56a36da4ace8e7cc93d7c4b391fc1c3ec05d6dbfe85687d9735",
    ),
    "test_result.png": (
        "imgs_out/our_model/test_result.png",
        "8327dced83e159fb785fef754cc6ebbe746f460041ea67336b835fbec8650a18",
    ),
    "ansel_adams3.jpg": (
        "imgs/ansel_adams3.jpg",
        "7e23452d675e65fb0665efd02eeaacb62f94240923217506adcc99040b0c622c",
    ),
    "saved_eccv16.png": (
        "imgs_out/saved_eccv16.png",
        "4c3e4225779d596c0ed2ebc2bc02459973bd19f66b556cbf5e0193abc3fa3f78",
    ),
    "saved_siggraph17.png": (
        "imgs_out/saved_siggraph17.png",
        "111645dff9855d5b731b375848713640f897a7f9db2fe0dfd05cb99e7d6e72d5",
    ),
}
# photograph -> its black-and-white file, and for each system (file, box in it or None for all)
PHOTOGRAPHS = {
    "cow": (
        "brown-Guernsey-cow-bw.png",
        {
            "ECCV16": ("ECCV_SIGGRAPH_test.png", (151, 432, 573, 712)),
            "SIGGRAPH17": ("ECCV_SIGGRAPH_test.png", (658, 432, 1080, 712)),
            "DeOldify": ("cow-colored.png", None),
        },
    ),
    "mountains": (
        "ansel_adams3.jpg",
        {"ECCV16": ("saved_eccv16.png", None), "SIGGRAPH17": ("saved_siggraph17.png", None)},
    ),
}


def published_file(name: str) -> Path:
    """The local copy of a published file, fetched into the data root if it is not there.

    Raises OSError in one sentence when it cannot be had or is not the published file.
    """
    path, sha256 = FILES[name]
    local = paths.data_root() / "peers" / name
    if local.is_file() and hashlib.sha256(local.read_bytes()).hexdigest() == sha256:
        return local
    return fetch(SOURCE + path, f"sha256:{sha256}", local.parent, name)


def published() -> dict[str, dict[str, Image.Image]]:
    """photograph -> {"input": image, "ECCV16": image, …}, RGB. OSError if they cannot be had."""
    found = {}
    for photograph, (gray, outputs) in PHOTOGRAPHS.items():
        panels = {"input": read_rgb(published_file(gray))}
        for system, (name, box) in outputs.items():
            image = read_rgb(published_file(name))
            panels[system] = image.crop(box) if box else image
        found[photograph] = panels
    return found
