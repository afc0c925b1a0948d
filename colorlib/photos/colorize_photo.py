"""One photograph of any size: from a file (or array) to a Pillow image of the same size."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorlib.color import LUMA_WEIGHTS, paint
from colorlib.datasets.image_files import read_rgb, to_rgb
from colorlib.decoding import check_vividness, decode, setting_at
from colorlib.model import ColorNet, evaluating, load_model, predict
from colorlib.photos.upsampling import STRIP, shrink, strips, to_working_size

INNER = 96  # shorter side, in pixels, that the network sees
LOOKS = (1.0, 0.5)  # it looks twice: at that size, and at half of it for the scene as a whole
LONGEST = 8  # times that is the longest side it sees, whatever the shape
SMALLEST = 32  # of a side that it sees: it was made for no less


def colorize_photo(image, model="photo", vividness: float = 0.5, size: int = INNER) -> Image.Image:
    """Colour a photograph; its luma is kept to one 8-bit step, where colours are moved into gamut.

    image: a path, an open file, a Pillow image or a uint8 array (H, W) or (H, W, 3). model: a
    shipped name, a ColorNet, or a published network: one that `peers.load` gave, or its name. size:
    the shorter side that our network works at (DeOldify's render factor): small, it sees the scene
    as a whole and colours calmly; large, it sees more detail, of things larger than any it learned
    from. Colours are then brought up to full size along the photograph's own edges. A published
    network has its own size and one answer, and keeps what its authors chose to keep (lightness or
    luma). The result's `info` holds the file's EXIF, resolution and profile. Raises ValueError that
    names what cannot be read, or a size outside 32 to 1024.
    """
    pixels, info = _open(image)
    model = network(model)
    gray = _luma(pixels)
    del pixels  # of a large photograph a copy less
    coloured = np.empty((*gray.shape[-2:], 3), np.uint8)
    if not isinstance(model, ColorNet):
        pieces = [(slice(None), model.colorize(gray))]
    else:
        pieces = colour_strips(model, gray, vividness, size)
    for rows, rgb in pieces:
        levels = rgb[0].mul_(255).round_().byte().numpy()
        for channel, plane in enumerate(levels):  # a third faster than all three at once
            coloured[rows, :, channel] = plane
    result = Image.fromarray(coloured)
    result.info = info
    return result


def network(model):
    """The ColorNet or published network that a name or file stands for, or that it is already."""
    from colorlib import peers

    if isinstance(model, ColorNet) and model.head.weight.dtype != torch.float32:
        raise ValueError(f"model: got {model.head.weight.dtype} weights, wanted model.float()")
    if isinstance(model, (ColorNet, peers.Peer)):
        return model
    return peers.load(model) if model in peers.OFFICIAL else load_model(model)


def colorize_at(model: ColorNet, gray: Tensor, vividness: float, size: int = INNER) -> Tensor:
    """Luma (N, 1, H, W) as RGB (N, 3, H, W): colours found at shorter side `size`."""
    return torch.cat([rgb for _, rgb in colour_strips(model, gray, vividness, size)], -2)


def colour_strips(
    model: ColorNet, gray: Tensor, vividness: float, size: int = INNER
) -> Iterator[tuple[slice, Tensor]]:
    """RGB (N, 3, rows, W) of luma gray (N, 1, H, W), a strip of rows at a time, and which rows."""
    middle, factor = to_working_size(gray)
    setting, outputs = setting_at(model, vividness, "luma"), []
    with evaluating(model) as device:
        looks = [shrink(middle, inner_size(*gray.shape[-2:], size, share)) for share in LOOKS]
        small = looks[0].clamp(0, 1)
        grid = [-(-side // model.fold) for side in small.shape[-2:]]
        for look in looks:
            output = predict(model, look.clamp(0, 1).to(device), "luma")
            height, width = (
                -(-side // model.fold) for side in look.shape[-2:]
            )  # without the padding
            outputs.append(F.interpolate(output[..., :height, :width], grid, mode="bilinear"))
        output = sum(outputs) / len(outputs)
        chroma = decode(model, output, setting, small.to(device), "luma").to(gray.device)
    for rows, tints in strips(chroma, small, gray, middle, factor):
        yield rows, paint(tints, gray[..., rows, :])


def check_setting(vividness: float, size: int) -> None:
    """ValueError for a vividness or a size that `colorize_photo` does not take."""
    check_vividness(vividness)
    inner_size(SMALLEST, SMALLEST, size)


def inner_size(height: int, width: int, size: int, share=1.0) -> tuple[int, int]:
    """The size at which the network sees a photograph, its shorter side that share of `size`.

    A smaller photograph is not enlarged, but to `SMALLEST`.
    """
    if not SMALLEST <= size <= 1024:
        raise ValueError(f"size: got {size}, wanted a number from {SMALLEST} to 1024")
    size = min(max(SMALLEST, round(size * share)), max(SMALLEST, min(height, width)))
    scale = size / min(height, width)
    return tuple(min(round(side * scale), LONGEST * size) for side in (height, width))


def _luma(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) or (H, W) as luma (1, 1, H, W) in [0, 1], a strip at a time."""
    if pixels.ndim == 2:
        return torch.from_numpy(np.array(pixels))[None, None].float().div_(255)
    gray = torch.empty(1, 1, *pixels.shape[:2])
    weights = torch.tensor(LUMA_WEIGHTS) / 255
    count = max(1, STRIP // pixels.shape[1])
    for start in range(0, len(pixels), count):
        part = torch.from_numpy(np.array(pixels[start : start + count]))
        gray[0, 0, start : start + count] = part.float() @ weights
    return gray.clamp_(0, 1)


def _open(image) -> tuple[np.ndarray, dict]:
    """Pixels, uint8 (H, W, 3) or (H, W), and what came beside them."""
    if isinstance(image, np.ndarray):
        right = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
        if image.dtype != np.uint8 or not right or 0 in image.shape:
            raise ValueError(
                f"image: got {image.dtype} {image.shape}, wanted uint8 (H, W) or (H, W, 3)"
            )
        return image, {}
    if not isinstance(image, str | Path | Image.Image) and not hasattr(image, "read"):
        raise ValueError(
            f"image: got {type(image).__name__}, wanted a path, an open file, a Pillow image or a "
            "uint8 array"
        )
    image = to_rgb(image) if isinstance(image, Image.Image) else read_rgb(image)
    return np.asarray(image), image.info
