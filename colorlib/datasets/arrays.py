"""Arrays of images: reading .npy files safely, checks, canonical order, arrays as tensors."""

import hashlib
from pathlib import Path

import numpy as np
import torch

Labels = tuple[np.ndarray, list[str]]


def canonical_order(images: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Indices that sort uint8 `images` by the SHA-256 of each image's bytes (ties by label)."""
    keys = [hashlib.sha256(image.tobytes()).digest() for image in images]
    ties = np.zeros(len(images), int) if labels is None else labels
    return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], ties[i])), dtype=np.int64)


def in_order(images: np.ndarray) -> bool:
    """Whether 1,000 pairs of neighbours, spread over the set, are in canonical order.

    Enough for a set larger than memory: to hash all of it takes as long as to read it.
    """
    pairs = max(0, min(len(images) - 1, 1000))
    starts = np.linspace(0, len(images) - 2, pairs).astype(int)
    return all(canonical_order(images[i : i + 2])[0] == 0 for i in starts)


def load_npy(path: str | Path) -> np.ndarray:
    """A .npy file, memory-mapped, never unpickled. Raises ValueError that names a bad file."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: not a readable .npy array ({error})") from error


def check_uint8(images: np.ndarray, name: object = "images") -> np.ndarray:
    """`images` if they are uint8 (N, H, W, 3), else ValueError."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise ValueError(f"{name}: got {getattr(images, 'dtype', type(images))}, expected uint8")
    if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
        raise ValueError(f"{name}: got shape {images.shape}, expected (N, H, W, 3) with N > 0")
    return images


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 images (N, H, W, 3) to a float RGB tensor (N, 3, H, W) in [0, 1]."""
    pixels = torch.from_numpy(np.array(check_uint8(images)))
    return pixels.permute(0, 3, 1, 2).contiguous().float() / 255


def to_images(rgb: torch.Tensor) -> np.ndarray:
    """A float RGB tensor (N, 3, H, W) in [0, 1] to uint8 images (N, H, W, 3)."""
    return (rgb.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
