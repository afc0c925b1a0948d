"""A photograph, array to array: time, memory, and how far colours bleed across its edges."""

from collections.abc import Sequence

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

import colorlib as cl
from benchmarks.timing import alternate, run_python
from colorlib.color import add_chroma, hsv_to_chroma, rgb_to_lab
from colorlib.metrics import ab_distance
from colorlib.peers.eccv16 import ECCV16
from colorlib.photos import colorize_photo, upsampling

STRONG = 0.1  # gradient of luma (Sobel, luma in [0, 1]) from which an edge is a strong one
PHOTOGRAPHS = ("astronaut", "coffee", "rocket")  # scikit-image's, 384 pixels and more
MEMORY = """
import numpy as np
import colorlib as cl
from benchmarks.timing import peak_memory
gray = np.random.default_rng(0).integers(0, 256, (3000, 4000), np.uint8)
cl.colorize_photo(gray, "photo")
print(peak_memory())
"""


def photographs() -> list[dict]:
    """Rows of `make bench`: a 1600 x 1064 photograph beside ECCV16's network, 12 megapixels."""
    model, peer = cl.load_model("photo"), ECCV16().eval()
    random = np.random.default_rng(0)
    page, large = (random.integers(0, 256, size, np.uint8) for size in ((1064, 1600), (3000, 4000)))
    level = 100 * torch.rand(1, 1, 256, 256)

    def theirs() -> None:
        with torch.inference_mode():
            peer(level)

    seconds = alternate({"ours": lambda: cl.colorize_photo(page, model), "ECCV16": theirs}, 9)
    big = alternate({"ours": lambda: cl.colorize_photo(large, model)}, 5)["ours"]
    speedup = seconds["ECCV16"] / seconds["ours"]
    rows = [
        {"key": "photo-page", "value": seconds["ours"], "unit": "s"},
        {"key": "photo-eccv16", "value": seconds["ECCV16"], "unit": "s", "speedup": speedup},
        {"key": "photo-large", "value": big, "unit": "s"},
        {"key": "photo-large-memory", "value": float(run_python(MEMORY)), "unit": "MiB"},
    ]
    errors = bleeding().items()
    return rows + [{"key": f"bleeding-{name}", "value": e, "unit": "ab"} for name, e in errors]


def bleeding() -> dict[str, float]:
    """Mean ab error, within 8 pixels of strong edges, of true chroma scaled down and up again.

    The mean over `PHOTOGRAPHS` and one of a stereo pair (a motorcycle).
    """
    pictures = [getattr(skimage.data, name)() for name in PHOTOGRAPHS]
    pictures.append(skimage.data.stereo_motorcycle()[0])
    errors = [edge_errors(picture) for picture in pictures]
    return {name: float(np.mean([found[name] for found in errors])) for name in errors[0]}


def edge_errors(picture: np.ndarray) -> dict[str, float]:
    """The errors of one photograph (H, W, 3), for each way of scaling up.

    Two references show what is possible: each pixel takes the best of the nine small pixels around
    it, for which the truth must be known; and chroma is scaled down to half the size only.
    """
    rgb = cl.to_tensor(picture[None])
    gray = cl.luma(rgb)
    near, lab, size = near_edges(gray), rgb_to_lab(rgb), gray.shape[-2:]
    weighed = hsv_to_chroma(cl.rgb_to_hsv(rgb)) * gray

    def down(size: Sequence[int]) -> tuple[Tensor, Tensor]:
        small = upsampling.shrink(gray, size)
        return upsampling.shrink(weighed, size) / small.clamp(min=1e-4), small

    def off(full: Tensor) -> Tensor:
        return ab_distance(rgb_to_lab(add_chroma(full.clamp(-1, 1), gray, "luma")), lab)[0]

    chroma, small = down(colorize_photo.inner_size(*size, colorize_photo.INNER))
    half, _ = down([side // 2 for side in size])
    nine = [F.interpolate(c, size, mode="nearest-exact") for c in upsampling.neighbours(chroma)]
    errors = {
        "bilinear": off(F.interpolate(chroma, size, mode="bilinear")),
        "ours": off(upsampling.joint_bilateral(chroma, small, gray)),
        "best-of-nine": torch.stack([off(c) for c in nine]).amin(0),
        "half-size": off(F.interpolate(half, size, mode="bilinear")),
    }
    return {name: error[near].mean().item() for name, error in errors.items()}


def near_edges(gray: Tensor, reach: int = 8) -> Tensor:
    """(H, W) bool: within `reach` pixels of a strong edge of gray (1, 1, H, W)."""
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    kernels = torch.stack((across, across.T))[:, None]
    slope = F.conv2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), kernels).norm(dim=1)
    strong = (slope > STRONG).float()[None]
    return F.max_pool2d(strong, 2 * reach + 1, 1, reach)[0, 0] > 0
