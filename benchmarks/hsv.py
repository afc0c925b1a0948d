"""RGB to HSV and back against what people would use instead; on the CPU, in float32.

Every competitor converts in batches, as training and colouring do: a batch and its result stay in
the CPU's cache, while 50,000 images at once (600 MB in, 600 MB out) would time the memory.
"""

import colorsys
from collections.abc import Callable, Sequence
from types import ModuleType

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
    rows = []
    for prefix, back in (("hsv", False), ("hsv-back", True)):
        seconds = alternate(conversions(rgb, back), rounds=3)
        speed = {name: FEWER.get(name, COUNT) / s for name, s in seconds.items()}
        for name, images in speed.items():
            rows.append({"key": f"{prefix}-{name}", "value": images, "unit": "images/s"})
            if name != "ours-compiled":
                rows[-1]["speedup"] = speed["ours-compiled"] / images
    return rows


def conversions(rgb: torch.Tensor, back: bool) -> dict[str, Callable]:
    """name -> function that converts, and converts back if asked."""
    import cv2
    import kornia
    import matplotlib.colors
    from skimage import color

    rows = np.ascontiguousarray(rgb.permute(0, 2, 3, 1).numpy())  # (N, H, W, 3)
    tall = [part.reshape(-1, 32, 3) for part in np.split(rows, COUNT // BATCH)]  # as one image
    batches = rgb.split(BATCH)
    pixels = rows[: FEWER["colorsys"]].reshape(-1, 3).tolist()
    fewer = batches[: FEWER["kornia"] // BATCH]
    slow = np.split(rows, COUNT // BATCH)[: FEWER["scikit-image"] // BATCH]

    def both(there: Callable, again: Callable, parts: Sequence) -> Callable:
        def convert() -> None:
            for part in parts:
                again(there(part)) if back else there(part)

        return convert

    def one_pixel_at_a_time(images: list) -> None:
        for pixel in images:
            hsv = colorsys.rgb_to_hsv(*pixel)
            if back:
                colorsys.hsv_to_rgb(*hsv)

    def compiled(module: ModuleType) -> tuple[Callable, Callable]:
        return torch.compile(module.rgb_to_hsv), torch.compile(module.hsv_to_rgb)

    return {
        "ours-compiled": both(*compiled(cl), batches),
        "ours": both(cl.rgb_to_hsv, cl.hsv_to_rgb, batches),
        "colorsys": lambda: one_pixel_at_a_time(pixels),
        "scikit-image": both(color.rgb2hsv, color.hsv2rgb, slow),
        "matplotlib": both(matplotlib.colors.rgb_to_hsv, matplotlib.colors.hsv_to_rgb, slow),
        "kornia": both(kornia.color.rgb_to_hsv, kornia.color.hsv_to_rgb, fewer),
        "kornia-compiled": both(*compiled(kornia.color), batches),
        "opencv": both(
            lambda x: cv2.cvtColor(x, cv2.COLOR_RGB2HSV),
            lambda x: cv2.cvtColor(x, cv2.COLOR_HSV2RGB),
            tall,
        ),
    }
