"""Images and labels from a folder of image files, flat or in class subfolders, or a .npy file."""

from pathlib import Path

import numpy as np

from colorlib.datasets.arrays import Labels, check_uint8, load_npy
from colorlib.datasets.image_files import images_in, read_rgb, square

SPLITS = {"train": ("train",), "test": ("test", "val", "valid", "validation")}


def load_path(path: Path, split: str, size: int) -> tuple[np.ndarray, Labels | None]:
    """(Images, labels or None) of a folder or a .npy file; see `data.load_images`."""
    if path.suffix == ".npy" and path.is_file():
        _only_train(path, split)
        return check_uint8(load_npy(path), path), None
    folder, files = image_files(path, split)
    from tqdm import tqdm

    images = np.stack(
        [square(read_rgb(f), size) for f in tqdm(files, "reading images", delay=2, leave=False)]
    )
    if any(f.parent == folder for f in files):
        return images, None
    names = sorted({f.relative_to(folder).parts[0] for f in files})
    labels = [names.index(f.relative_to(folder).parts[0]) for f in files]
    return images, (np.array(labels, dtype=np.int64), names)


def image_files(path: Path, split: str) -> tuple[Path, list[Path]]:
    """The folder of a split and its image files by name; ValueError where there are none."""
    folder = _split_folder(path, split)
    return folder, images_in(folder)


def _split_folder(path: Path, split: str) -> Path:
    if not path.is_dir():
        raise ValueError(
            f'source: got {str(path)!r}, which is no folder or .npy file here; wanted "auto", '
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
