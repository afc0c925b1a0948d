"""Names of a source of images: as a file, as a title, and where its prepared array is kept."""

import hashlib
import os
import re
from pathlib import Path

from colorlib import paths
from colorlib.datasets.folders import state


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
