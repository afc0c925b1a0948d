"""Images and labels from a folder of image files, flat or in class subfolders, or a .npy file."""

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from colorlib.datasets.arrays import Labels, check_uint8, load_npy
from colorlib.datasets.image_files import images_in, read_rgb, square

log = logging.getLogger(__name__)
SPLITS = {"train": ("train",), "test": ("test", "val", "valid", "validation")}


def load_path(path: Path, split: str, size: int) -> tuple[np.ndarray, Labels | None]:
    """(Images, labels or None) of a folder or a .npy file; see `data.load_images`."""
    if path.suffix == ".npy" and path.is_file():
        _only_train(path, split)
        return check_uint8(load_npy(path), path), None
    folder, files = image_files(path, split)
    files, images = zip(*readable(folder, files, size), strict=True)
    images = np.stack(images)
    if any(f.parent == folder for f in files):
        return images, None
    names = sorted({f.relative_to(folder).parts[0] for f in files})
    labels = [names.index(f.relative_to(folder).parts[0]) for f in files]
    return images, (np.array(labels, dtype=np.int64), names)


def readable(folder: Path, files: list[Path], size: int) -> Iterator[tuple[Path, np.ndarray]]:
    """Each image file that can be read, with its central square as uint8 (size, size, 3).

    Logs the names of those that cannot. Raises ValueError where none can, or for a size below 1.
    """
    from tqdm import tqdm

    if size < 1:
        raise ValueError(f"size: got {size}, expected a number of pixels from 1")
    bad = []
    for file in tqdm(files, "reading images", delay=2, leave=False):
        try:
            image = square(read_rgb(file), size)
        except (ValueError, OSError) as error:
            bad.append((file, error))
            continue
        yield file, image
    if len(bad) == len(files):
        raise ValueError(f"{folder}: none of {len(files)} images can be read; {bad[0][1]}")
    if bad:
        some = ", ".join(str(file.relative_to(folder)) for file, _ in bad[:10])
        more = f" and {len(bad) - 10} more" if len(bad) > 10 else ""
        log.warning(
            "%s: left out %d of %d images that cannot be read: %s%s",
            folder, len(bad), len(files), some, more,
        )  # fmt: skip


def state(place: Path) -> str:
    """Six digits of the names, sizes and times of a file or of all files in a folder."""
    digest = hashlib.sha256()
    for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if file.is_file():
            about = file.stat()
            digest.update(os.fsencode(f"{file.name} {about.st_size} {about.st_mtime_ns}\n"))
    return digest.hexdigest()[:6]


def image_files(path: Path, split: str) -> tuple[Path, list[Path]]:
    """The folder of a split and its image files by name; ValueError where there are none."""
    folder = _split_folder(path, split)
    return folder, images_in(folder)


def _split_folder(path: Path, split: str) -> Path:
    if not path.is_dir():
        raise ValueError(
            f'source: got {str(path)!r}, which is no folder or .npy file here; expected "auto", '
            '"cifar100", "sample", a folder of images or a .npy file'
        )
    folders = [path / name for name in SPLITS[split] if (path / name).is_dir()]
    if not folders:
        _only_train(path, split)
        for name in SPLITS["test"]:
            if (path / name).is_dir():
                raise ValueError(f"{path}: has {name}/ but no {split}/ folder")
    return folders[0] if folders else path


def _only_train(path: Path, split: str) -> None:
    if split != "train":
        raise ValueError(
            f"{path}: has no {split} images of its own; put them in a folder with train/ and "
            f"{split}/ inside, or name another source for {split}"
        )
