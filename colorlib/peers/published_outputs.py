"""Photographs that published systems coloured, with the true colours: 238, from six repositories.

published.json says for each file its repository, commit, path, SHA-256, size and licence, and for
each picture its file, with a box where the file is a collage. The pictures themselves are not part
of the project: `fetch_published` downloads them into the data root when the reader asks for it.
"""

import hashlib
import json
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from PIL import Image

from colorlib import paths
from colorlib.datasets.download import fetch
from colorlib.datasets.image_files import read_rgb
from colorlib.peers.own_outputs import Panel, Photograph, own_outputs

MANIFEST = paths.PACKAGE / "peers" / "published.json"
RAW = "https://raw.githubusercontent.com"
COURSE = "course"  # the group of the two photographs without true colours
ATTEMPTS, PAUSE = 3, 1.0  # per file; seconds before the second attempt, twice that before the third
WORKERS = 8  # files that are fetched at the same time
GIVE_UP = 3  # failed files after which a repository that gave none is not asked again


class File(NamedTuple):
    """One file of a public repository, and where its copy is kept."""

    name: str  # of the copy, below the data root
    repository: str  # OWNER/NAME
    commit: str
    licence: str
    path: str  # in the repository
    sha256: str
    bytes: int

    def local(self) -> Path:
        return paths.data_root() / self.name

    def address(self) -> str:
        return f"{RAW}/{self.repository}/{self.commit}/{quote(self.path)}"


@cache
def _content() -> dict:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def files() -> dict[str, File]:
    """Every file of the manifest by the name of its copy."""
    content = _content()
    sources = [(s["repository"], s["commit"], s["licence"]) for s in content["sources"]]
    return {
        name: File(name, *sources[source], *facts)
        for name, (source, *facts) in content["files"].items()
    }


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
            repository = known[name].repository
        truth, given = panels.pop("truth", None), panels.pop("input", None)
        found.append(Photograph(entry["case"], entry["group"], repository, truth, given, panels))
    return found


def published(quiet: bool = False) -> list[Photograph]:
    """The photographs whose truth and at least one output are in the data root.

    A published file counts if its SHA-256 is the published one. The reader's own outputs come last
    (`own_outputs`). Unless quiet, a sentence is printed if files are missing or cannot be used.
    """
    missing, found = missing_files(), []
    absent = {file.local() for file in missing}
    for photo in photographs():
        there = {s: panel for s, panel in photo.outputs.items() if panel.path not in absent}
        if photo.truth and photo.truth.path not in absent and there:
            found.append(photo._replace(outputs=there))
    own, said = own_outputs()
    if missing:
        said.append(
            f"{len(missing)} of the {len(published_files())} published files "
            f"({megabytes(missing):.1f} MB) are not in {paths.data_root() / 'published'}: "
            "`python -m colorlib published --fetch` fetches them."
        )
    if said and not quiet:
        print("\n".join(said))
    return found + own


def published_files() -> list[File]:
    """Every file that the photographs with true colours need."""
    by_path = {file.local(): file for file in files().values()}
    used = {panel.path for photo in photographs() if photo.truth for panel in photo.panels()}
    return sorted(by_path[path] for path in used)


def missing_files() -> list[File]:
    """The files of `published_files` that are not in the data root, or not as published."""
    return [file for file in published_files() if not is_here(file)]


def megabytes(expected: list[File]) -> float:
    return sum(file.bytes for file in expected) / 1e6


def is_here(file: File) -> bool:
    """Whether the copy is there and has the published SHA-256."""
    try:
        status = file.local().stat()
    except OSError:
        return False
    same_size = status.st_size == file.bytes
    return same_size and _sha256(file.local(), status.st_mtime_ns, status.st_size) == file.sha256


@cache
def _sha256(path: Path, changed: int, size: int) -> str:
    """Computed once for each state of a file, known by its time of change and its size."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch_published(workers: int = WORKERS) -> list[str]:
    """Download the published files that the data root lacks (all: about 40 MB).

    Prints the number and size first and shows progress. Each file is checked by its SHA-256 and
    takes its name only when it is complete. Returns one sentence for each repository that did not
    give every file, none if all is well: a failure does not stop the others.
    """
    from tqdm import tqdm

    expected, folder = missing_files(), paths.data_root() / "published"
    if not expected:
        print(f"All {len(published_files())} published files are in {folder}.")
        return []
    asked = [file.repository for file in expected]
    print(
        f"Fetching {len(expected)} files, {megabytes(expected):.1f} MB, from "
        f"{len(set(asked))} public repositories into {folder}"
    )
    failed: dict[str, list[str]] = defaultdict(list)  # repository -> why, for each file
    gave: set[str] = set()  # repositories that gave a file

    def fetch_one(file: File) -> File:
        reasons = failed[file.repository]
        if len(reasons) >= GIVE_UP and file.repository not in gave:
            reasons.append("not tried")
            return file
        try:
            fetch_file(file)
            gave.add(file.repository)
        except OSError as error:
            reasons.append(str(error))
        return file

    pool = ThreadPoolExecutor(workers)
    try:
        jobs = [pool.submit(fetch_one, file) for file in expected]
        with tqdm(total=sum(f.bytes for f in expected), unit="B", unit_scale=True) as bar:
            for job in as_completed(jobs):
                bar.update(job.result().bytes)
    finally:  # also when interrupted: files that have not begun are not begun
        pool.shutdown(cancel_futures=True)
    sentences = []
    for repository, reasons in sorted(failed.items()):
        if len(reasons) > 1:
            count = f"{len(reasons)} of {asked.count(repository)} files could not be fetched"
            sentences.append(f"{repository}: {count}; the first: {reasons[0]}")
        elif reasons:
            sentences.append(f"{repository}: {reasons[0]}")
    return sentences


def fetch_file(file: File) -> Path:
    """Download one file, up to `ATTEMPTS` times. OSError in one sentence if that fails."""
    local, known = file.local(), f"sha256:{file.sha256}"
    for attempt in range(1, ATTEMPTS):
        try:
            return fetch(file.address(), known, local.parent, local.name, progress=False)
        except OSError as error:
            if not worth_another_attempt(error):
                raise
            time.sleep(PAUSE * attempt)
    return fetch(file.address(), known, local.parent, local.name, progress=False)


def worth_another_attempt(error: OSError) -> bool:
    """Not when the server says that there is no such file, or the disk refuses to be written."""
    if error.__cause__ is None:
        return False
    response = getattr(error.__cause__, "response", None)
    return response is None or response.status_code == 429 or response.status_code >= 500


def published_file(name: str) -> Path:
    """The local copy of a file that the course project published, fetched if it is not there.

    name: as in peers/ of the data root. Raises OSError in one sentence when the file cannot be
    fetched, or is not the published file; ValueError for another name.
    """
    known = {file.local().name: file for key, file in files().items() if key.startswith("peers/")}
    if name not in known:
        raise ValueError(f"published_file: got {name!r}, expected one of {', '.join(known)}")
    return known[name].local() if is_here(known[name]) else fetch_file(known[name])


def course_outputs() -> dict[str, dict[str, Image.Image]]:
    """photograph -> {"input": image, "ECCV16": image, …}, RGB: the cow and the mountains.

    The files are fetched where the data root lacks them. OSError if they cannot be fetched.
    """
    found = {}
    for photo in photographs():
        if photo.group == COURSE:
            for panel in photo.panels():
                published_file(panel.path.name)
            outputs = {system: panel.image() for system, panel in photo.outputs.items()}
            found[photo.case] = {"input": read_rgb(photo.input.path), **outputs}
    return found
