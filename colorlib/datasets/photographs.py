"""The photographs in photos/ of the data root: arrays, or folders of image files."""

import numpy as np
import torch.nn.functional as F

from colorlib import paths
from colorlib.datasets.arrays import Labels, check_uint8, load_npy, to_images, to_tensor
from colorlib.datasets.folders import load_path


def load_photographs(split: str, size: int) -> tuple[np.ndarray, Labels | None]:
    """The images uint8 (N, size, size, 3) of a split, and the labels of folders of classes.

    The arrays are {train,val}{96,64}.npy, uint8 (N, side, side, 3). For testing, those of val96
    alone count where the size is above 64, else those of val64; for training both, scaled.
    """
    root = paths.data_root() / "photos"
    sides = (96, 64) if split == "train" else (96,) if size > 64 else (64,)
    name = "train" if split == "train" else "val"
    files = [root / f"{name}{side}.npy" for side in sides]
    files = [file for file in files if file.is_file()]
    if not files:
        return load_path(root, split, size)
    parts = [scaled(check_uint8(load_npy(file), file), size) for file in files]
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), None


def scaled(images: np.ndarray, size: int) -> np.ndarray:
    """uint8 images (N, H, W, 3) as (N, size, size, 3)."""
    if images.shape[1:3] == (size, size):
        return images
    made = []
    for start in range(0, len(images), 250):
        part = to_tensor(images[start : start + 250])
        made.append(to_images(F.interpolate(part, (size, size), mode="bicubic", antialias=True)))
    return np.concatenate(made)
