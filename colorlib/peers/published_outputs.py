"""Photographs that published systems coloured, with the true colours: 238, from six repositories.

published.json says for each file its repository, commit, path, SHA-256, size and licence, and for
each picture its file, with a box where the file is a collage. The pictures themselves are not part
of the project: `fetch_published` downloads them into the data root when the reader asks for it.
"""

import hashlib
import json
import time
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from PIL import Image

from colorlib import paths
from colorlib.datasets.download import fetch
from colorlib.peers.own_outputs import Panel, Photograph, own_outputs

MANIFEST = paths.PACKAGE / "peers" / "published.json"
RAW = "https://raw.githubusercontent.com"
ATTEMPTS, PAUSE = 3, 1.0  # per file; seconds before the second attempt, twice that before the third
WORKERS = 8  # files that are fetched at the same time
GIVE_UP = 3  # failed files after which a repository is not asked again


class File(NamedTuple):
    """One file of a public repository, and where its copy is kept."""

    name: str  # of the copy, below the data root
    repository: str  # OWNER/NAME
    commit: str
    path: str  # in the repository
    sha256: str
    bytes: int

    def local(self) -> Path:
        return paths.data_root() / self.name

    def address(self) -> str:
        return f"{RAW}/{self.repository}/{self.commit}/{quote(self.path)}"

    def is_here(self) -> bool:
        """Whether the copy is there and has the published SHA-256."""
        copy = self.local()
        return copy.is_file() and hashlib.sha256(copy.read_bytes()).hexdigest() == self.sha256


@cache
def _content() -> dict:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def files(folder: str = "") -> dict[str, File]:
    """The files of the manifest (those of one folder) by the name of their copy.

    Folder "published": of the photographs with true colours. "peers": of the course project.
    """
    content, found = _content(), {}
    for name, (source, *facts) in content["files"].items():
        if name.startswith(folder):
            origin = content["sources"][source]
            found[name] = File(name, origin["repository"], origin["commit"], *facts)
    return found


def photographs() -> list[Photograph]:
    """Every photograph of the manifest, whether its files are in the data root or not.

    The two of the group "course", whose true colours are not known, come last.
    """
    known, found = files(), []
    for entry in _content()["photographs"]:
        panels = {}
        for role, place in entry["panels"].items():
            name, box = (place, None) if isinstance(place, str) else place
            panels[role] = Panel(known[name].local(), tuple(box) if box else None)
        repository = known[name].repository  # one for all pictures of a photograph
        found.append(Photograph(entry["case"], entry["group"], repository, panels))
    return found


def published(quiet: bool = False) -> list[Photograph]:
    """The photographs whose truth and at least one output are in the data root.

    A published file counts if its SHA-256 is the published one. The reader's own outputs come last
    (`own_outputs`). Unless quiet, a sentence is printed if files are missing or cannot be used.
    """
    missing, found = missing_files(), []
    absent = {file.local() for file in missing}
    for photo in photographs():
        there = {role: panel for role, panel in photo.panels.items() if panel.path not in absent}
        photo = photo._replace(panels=there)
        if "truth" in there and photo.outputs:
            found.append(photo)
    own, said = own_outputs()
    if missing:
        said.append(
            f"{len(missing)} of the {len(files('published'))} published files "
            f"({megabytes(missing):.1f} MB) are not in {paths.data_root() / 'published'}: "
            "`python -m colorlib published --fetch` fetches them."
        )
    if said and not quiet:
        print("\n".join(said))
    return found + own


def missing_files() -> list[File]:
    """The files of photographs with true colours that the data root lacks, or has damaged."""
    return [file for file in files("published").values() if not file.is_here()]


def megabytes(expected: list[File]) -> float:
    return sum(file.bytes for file in expected) / 1e6


def fetch_published(workers: int = WORKERS) -> list[str]:
    """Download the published files that the data root lacks (all: about 40 MB).

    Prints the number and size first and shows progress. Each file is checked by its SHA-256 and
    takes its name only when it is complete. Returns one sentence for each repository that did not
    give every file, none if all is well: a failure does not stop the others.
    """
    from tqdm import tqdm
    from tqdm.contrib.concurrent import thread_map

    expected, folder = missing_files(), paths.data_root() / "published"
    if not expected:
        print(f"All {len(files('published'))} published files are in {folder}.")
        return []
    asked = Counter(file.repository for file in expected)
    print(
        f"Fetching {len(expected)} files, {megabytes(expected):.1f} MB, from "
        f"{len(asked)} public repositories into {folder}"
    )
    failed: dict[str, list[str]] = {repository: [] for repository in asked}  # -> why

    def fetch_one(file: File) -> None:
        reasons = failed[file.repository]
        if len(reasons) < GIVE_UP:
            try:
                fetch_file(file)
            except OSError as error:
                reasons.append(str(error))

    thread_map(fetch_one, expected, max_workers=workers, tqdm_class=tqdm, unit=" files")
    lost = Counter(file.repository for file in expected if not file.is_here())
    return [
        f"{name}: {count} of {asked[name]} files could not be fetched; the first: {failed[name][0]}"
        for name, count in sorted(lost.items())
    ]


def fetch_file(file: File) -> Path:
    """Download one file, in up to `ATTEMPTS` attempts. OSError in one sentence if all fail."""
    place = file.local()
    words = file.address(), f"sha256:{file.sha256}", place.parent, place.name, False
    for attempt in range(1, ATTEMPTS):
        with suppress(OSError):
            return fetch(*words)
        time.sleep(PAUSE * attempt)
    return fetch(*words)


def published_file(name: str) -> Path:
    """The local copy of a file that the course project published, fetched if it is not there.

    name: as in peers/ of the data root. Raises OSError in one sentence when the file cannot be
    fetched, or is not the published file; ValueError for another name.
    """
    known = {file.local().name: file for file in files("peers").values()}
    if name not in known:
        raise ValueError(f"published_file: got {name!r}, expected one of {', '.join(known)}")
    return known[name].local() if known[name].is_here() else fetch_file(known[name])


def course_outputs() -> dict[str, dict[str, Image.Image]]:
    """photograph -> {"input": image, "ECCV16": image, …}, RGB: the cow and the mountains.

    The files are fetched where the data root lacks them. OSError if they cannot be fetched.
    """
    found = {}
    for photo in photographs():
        if "truth" not in photo.panels:
            for panel in photo.panels.values():
                published_file(panel.path.name)
            found[photo.case] = {role: photo.image(role) for role in photo.panels}
    return found
