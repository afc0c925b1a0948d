"""RGB to HSV and back against what people would use instead; on the CPU, in float32.

Every competitor converts in batches, as training and colouring do: a batch and its result stay in
the CPU's cache, while 50,000 images at once (600 MB in, 600 MB out) would time the memory.
"""

import colorsys
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

import colorlib as cl
from benchmarks.timing import alternate

COUNT = 50000  # images of 32 x 32; the slow ones take fewer, scaled
BATCH = 250
FEWER = {"colorsys": 20, "scikit-image": 5000, "matplotlib": 5000, "kornia": 10000}


def conversion() -> list[dict]:
    """Images per second one way, and both ways."""
    rgb = torch.rand(COUNT, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    competitors, rows = converters(rgb), []

    def convert(back: bool, there: Callable, again: Callable, batches: Sequence) -> None:
        for batch in batches:
            hsv = there(batch)
            if back:
                again(hsv)

    for prefix, back in (("hsv", False), ("hsv-back", True)):
        functions = {name: partial(convert, back, *c) for name, c in competitors.items()}
        seconds = alternate(functions, rounds=3)
        speed = {name: FEWER.get(name, COUNT) / s for name, s in seconds.items()}
        for name, images in speed.items():
            rows.append({"key": f"{prefix}-{name}", "value": images, "unit": "images/s"})
            if name != "ours-compiled":
                rows[-1]["speedup"] = speed["ours-compiled"] / images
    return rows


def converters(rgb: torch.Tensor) -> dict[str, tuple[Callable, Callable, Sequence]]:
    """name -> (conversion of a batch, conversion back, batches)."""
    import cv2
    import kornia.color
    import matplotlib.colors
    from skimage import color

    batches, rows = rgb.split(BATCH), np.ascontiguousarray(rgb.permute(0, 2, 3, 1).numpy())
    parts = np.split(rows, COUNT // BATCH)  # each (BATCH, 32, 32, 3)
    tall = [part.reshape(-1, 32, 3) for part in parts]  # as one image
    pixels = rows[: FEWER["colorsys"]].reshape(-1, 3).tolist()
    fewer, slow = (FEWER[name] // BATCH for name in ("kornia", "scikit-image"))
    ours, theirs = (
        (cl.rgb_to_hsv, cl.hsv_to_rgb),
        (kornia.color.rgb_to_hsv, kornia.color.hsv_to_rgb),
    )
    return {
        "ours-compiled": (*map(torch.compile, ours), batches),
        "ours": (*ours, batches),
        "colorsys": (
            lambda images: [colorsys.rgb_to_hsv(*pixel) for pixel in images],
            lambda images: [colorsys.hsv_to_rgb(*pixel) for pixel in images],
            [pixels],
        ),
        "scikit-image": (color.rgb2hsv, color.hsv2rgb, parts[:slow]),
        "matplotlib": (matplotlib.colors.rgb_to_hsv, matplotlib.colors.hsv_to_rgb, parts[:slow]),
        "kornia": (*theirs, batches[:fewer]),
        "kornia-compiled": (*map(torch.compile, theirs), batches),
        "opencv": (
            lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2HSV),
            lambda image: cv2.cvtColor(image, cv2.COLOR_HSV2RGB),
            tall,
        ),
    }
