"""A folder of images of any number as one .npy file, which `fit` reads memory-mapped."""

import os
from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.datasets.arrays import canonical_order, load_npy
from colorlib.datasets.folders import image_files, readable

CHUNK = 1000  # images copied at a time


def pack(
    folder: str | Path, path: str | Path, split: str = "train", size: int = 64, force: bool = False
) -> np.ndarray:
    """Write the images of `folder` as uint8 (N, size, size, 3) to `path`; return it, memory-mapped.

    Images are read one at a time, so that a set may be larger than memory, and written in canonical
    order. Needs room on disk for the set twice. The folder is as in `load_images`; images that
    cannot be read are left out and named. Raises ValueError for a folder without images, and for
    a `path` that is there already (without `force`), OSError where the disk is full.
    """
    from tqdm import tqdm

    path = Path(path).expanduser()
    if path.suffix != ".npy":
        raise ValueError(f"{path}: expected a name ending in .npy")
    if path.exists() and not force:
        raise ValueError(f"{path} is there already; --force overwrites it")
    folder, files = image_files(Path(folder).expanduser(), split)
    path.parent.mkdir(parents=True, exist_ok=True)
    loose = path.with_name(f"{path.name}.{os.getpid()}.unsorted.part")
    try:
        with loose.open("wb") as out:
            count = 0
            for _, image in readable(folder, files, size):
                image.tofile(out)
                count += 1
        shape = (count, size, size, 3)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        unsorted = np.memmap(loose, np.uint8, "r", shape=shape)
        order = canonical_order(unsorted)
        with paths.replacing(path) as part, part.open("wb") as out:
            np.lib.format.write_array_header_1_0(out, header)
            for start in tqdm(range(0, len(order), CHUNK), "sorting"):
                unsorted[order[start : start + CHUNK]].tofile(out)
        del unsorted  # Windows cannot remove a mapped file
    finally:
        loose.unlink(missing_ok=True)
    return load_npy(path)
