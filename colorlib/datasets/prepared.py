"""Sources of images by name, and as one .npy file that is read memory-mapped: in HSV, or packed."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.color import rgb_to_hsv
from colorlib.datasets.arrays import canonical_order, check_uint8, load_npy, to_tensor
from colorlib.datasets.folders import readable, split_folder

SAMPLE = "built-in sample (smoke test)"
TITLES = {"cifar100": "CIFAR-100", "photos": "photographs", "sample": SAMPLE}
CHUNK = 2500  # images at a time


def prepare(images: np.ndarray, path: str | Path) -> np.ndarray:
    """Write uint8 `images` as HSV, float16 (N, 3, H, W), to the .npy file `path`; return it.

    Channels are hue in turns, saturation and value. Half precision is enough: all 256^3 colours
    come back exactly (tests/test_color.py tries each). Raises ValueError for another shape or type.
    """
    images = check_uint8(images)
    count, height, width, _ = images.shape

    def converted(part: np.ndarray) -> np.ndarray:
        hsv = rgb_to_hsv(to_tensor(part)).half()
        hsv[:, 0][hsv[:, 0] >= 1] = 0  # 0.9999 rounds to a whole turn, which is hue 0
        return hsv.numpy()

    parts = (converted(images[start : start + CHUNK]) for start in range(0, count, CHUNK))
    with paths.replacing(path) as new:
        _write(new, Path(path).name, "<f2", (count, 3, height, width), parts)
    return load_prepared(path)


def load_prepared(path: str | Path) -> np.ndarray:
    """A prepared array, memory-mapped: float16 (N, 3, H, W), channels hue, saturation, value."""
    array = load_npy(path)
    if array.dtype != np.float16 or array.ndim != 4 or array.shape[1] != 3:
        raise ValueError(
            f"{path}: got {array.dtype} {array.shape}, expected float16 (N, 3, H, W) from prepare()"
        )
    return array


def pack(
    folder: str | Path, path: str | Path, split: str = "train", size: int = 64, force: bool = False
) -> np.ndarray:
    """Write the images of `folder` as uint8 (N, size, size, 3) to `path`; return it, memory-mapped.

    The folder is as in `load_images`. Images are read one at a time, so that a set may be larger
    than memory, and written in canonical order, which needs room on disk for the set twice. Raises
    ValueError for a folder without images, and for a `path` that is there without `force`.
    """
    path = Path(path).expanduser()
    if path.suffix != ".npy":
        raise ValueError(f"{path}: expected a name ending in .npy")
    if path.exists() and not force:
        raise ValueError(f"{path} is there already; --force overwrites it")
    folder = split_folder(Path(folder).expanduser(), split)
    with paths.replacing(path) as new:
        loose = new.with_name(f"unsorted-{new.name}")
        try:
            with loose.open("wb") as out:
                for _, image in readable(folder, size):
                    out.write(image.tobytes())
            unsorted = np.memmap(loose, np.uint8, "r").reshape(-1, size, size, 3)
            order = canonical_order(unsorted)
            chunks = (order[start : start + CHUNK] for start in range(0, len(order), CHUNK))
            _write(new, path.name, "|u1", unsorted.shape, (unsorted[chunk] for chunk in chunks))
            del unsorted  # Windows cannot remove a mapped file
        finally:
            loose.unlink(missing_ok=True)
    return load_npy(path)


def _write(
    path: Path, title: str, kind: str, shape: tuple[int, ...], parts: Iterable[np.ndarray]
) -> None:
    """Write arrays as one. Not by a memory map, in which a full disk is a crash, not an error."""
    from tqdm import tqdm

    header = {"descr": kind, "fortran_order": False, "shape": shape}
    with path.open("wb") as file, tqdm(total=shape[0], desc=title, unit=" images") as bar:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(part.tobytes())  # `tofile` does not say why it cannot
            bar.update(len(part))


def describe(source: str) -> str:
    """What tables and figures call a resolved source."""
    return TITLES.get(source, Path(source).name)


def slug(source: str) -> str:
    """A file name for a resolved source: its own, or for a path its last part and a hash of it."""
    if source in TITLES:
        return source
    whole = Path(os.path.realpath(Path(source).expanduser()))  # a loop of links is no error here
    name = re.sub(r"[^\w.-]+", "-", whole.name)
    return f"{name}-{_digest(str(whole))}"


def prepared_path(source: str, split: str, count: int | None = None) -> Path:
    """Where the prepared array of a resolved source and split, or its first `count`, is kept.

    Another place when the names, sizes or times of the source's files have changed, so that no
    stale array is taken for it.
    """
    name = slug(source) + (f"-{count}" if count else "")
    if source not in ("cifar100", "sample"):  # which never change
        place = paths.data_root() / "photos" if source == "photos" else Path(source).expanduser()
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        about = [(file.name, file.stat()) for file in files if file.is_file()]
        lines = [f"{name} {state.st_size} {state.st_mtime_ns}\n" for name, state in about]
        name += f"-{_digest(''.join(lines))}"
    return paths.data_root() / "prepared" / name / f"{split}_hsv.npy"


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:6]
