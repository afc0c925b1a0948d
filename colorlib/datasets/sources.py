"""Names of a source of images: as a file, as a title, and where its prepared array is kept."""

import hashlib
import os
import re
from pathlib import Path

from colorlib import paths

SAMPLE = "built-in sample (smoke test)"
TITLES = {"cifar100": "CIFAR-100", "photos": "photographs", "sample": SAMPLE}


def describe(source: str) -> str:
    """What tables and figures call a resolved source."""
    return TITLES.get(source, Path(source).name)


def slug(source: str) -> str:
    """A file name for a resolved source: its own, or for a path its last part and a hash of it."""
    if source in TITLES:
        return source
    whole = Path(source).expanduser().resolve()
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
