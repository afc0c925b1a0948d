"""Prepared arrays: images as HSV in half precision, in a .npy file that is read memory-mapped."""

from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.color import rgb_to_hsv
from colorlib.datasets.arrays import check_uint8, load_npy, to_tensor


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
