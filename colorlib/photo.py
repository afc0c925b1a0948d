"""One photograph of any size: from a file (or array) to a Pillow image of the same size."""

from pathlib import Path

import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorlib.color import join, luma
from colorlib.data import read_rgb, to_images, to_rgb, to_tensor
from colorlib.model import ColorNet, evaluating, load_model, predict_chroma

INNER = 40  # shorter side, in pixels, that the network sees: it learned from 32 x 32 images


def colorize_photo(image, model="cifar", vividness: float = 0.5, size: int = INNER) -> Image.Image:
    """Colour a photograph; its luma is kept to one 8-bit step.

    image: a path, a Pillow image or a uint8 array (H, W) or (H, W, 3). model: a shipped name, a
    ColorNet, or a published network: one that `peers.load` gave, or its name. size: the shorter
    side that our network works at; colours are then brought up to full size. A published network
    has its own size and one answer, and keeps what its authors chose to keep (lightness or luma).
    Raises ValueError that names what cannot be read.
    """
    from colorlib import peers

    gray = luma(to_tensor(np.asarray(_open(image))[None]))
    if isinstance(model, str) and model in peers.OFFICIAL:
        model = peers.load(model)
    if isinstance(model, peers.Peer):
        return Image.fromarray(to_images(model.colorize(gray))[0])
    model = model if isinstance(model, ColorNet) else load_model(model)
    return Image.fromarray(to_images(colorize_at(model, gray, vividness, size))[0])


def colorize_at(model: ColorNet, gray: Tensor, vividness: float, size: int = INNER) -> Tensor:
    """Luma (N, 1, H, W) as RGB (N, 3, H, W): colours found at shorter side `size`."""
    scale = size / min(gray.shape[-2:])
    inner = [max(32, round(side * scale)) for side in gray.shape[-2:]]
    small = F.interpolate(gray, inner, mode="bilinear", antialias=True).clamp(0, 1)
    with evaluating(model) as device:
        chroma = predict_chroma(model, small.to(device), "luma", vividness).to(gray.device)
    chroma = F.interpolate(chroma, gray.shape[-2:], mode="bilinear")
    return join(chroma, gray, "luma")


def _open(image) -> Image.Image:
    if isinstance(image, Image.Image):
        return to_rgb(image)
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2:] == (3,)):
            raise ValueError(
                f"image: got {image.dtype} {image.shape}, wanted uint8 (H, W) or (H, W, 3)"
            )
        return Image.fromarray(image).convert("RGB")
    return read_rgb(Path(image))
