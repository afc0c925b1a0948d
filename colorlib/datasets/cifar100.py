"""CIFAR-100 from its official archive: fetched once, read by torchvision, kept as plain .npy.

torchvision's own download has no time limit and writes in place, so that pooch fetches.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.datasets.arrays import Labels, check_uint8, load_npy
from colorlib.datasets.download import fetch

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
# Of the archive, as Keras publishes it; torchvision checks the MD5 of each file inside.
HASH = "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def fetch_cifar100(root: Path) -> None:
    """Download CIFAR-100 and write {train,test}.npy, their labels and classes.txt into `root`.

    Raises OSError in one sentence when the archive cannot be had, or is not the official one;
    nothing half-written stays.
    """
    from torchvision.datasets import CIFAR100

    root.mkdir(parents=True, exist_ok=True)
    archive = fetch(URL, HASH, root)
    try:
        with tempfile.TemporaryDirectory(dir=root, suffix=".part") as folder:
            shutil.unpack_archive(archive, folder, filter="data")
            sets = {s: CIFAR100(folder, train=s == "train") for s in ("test", "train")}
    except RuntimeError as error:
        raise OSError("the CIFAR-100 archive lacks files, or they are corrupt") from error
    finally:
        archive.unlink(missing_ok=True)
    with paths.replacing(root / "classes.txt") as part:
        part.write_text("\n".join(sets["train"].classes) + "\n", encoding="utf-8")
    for split, data in sets.items():
        arrays = {f"{split}_labels": np.array(data.targets, dtype=np.uint8), split: data.data}
        for name, array in arrays.items():  # the images last: their presence says it is all there
            with paths.replacing(root / f"{name}.npy") as part, part.open("wb") as file:
                np.save(file, array)


def load_cifar100(split: str) -> tuple[np.ndarray, Labels | None]:
    """(Images, labels or None) of a split from the data root, downloaded where it is missing."""
    root = paths.data_root() / "cifar100"
    file, named = root / f"{split}.npy", root / f"{split}_labels.npy"
    if not file.exists():
        fetch_cifar100(root)
    images = check_uint8(load_npy(file), file)
    if not named.exists():
        return images, None
    labels = np.asarray(load_npy(named), dtype=np.int64)
    if labels.shape != (len(images),):
        raise ValueError(f"{named}: got shape {labels.shape}, expected ({len(images)},)")
    return images, (labels, (root / "classes.txt").read_text(encoding="utf-8").split())
