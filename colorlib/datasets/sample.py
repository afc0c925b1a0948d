"""The built-in sample: small patches of the colour photographs in scikit-image's wheel.

A smoke test without network. Training and test patches come from different photographs.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS = {
    "train": ("astronaut.png", "coffee.png", "motorcycle_left.png"),
    "test": ("chelsea.png", "rocket.jpg"),
}
PATCHES = {"train": 3000, "test": 600}


@cache
def sample_images(split: str, size: int = 32) -> np.ndarray:
    """uint8 (N, size, size, 3): squares of random place and scale, the same at every call."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    photos = [Image.open(folder / name).convert("RGB") for name in PHOTOS[split]]
    random = np.random.default_rng(0)
    patches = np.empty((PATCHES[split], size, size, 3), np.uint8)
    for i in range(len(patches)):
        photo = photos[i % len(photos)]
        side = round(size * 2 ** random.uniform(0, np.log2(min(photo.size) / size)))
        left, top = (int(random.integers(0, extent - side + 1)) for extent in photo.size)
        box = (left, top, left + side, top + side)
        patch = photo.resize((size, size), Image.Resampling.LANCZOS, box, reducing_gap=2)
        patches[i] = np.asarray(patch)
    patches.flags.writeable = False  # shared by all who ask
    return patches
