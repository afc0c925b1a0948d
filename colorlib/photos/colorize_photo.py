"""One photograph of any size: from a file (or array) to a Pillow image of the same size."""

from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorlib import peers
from colorlib.color import LUMA_WEIGHTS, apply_relative_chroma
from colorlib.datasets.image_files import read_rgb, to_rgb
from colorlib.decoding import check_vividness, decode, setting_at
from colorlib.model import ColorNet, evaluation_mode, load_model, predict
from colorlib.photos.coherent import check_seed, coherent_logits
from colorlib.photos.frames import find_frame
from colorlib.photos.hints import Hint, check_hints, hint_maps
from colorlib.photos.upsampling import STRIP, strips, to_working_size

Model = str | Path | ColorNet | peers.Peer
INNER = 96  # shorter side, in pixels, that the network sees
LONGEST = 8  # times that is the longest side it sees, whatever the shape
SMALLEST = 32  # of a side that it sees: it was made for no less


def colorize_photo(
    image: str | Path | Image.Image | np.ndarray,
    model: Model = "photo",
    vividness: float = 0.5,
    size: int = INNER,
    hints: Iterable[Hint] | None = None,
    seed: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Image.Image:
    """Colour a photograph; its luma is kept to one 8-bit step.

    image: a path, an open file, a Pillow image or a uint8 array (H, W) or (H, W, 3). model: a
    shipped name, a ColorNet, or a published network (with its own size and one answer) or its name.
    size: the shorter side, 32 to 1024, that our network works at (DeOldify's render factor): small,
    it colours the scene calmly as a whole; large, it sees more detail, of things larger than any it
    learned from. hints: colours that are known, (x, y, colour) each; see hints.py. seed, 0 to
    2**32 - 1: draw colours by chance that go together (coherent.py). progress: is called with the
    share done.

    The result's `info` holds the file's EXIF, resolution and profile, and "own_colors": whether the
    photograph had colours, which are not used. Raises ValueError that names what cannot be read, or
    a wrong setting.
    """
    check_setting(vividness, size, seed)
    pixels, info = open_photo(image)
    model = network(model)
    info["own_colors"] = has_colors(pixels)
    gray = photo_luma(pixels)
    del pixels  # of a large photograph a copy less
    colored = np.empty((*gray.shape[-2:], 3), np.uint8)
    known = check_hints(() if hints is None else hints, gray.shape[-1], gray.shape[-2])
    if isinstance(model, ColorNet):
        pieces = color_strips(model, gray, vividness, size, known, seed)
    elif len(known[0]) or seed is not None:
        raise ValueError("hints and seed are for our own networks, not for published ones")
    else:
        pieces = iter([(slice(None), model.colorize(gray))])
    for rows, rgb in pieces:
        levels = rgb[0].mul_(255).round_().byte().numpy()
        for channel, plane in enumerate(levels):  # a third faster than all three at once
            colored[rows, :, channel] = plane
        if progress is not None:
            progress((rows.stop or len(colored)) / len(colored))
    result = Image.fromarray(colored)
    result.info = info
    return result


def network(model: Model) -> ColorNet | peers.Peer:
    """The ColorNet or published network that a name or file stands for, or that it is already."""
    if isinstance(model, ColorNet) and model.head.weight.dtype != torch.float32:
        raise ValueError(f"model: got {model.head.weight.dtype} weights, expected model.float()")
    if isinstance(model, (ColorNet, peers.Peer)):
        return model
    if not isinstance(model, str | Path):
        raise ValueError(
            f"model: got {type(model).__name__}, expected a name, a .safetensors file or a ColorNet"
        )
    return peers.load(model) if model in peers.OFFICIAL else load_model(model)


def color_strips(
    model: ColorNet, gray: Tensor, vividness: float, size: int, known: tuple[Tensor, Tensor],
    seed: int | None,
) -> Iterator[tuple[slice, Tensor]]:  # fmt: skip
    """RGB (1, 3, rows, W) of luma gray (1, 1, H, W), a strip of rows at a time, and which rows.

    known: hints from `check_hints`. The other arguments are those of `colorize_photo`.
    """
    middle, factor = to_working_size(gray)
    small = network_view(middle, gray.shape[-2:], size)
    hints = hint_maps(*known, gray.shape[-2:], small.shape[-2:])
    if hints is not None and not model.config["hints"]:
        raise ValueError("hints: this network takes none; the shipped network `photo` does")
    chroma = logits_chroma(model, find_logits(model, small, hints, seed), small, vividness)
    for rows, tints in strips(chroma, small, gray, middle, factor):
        yield rows, apply_relative_chroma(tints, gray[..., rows, :])


def find_logits(
    model: ColorNet, small: Tensor, hints: Tensor | None = None, seed: int | None = None
) -> Tensor:
    """The network's output for luma (N, 1, h, w) and hints (N, 3, h, w): the slow part.

    It is averaged with that for the mirror image; weights/photo.json says what "mirror" brings.
    """
    with evaluation_mode(model) as device:
        gray = small.to(device)
        hints = None if hints is None else hints.to(device)
        if seed is not None:
            return coherent_logits(model, gray, hints, seed)
        return predict(model, gray, "luma", hints, mirror=True)


def logits_chroma(model: ColorNet, logits: Tensor, small: Tensor, vividness: float) -> Tensor:
    """Chroma (N, 2, h, w) of the network's output at a vividness; a frame of the photo has 0."""
    setting = setting_at(model, vividness, "luma")
    with evaluation_mode(model) as device:
        chroma = decode(model, logits, setting, small.to(device), "luma").to(small.device)
    return torch.where(find_frame(small), 0.0, chroma)


def check_setting(
    vividness: float = 0.5, size: int = INNER, seed: int | None = None, **_: object
) -> None:
    """ValueError for a vividness, a size or a seed that `colorize_photo` does not take."""
    if seed is not None:
        check_seed(seed)
    check_vividness(vividness)
    inner_size(SMALLEST, SMALLEST, size)


def inner_size(height: int, width: int, size: int) -> tuple[int, int]:
    """The size at which the network sees a photograph; it is enlarged to `SMALLEST` at most."""
    if not isinstance(size, Integral) or not SMALLEST <= size <= 1024:
        raise ValueError(f"size: got {size!r}, expected a whole number from {SMALLEST} to 1024")
    size = min(int(size), max(SMALLEST, min(height, width)))
    scale = size / min(height, width)
    return tuple(min(round(side * scale), LONGEST * size) for side in (height, width))


def network_view(middle: Tensor, photo: tuple[int, int], size: int) -> Tensor:
    """What the network sees, luma (N, 1, h, w), of a photograph (H, W) at its working size."""
    inner = inner_size(*photo, size)  # a triangle filter: as smooth as the training photographs
    return F.interpolate(middle, inner, mode="bilinear", antialias=True).clamp(0, 1)


def has_colors(pixels: np.ndarray) -> bool:
    """Whether uint8 pixels (H, W, 3) or (H, W) are more than one tint of grey: not a scan's sepia.

    A hundredth of the pixels from level 40 must differ by a tenth from the median tint.
    """
    if pixels.ndim == 2:
        return False
    some = pixels[:: max(1, len(pixels) // 200), :: max(1, pixels.shape[1] // 200)].reshape(-1, 3)
    some = some[some.max(1) >= 40].astype(np.float32)
    tint = some / some.max(1, keepdims=True)
    away = np.abs(tint - np.median(tint, axis=0)).max(1) if len(some) else np.zeros(1)
    return bool((away > 0.1).mean() > 0.01)


def photo_luma(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) or (H, W) as luma (1, 1, H, W) in [0, 1], a strip at a time."""
    gray = torch.empty(1, 1, *pixels.shape[:2])
    weights = torch.tensor(LUMA_WEIGHTS) / 255
    count = max(1, STRIP // pixels.shape[1])
    for start in range(0, len(pixels), count):
        part = torch.from_numpy(np.array(pixels[start : start + count])).float()
        gray[0, 0, start : start + count] = part / 255 if part.ndim == 2 else part @ weights
    return gray.clamp_(0, 1)


def open_photo(image: str | Path | Image.Image | np.ndarray | BinaryIO) -> tuple[np.ndarray, dict]:
    """Pixels, uint8 (H, W, 3) or (H, W), and what came beside them."""
    if isinstance(image, np.ndarray):
        right = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
        if image.dtype != np.uint8 or not right or 0 in image.shape:
            raise ValueError(
                f"image: got {image.dtype} {image.shape}, expected uint8 (H, W) or (H, W, 3)"
            )
        return image, {}
    if isinstance(image, Image.Image):
        image = to_rgb(image)
    elif isinstance(image, str | Path) or hasattr(image, "read"):
        image = read_rgb(image)
    else:
        raise ValueError(
            f"image: got {type(image).__name__}, expected a path, an open file, a Pillow image or "
            "a uint8 array"
        )
    if 0 in image.size:
        raise ValueError(f"image: got {image.width} x {image.height} pixels, expected one or more")
    return np.asarray(image), image.info
