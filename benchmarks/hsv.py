"""RGB to HSV, and back again, against what people would use instead; on the CPU, float32.

In batches, as training and colouring do it, by every rival: a batch and what is made of it stay in
the CPU's cache, where 50,000 images at once (600 MB in, 600 MB out) would time the memory.
"""

import colorsys

import numpy as np
import torch

import colorlib as cl
from benchmarks.timing import alternate

COUNT = 50000  # images of 32 x 32; the slow ones take fewer, scaled
BATCH = 250
FEWER = {"colorsys loop": 20, "scikit-image": 5000, "matplotlib": 5000, "Kornia": 10000}


def conversion() -> list[dict]:
    """Images per second one way, and there and back."""
    rgb = torch.rand(COUNT, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    rows = []
    for title, back in (("RGB to HSV", False), ("RGB to HSV and back", True)):
        seconds = alternate(rivals(rgb, back), rounds=3)
        speed = {name: FEWER.get(name, COUNT) / s for name, s in seconds.items()}
        ours = "ours, torch.compile"
        for name, images in speed.items():
            rows.append({"what": f"{title}, {name}", "value": images, "unit": "images/s"})
            if name != ours:
                rows[-1]["ours is faster by"] = speed[ours] / images
    return rows


def rivals(rgb: torch.Tensor, back: bool) -> dict:
    """name -> function that converts, and converts back if asked."""
    import cv2
    import kornia
    import matplotlib.colors
    from skimage import color

    rows = np.ascontiguousarray(rgb.permute(0, 2, 3, 1).numpy())  # (N, H, W, 3)
    tall = [part.reshape(-1, 32, 3) for part in np.split(rows, COUNT // BATCH)]  # as one image
    batches = rgb.split(BATCH)
    pixels = rows[: FEWER["colorsys loop"]].reshape(-1, 3).tolist()
    fewer = batches[: FEWER["Kornia"] // BATCH]
    slow = np.split(rows, COUNT // BATCH)[: FEWER["scikit-image"] // BATCH]

    def both(there, again, parts):
        def convert():
            for part in parts:
                again(there(part)) if back else there(part)

        return convert

    def one_pixel_at_a_time(images):
        for pixel in images:
            hsv = colorsys.rgb_to_hsv(*pixel)
            if back:
                colorsys.hsv_to_rgb(*hsv)

    def compiled(module):
        return torch.compile(module.rgb_to_hsv), torch.compile(module.hsv_to_rgb)

    return {
        "ours, torch.compile": both(*compiled(cl), batches),
        "ours": both(cl.rgb_to_hsv, cl.hsv_to_rgb, batches),
        "colorsys loop": lambda: one_pixel_at_a_time(pixels),
        "scikit-image": both(color.rgb2hsv, color.hsv2rgb, slow),
        "matplotlib": both(matplotlib.colors.rgb_to_hsv, matplotlib.colors.hsv_to_rgb, slow),
        "Kornia": both(kornia.color.rgb_to_hsv, kornia.color.hsv_to_rgb, fewer),
        "Kornia, torch.compile": both(*compiled(kornia.color), batches),
        "OpenCV": both(
            lambda x: cv2.cvtColor(x, cv2.COLOR_RGB2HSV),
            lambda x: cv2.cvtColor(x, cv2.COLOR_HSV2RGB),
            tall,
        ),
    }
