"""Training images as 8-bit integers, in memory, on a device or memory-mapped."""

import hashlib
import logging
import os

import numpy as np
import torch
from torch import Tensor

from colorlib.color import hsv_to_rgb
from colorlib.config import Config
from colorlib.datasets.arrays import check_uint8

log = logging.getLogger(__name__)
CHUNK = 250  # images converted at a time
VALIDATION = 5000  # the last images of CIFAR-100's training split, in canonical order
SETUP_PIXELS = 10000 * 32 * 32  # of the training images that a recipe sees before training
Pixels = Tensor | np.ndarray  # uint8 (N, 3, H, W) in memory, or what is memory-mapped


def as_pixels(images: np.ndarray) -> Pixels:
    """uint8 images (N, H, W, 3), or prepared HSV (N, 3, H, W), as uint8 pixels (N, 3, H, W).

    A memory-mapped array of more than half the free memory is returned as it is.
    """
    if getattr(images, "dtype", None) != np.float16:
        check_uint8(images)
    if isinstance(images, np.memmap) and images.size > free_memory() / 2:
        return images
    pixels = torch.empty((len(images), *to_pixels(images[:1]).shape[1:]), dtype=torch.uint8)
    for start in range(0, len(images), CHUNK):
        pixels[start : start + CHUNK] = to_pixels(images[start : start + CHUNK])
    return pixels


def to_pixels(images: np.ndarray) -> Tensor:
    """Images as `as_pixels` takes them to uint8 pixels (N, 3, H, W), all at once."""
    part = torch.from_numpy(np.array(images))
    if images.dtype == np.float16:
        return (hsv_to_rgb(part) * 255).round().byte()
    return part.permute(0, 3, 1, 2).contiguous()


def gather(pixels: Pixels, chosen: Tensor) -> Tensor:
    """The chosen images, uint8 (B, 3, H, W), where the pixels are: on a device or on disk."""
    if isinstance(pixels, Tensor):
        return pixels[chosen.to(pixels.device)]
    return to_pixels(pixels[chosen.numpy()])


def place(pixels: Pixels, device: torch.device) -> Pixels:
    """The pixels on the device if they take at most half of its free memory."""
    fits = device.type == "cuda" and pixels.nbytes <= torch.cuda.mem_get_info(device)[0] / 2
    return pixels.to(device) if fits and isinstance(pixels, Tensor) else pixels


def free_memory() -> int:
    """Bytes that this process, one of some on this machine, can still take without swapping."""
    import psutil  # accelerate brings it

    return psutil.virtual_memory().available // int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def fingerprint(pixels: Pixels) -> str:
    """SHA-256 of the training pixels: a checkpoint belongs to one data set."""
    digest = hashlib.sha256()
    for part in torch.arange(len(pixels)).split(CHUNK):
        digest.update(gather(pixels, part).cpu().numpy().tobytes())
    return digest.hexdigest()


def check_pixels(pixels: Pixels, config: Config, stride: int) -> None:
    """ValueError where the pixels do not go with the config, or with a network of this stride."""
    there, (height, width) = len(pixels), gather(pixels, torch.arange(1)).shape[-2:]
    count = there if config.count is None else config.count
    if config.crop > min(height, width):
        raise ValueError(f"crop: got {config.crop}, but the images are {height} x {width} pixels")
    if config.crop:
        height = width = config.crop
    if count > there:
        raise ValueError(f"count: got {count}, but there are {there} training images")
    if count < config.batch_size:
        raise ValueError(f"{count} training images are too few: a batch is {config.batch_size}")
    if min(height, width) < 32 or height % stride or width % stride:
        raise ValueError(
            f"images: got {height} x {width} pixels, expected sides from 32 that are multiples of "
            f"{stride} for this network"
        )


def first_images(pixels: Pixels) -> Tensor:
    """The images, uint8 (N, 3, H, W), that a recipe sees before training.

    Logs a warning where they are grey: a network learns no colour from them.
    """
    count = SETUP_PIXELS // gather(pixels, torch.arange(1))[0, 0].numel()
    images = gather(pixels, torch.arange(min(count, len(pixels))))
    spread = (images.amax(1) - images.amin(1)).flatten(1).amax(1)
    grey = (spread < 8).float().mean().item()
    if grey > 0.5:
        log.warning("%.0f %% of the training images are grey: they teach no colours", 100 * grey)
    return images


def split_validation(
    images: np.ndarray, validation: int = VALIDATION
) -> tuple[np.ndarray, np.ndarray]:
    """(training, validation): the last images, or the last tenth of a small set, validate."""
    first = len(images) - min(validation, len(images) // 10)
    return images[:first], images[first:]


def training_pixels(
    images: np.ndarray, config: Config, stride: int, device: torch.device
) -> tuple[Pixels, Pixels]:
    """(training, validation) pixels of `images`, the training ones checked and on the device."""
    if not isinstance(images, np.ndarray):
        raise ValueError(f"images: got {type(images).__name__}, expected an array (N, H, W, 3)")
    training, validation = split_validation(images, config.validation)
    pixels = as_pixels(training)
    check_pixels(pixels, config, stride)
    kept = as_pixels(validation) if len(validation) else pixels[:0]
    return place(pixels[: config.count], device), kept
