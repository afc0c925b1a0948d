"""Images by the name of their source, in one canonical order, and the prepared HSV arrays.

`images` are uint8 arrays (N, H, W, 3). Every set comes in one canonical order, sorted by the
SHA-256 of each image's bytes, so that "the first 1,000" is the same fair sample wherever the files
came from (a copy sorted by class would give ten classes).
"""

import hashlib
import os
import re
from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.color import rgb_to_hsv
from colorlib.datasets.arrays import Labels, canonical_order, check_uint8, in_order, load_npy
from colorlib.datasets.arrays import to_images as to_images  # for callers of this module
from colorlib.datasets.arrays import to_tensor as to_tensor
from colorlib.datasets.cifar100 import fetch_cifar100, load_cifar100
from colorlib.datasets.folders import SPLITS, load_path, state
from colorlib.datasets.photographs import load_photographs
from colorlib.datasets.sample import sample_images

VALIDATION = 5000  # the last images of CIFAR-100's training split, in canonical order


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


def prepared_path(source: str, split: str, count: int | None = None) -> Path:
    """Where the prepared array of a resolved source and split, or its first `count`, is kept.

    Another place when files of the source have changed, so that no stale array is taken for it.
    """
    name = slug(source) + (f"-{count}" if count else "")
    if source not in ("cifar100", "sample"):  # which never change
        place = paths.data_root() / "photos" if source == "photos" else Path(source).expanduser()
        name += f"-{state(place)}"
    return paths.data_root() / "prepared" / name / f"{split}_hsv.npy"


def slug(source: str) -> str:
    """A file name for a resolved source: its own, or for a path its last part and a hash of it."""
    if source in ("cifar100", "photos", "sample"):
        return source
    whole = str(Path(source).expanduser().resolve())
    name = re.sub(r"[^\w.-]+", "-", Path(whole).name)
    return f"{name}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:6]}"


def describe(source: str) -> str:
    """What tables and figures call a resolved source."""
    sample = "built-in sample (smoke test)"
    names = {"cifar100": "CIFAR-100", "photos": "photographs", "sample": sample}
    return names.get(source, Path(source).name)


def split_validation(
    images: np.ndarray, validation: int = VALIDATION
) -> tuple[np.ndarray, np.ndarray]:
    """(training, validation): the last images, or the last tenth of a small set, validate."""
    validation = min(validation, len(images) // 10)
    return images[: len(images) - validation], images[len(images) - validation :]


def _load(
    source: str | Path, split: str, count: int | None, size: int
) -> tuple[np.ndarray, Labels | None]:
    if split not in SPLITS:
        raise ValueError(f'split: got {split!r}, expected "train" or "test"')
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
        images, labels = load_path(Path(source).expanduser(), split, size)
    if count is not None and not 0 < count <= len(images):
        raise ValueError(f"count: got {count}, but {source} ({split}) has {len(images)} images")
    if labels is None and isinstance(images, np.memmap) and in_order(images):
        return images[:count], None  # it may be larger than memory
    order = canonical_order(images, labels[0] if labels else None)[:count]
    return images[order], (labels[0][order], labels[1]) if labels else None


def prepare(images: np.ndarray, path: str | Path, chunk: int = 2500) -> np.ndarray:
    """Write uint8 `images` as HSV, float16 (N, 3, H, W), to the .npy file `path`; return it.

    Channels are hue in turns, saturation and value. Half precision is enough: all 256^3 colours
    come back exactly (tests/test_color.py tries each). Raises ValueError for another shape or type.
    """
    from tqdm import tqdm

    images = check_uint8(images)
    count, height, width, _ = images.shape
    with paths.replacing(path) as part:
        # written, not memory-mapped: a full disk is then an error, not a crash
        header = {"descr": "<f2", "fortran_order": False, "shape": (count, 3, height, width)}
        title = {"desc": Path(path).name, "unit": " images"}
        with part.open("wb") as file, tqdm(total=count, **title) as bar:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, count, chunk):
                hsv = rgb_to_hsv(to_tensor(images[start : start + chunk])).half()
                hsv[:, 0][hsv[:, 0] >= 1] = 0  # 0.9999 rounds to a whole turn, which is hue 0
                hsv.numpy().tofile(file)
                bar.update(len(hsv))
    return load_prepared(path)


def load_prepared(path: str | Path) -> np.ndarray:
    """A prepared array, memory-mapped: float16 (N, 3, H, W), channels hue, saturation, value."""
    array = load_npy(path)
    if array.dtype != np.float16 or array.ndim != 4 or array.shape[1] != 3:
        raise ValueError(
            f"{path}: got {array.dtype} {array.shape}, expected float16 (N, 3, H, W) from prepare()"
        )
    return array
