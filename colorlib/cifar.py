"""CIFAR-100 from its official archive: fetched once, read by torchvision, kept as plain .npy.

pooch fetches (time limit, checksum, written beside and renamed) because torchvision's own download
has no time limit and writes in place; torchvision reads.
"""

import tarfile
import tempfile
from pathlib import Path

import numpy as np

from colorlib import paths

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
HASH = "md5:eb9058c3a382ffc7106e4002c42a8d85"  # as torchvision gives it


def fetch_cifar100(root: Path) -> None:
    """Download CIFAR-100 and write {train,test}.npy, their labels and classes.txt into `root`.

    Raises OSError in one sentence when the archive cannot be had, or is not the official one;
    nothing half-written stays.
    """
    root.mkdir(parents=True, exist_ok=True)
    archive = fetch(URL, HASH, root)
    try:
        with tempfile.TemporaryDirectory(dir=root, suffix=".part") as folder:
            _unpack(archive, Path(folder))
            _convert(Path(folder), root)
    finally:
        archive.unlink(missing_ok=True)


def fetch(
    url: str, known_hash: str, folder: Path, name: str | None = None, progress: bool = True
) -> Path:
    """The file at `url`, in `folder`, its hash checked. OSError in one sentence when it fails."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        file = pooch.retrieve(
            url,
            known_hash=known_hash,
            path=folder,
            fname=name or url.rsplit("/", 1)[-1],
            downloader=pooch.HTTPDownloader(timeout=(10, 60), progressbar=progress),
        )
    except requests.exceptions.RequestException as error:
        raise OSError(f"{url} could not be fetched: {_reason(error)}") from error
    except ValueError as error:
        raise OSError(f"{url} is not the published file: its checksum differs") from error
    return Path(file)


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code}"
    text = str(error)
    if "NameResolution" in text or "Name or service" in text:
        return "no network, or no such host"
    return {"ConnectTimeout": "no answer in 10 s", "ReadTimeout": "no data for 60 s"}.get(
        type(error).__name__, "the connection failed or broke off"
    )


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise OSError(f"{archive.name} is not a readable archive ({error})") from error


def _convert(folder: Path, root: Path) -> None:
    from torchvision.datasets import CIFAR100

    try:
        sets = {s: CIFAR100(folder, train=s == "train", download=False) for s in ("test", "train")}
    except RuntimeError as error:
        raise OSError("the CIFAR-100 archive lacks files, or they are corrupt") from error
    with paths.replacing(root / "classes.txt") as part:
        part.write_text("\n".join(sets["train"].classes) + "\n", encoding="utf-8")
    for split, data in sets.items():
        arrays = {f"{split}_labels": np.array(data.targets, dtype=np.uint8), split: data.data}
        for name, array in arrays.items():  # the images last: their presence says it is all there
            with paths.replacing(root / f"{name}.npy") as part, part.open("wb") as file:
                np.save(file, array)
