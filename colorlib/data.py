"""Images by the name of their source, in one canonical order, and the prepared HSV arrays.

`images` are uint8 arrays (N, H, W, 3). Every set comes in one canonical order, sorted by the
SHA-256 of each image's bytes, so that "the first 1,000" is the same fair sample wherever the files
came from (a copy sorted by class would give ten classes).
"""

from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.datasets.arrays import Labels, canonical_order, in_order, to_images, to_tensor
from colorlib.datasets.cifar100 import fetch_cifar100, load_cifar100
from colorlib.datasets.folders import SPLITS, load_path
from colorlib.datasets.photographs import load_photographs
from colorlib.datasets.pixels import split_validation
from colorlib.datasets.prepared import describe, load_prepared, prepare, prepared_path, slug
from colorlib.datasets.sample import sample_images

__all__ = ["describe", "load_images", "load_labels", "load_prepared", "prepare", "prepared_path"]
__all__ += ["resolve", "slug", "split_validation", "to_images", "to_tensor"]


def load_images(
    source: str | Path = "auto", split: str = "train", count: int | None = None, size: int = 32
) -> np.ndarray:
    """Images as uint8 (N, size, size, 3) in canonical order.

    source: "cifar100"; "photos", the folder of that name in the data root; "sample" (patches of
    scikit-image's photographs, a smoke test); a folder of images, flat or in class subfolders,
    with or without train/ and test/ (or val/), of which unreadable files are logged and left out; a
    .npy file of uint8 (N, H, W, 3); or "auto": CIFAR-100 from the data root, else downloaded into
    it, else the sample, with a printed line that says which and why. split: "train" or "test".
    count: only the first images. size: the central square of a folder's images is scaled to it.
    Raises ValueError or OSError naming what came and what is expected.
    """
    return _load(source, split, count, size)[0]


def load_labels(
    source: str | Path = "auto", split: str = "train", count: int | None = None, size: int = 32
) -> Labels | None:
    """(labels (N,) int64, class names) of the same images in the same order, or None."""
    return _load(source, split, count, size)[1]


def resolve(source: str | Path = "auto") -> tuple[str, str]:
    """The source that `source` stands for, and a sentence that says why."""
    if source != "auto":
        return str(source), f"The source is {source}."
    where = paths.data_root() / "cifar100"
    if all((where / f"{name}.npy").exists() for name in ("train", "test")):
        return "cifar100", f"CIFAR-100 is in the data root ({where.parent.name}/cifar100)."
    try:
        fetch_cifar100(where)
    except OSError as error:
        return "sample", f"CIFAR-100 is not here ({error}), so the built-in sample stands in."
    return "cifar100", "CIFAR-100 was downloaded into the data root."


def _load(
    source: str | Path, split: str, count: int | None, size: int
) -> tuple[np.ndarray, Labels | None]:
    if split not in SPLITS:
        raise ValueError(f'split: got {split!r}, expected "train" or "test"')
    if not str(source):  # as a path it would be the current folder
        raise ValueError('source: got an empty name, expected "auto", a name, a folder or a file')
    if source == "auto":
        source, why = resolve("auto")
        print(why)
    if source == "cifar100":
        images, labels = load_cifar100(split)
    elif source == "sample":
        images, labels = sample_images(split), None
    elif source == "photos":
        images, labels = load_photographs(split, size)
    else:
        images, labels = load_path(Path(str(source)).expanduser(), split, size)
    if count is not None and not (hasattr(count, "__index__") and 0 < count <= len(images)):
        raise ValueError(f"count: got {count!r}, but {source} ({split}) has {len(images)} images")
    if labels is None and isinstance(images, np.memmap) and in_order(images):
        return images[:count], None  # it may be larger than memory
    order = canonical_order(images, labels[0] if labels else None)[:count]
    return images[order], (labels[0][order], labels[1]) if labels else None
