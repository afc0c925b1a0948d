"""One photograph of any size: from a file (or array) to a Pillow image of the same size."""

from pathlib import Path

import numpy as np
import torch.nn.functional as F
from PIL import Image

from colorlib.color import join, luma
from colorlib.data import read_rgb, to_rgb, to_tensor
from colorlib.model import ColorNet, evaluating, load_model, predict_chroma

INNER = 40  # shorter side, in pixels, that the network sees: it learned from 32 x 32 images


def colorize_photo(image, model="cifar", vividness: float = 0.5, size: int = INNER) -> Image.Image:
    """Colour a photograph; its luma is kept to one 8-bit step.

    image: a path, a Pillow image or a uint8 array (H, W) or (H, W, 3). model: a shipped name or a
    ColorNet. size: the shorter side that the network works at; colours are then brought up to full
    size. Raises ValueError that names what cannot be read.
    """
    photo = _open(image)
    model = model if isinstance(model, ColorNet) else load_model(model)
    scale = size / min(photo.size)
    inner = photo.resize([max(32, round(side * scale)) for side in photo.size], Image.BOX)
    with evaluating(model) as device:
        chroma = predict_chroma(
            model, luma(to_tensor(np.asarray(inner)[None])).to(device), "luma", vividness
        ).cpu()
        gray = luma(to_tensor(np.asarray(photo)[None]))
        chroma = F.interpolate(chroma, gray.shape[-2:], mode="bilinear", align_corners=False)
        rgb = join(chroma, gray, "luma")[0]
    return Image.fromarray((rgb * 255).round().byte().permute(1, 2, 0).numpy())


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
