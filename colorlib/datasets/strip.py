"""A strip of images that shows how a network learns: a row of predictions an epoch."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from colorlib import paths
from colorlib.color import to_gray
from colorlib.datasets.arrays import to_images
from colorlib.datasets.pixels import Pixels, gather


def start_strip(pixels: Pixels, given: str) -> tuple[Tensor, Tensor]:
    """The input (8, 1, H, W) of the first eight images, and the first two rows of their strip.

    The strip is uint8 (2, 8, H, W, 3): the truth and the input. A row an epoch follows.
    """
    rgb = gather(pixels, torch.arange(8) % len(pixels)).cpu().float() / 255
    gray = to_gray(rgb, given)
    rows = [torch.from_numpy(to_images(x)) for x in (rgb, gray.expand(-1, 3, -1, -1))]
    return gray, torch.stack(rows)


def save_strip(strip: Tensor, path: Path) -> None:
    """Write a strip, uint8 (R, 8, H, W, 3), as one picture of (R H, 8 W) pixels."""
    rows = strip.permute(0, 2, 1, 3, 4).flatten(2, 3).flatten(0, 1)
    with paths.replacing(path) as part:
        Image.fromarray(rows.numpy()).save(part, format="PNG")
