"""Images and labels from a folder of image files, flat or in class subfolders, or a .npy file."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from colorlib.datasets.arrays import Labels, check_uint8, load_npy
from colorlib.datasets.image_files import images_in, read_rgb

log = logging.getLogger(__name__)
SPLITS = {"train": ("train",), "test": ("test", "val", "valid", "validation")}


def load_path(path: Path, split: str, size: int) -> tuple[np.ndarray, Labels | None]:
    """(Images, labels or None) of a folder or a .npy file; see `data.load_images`."""
    folder = split_folder(path, split)
    if folder.is_file():
        return check_uint8(load_npy(path), path), None
    files, images = zip(*readable(folder, size), strict=True)
    classes = [file.relative_to(folder).parts[0] for file in files]
    if any(file.parent == folder for file in files):
        return np.stack(images), None
    names, labels = np.unique(classes, return_inverse=True)
    return np.stack(images), (labels, names.tolist())


def readable(folder: Path, size: int) -> Iterator[tuple[Path, np.ndarray]]:
    """Each image file that can be read, with its central square as uint8 (size, size, 3).

    Logs the names of those that cannot. Raises ValueError where none can, or for a size below 1.
    """
    from tqdm import tqdm

    files, bad = images_in(folder), []
    if not hasattr(size, "__index__") or size < 1:
        raise ValueError(f"size: got {size!r}, expected a whole number of pixels from 1")
    for file in tqdm(files, "reading images", delay=2, leave=False):
        try:
            image = read_rgb(file)
        except (ValueError, OSError) as error:
            bad.append((file, error))
            continue
        yield file, np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS))
    if len(bad) == len(files):
        raise ValueError(f"{folder}: none of {len(files)} images can be read; {bad[0][1]}")
    if bad:
        some = ", ".join(str(file.relative_to(folder)) for file, _ in bad[:10])
        some += f" and {len(bad) - 10} more" if len(bad) > 10 else ""
        left_out = f"left out {len(bad)} of {len(files)} images that cannot be read"
        log.warning("%s: %s: %s", folder, left_out, some)


def split_folder(path: Path, split: str) -> Path:
    """Where the images of a split are: a folder inside `path`, or `path`, which is for training.

    Raises ValueError for a path that is no source of images, or that has no such split.
    """
    if not path.is_dir() and not (path.suffix == ".npy" and path.is_file()):
        raise ValueError(
            f'source: got {str(path)!r}, which is no folder or .npy file here; expected "auto", '
            '"cifar100", "sample", a folder of images or a .npy file'
        )
    there = {kind: [path / n for n in SPLITS[kind] if (path / n).is_dir()] for kind in SPLITS}
    if there[split]:
        return there[split][0]
    if split == "train" and not there["test"]:
        return path
    raise ValueError(
        f"{path}: has no {split} images of its own; put them in a folder with train/ and test/ "
        "inside, or name another source"
    )
