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

MANIFEST = paths.PACKAGE / "peers" / "published.json"
RAW = "https://raw.githubusercontent.com"
TITLES = {
    "eccv16": "ECCV16",
    "siggraph17": "SIGGRAPH17",
    "deoldify-stable": "DeOldify stable",
    "deoldify-artistic": "DeOldify artistic",
    "ddcolor": "DDColor",
}
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


class Panel(NamedTuple):
    """One picture: a whole file, or a box of a collage."""

    file: File
    box: tuple[int, int, int, int] | None  # left, top, right, bottom, in pixels of the file

    def image(self) -> Image.Image:
        """The picture, RGB. OSError where the file is not there, ValueError if it is damaged."""
        image = read_rgb(self.file.local())
        return image.crop(self.box) if self.box else image


class Photograph(NamedTuple):
    """A photograph and what published systems made of it; pictures are read when asked for."""

    case: str
    group: str
    truth: Panel | None  # None: the true colours are not known
    input: Panel | None  # what the system was given, where that was published
    outputs: dict[str, Panel]  # by system: a key of TITLES

    @property
    def repository(self) -> str:
        return self.panels()[0].file.repository

    @property
    def licence(self) -> str:
        return self.panels()[0].file.licence

    def panels(self) -> list[Panel]:
        """Every picture that there is: truth, input, outputs."""
        return [panel for panel in (self.truth, self.input, *self.outputs.values()) if panel]

    def image(self, role: str = "truth") -> Image.Image:
        """The picture of a role ("truth", "input" or a system), RGB, at the truth's size.

        An output of another size is resized to the truth's with a Lanczos filter. Raises ValueError
        for a role that there is no picture of.
        """
        found = {"truth": self.truth, "input": self.input, **self.outputs}
        if found.get(role) is None:
            there = ", ".join(name for name, panel in found.items() if panel)
            raise ValueError(f"{self.case}: got role {role!r}, expected one of {there}")
        image = found[role].image()
        if role == "truth" or self.truth is None:
            return image
        size = self.truth.image().size
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


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
            panels[role] = Panel(known[name], tuple(box) if box else None)
        truth, given = panels.pop("truth", None), panels.pop("input", None)
        found.append(Photograph(entry["case"], entry["group"], truth, given, panels))
    return found


def published(quiet: bool = False) -> list[Photograph]:
    """The photographs with true colours whose truth and at least one output are in the data root.

    A file counts if its SHA-256 is the published one. Prints one sentence if files are missing,
    unless quiet.
    """
    missing = missing_files()
    if missing and not quiet:
        print(
            f"{len(missing)} of the {len(published_files())} published files "
            f"({megabytes(missing):.1f} MB) are not in {paths.data_root() / 'published'}: "
            "`python -m colorlib published --fetch` fetches them."
        )
    absent = {file.name for file in missing}
    found = [_present(photo, absent) for photo in photographs() if photo.truth]
    return [photo for photo in found if photo.truth and photo.outputs]


def _present(photo: Photograph, absent: set[str]) -> Photograph:
    """The photograph without the pictures whose files are absent."""

    def kept(panel: Panel | None) -> Panel | None:
        return None if panel is None or panel.file.name in absent else panel

    outputs = {system: panel for system, panel in photo.outputs.items() if kept(panel)}
    return photo._replace(truth=kept(photo.truth), input=kept(photo.input), outputs=outputs)


def published_files() -> list[File]:
    """Every file that the photographs with true colours need."""
    used = {panel.file for photo in photographs() if photo.truth for panel in photo.panels()}
    return sorted(used)


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
    if status.st_size != file.bytes:
        return False
    return _sha256(file.local(), status.st_mtime_ns, status.st_size) == file.sha256


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
    expected, folder = missing_files(), paths.data_root() / "published"
    if not expected:
        print(f"All {len(published_files())} published files are in {folder}.")
        return []
    print(
        f"Fetching {len(expected)} files, {megabytes(expected):.1f} MB, from "
        f"{len({file.repository for file in expected})} public repositories into {folder}"
    )
    return _sentences(expected, _fetch_all(expected, workers))


def _fetch_all(expected: list[File], workers: int) -> dict[str, list[tuple[File, str]]]:
    """Fetch files in parallel; repository -> its files that failed, each with the reason."""
    from tqdm import tqdm

    failed: dict[str, list[tuple[File, str]]] = defaultdict(list)
    gave: set[str] = set()  # repositories that gave a file

    def fetch_one(file: File) -> File:
        tried = failed[file.repository]
        if len(tried) >= GIVE_UP and file.repository not in gave:
            tried.append((file, "not tried"))
            return file
        try:
            _fetch_file(file)
            gave.add(file.repository)
        except OSError as error:
            tried.append((file, str(error)))
        return file

    pool = ThreadPoolExecutor(workers)
    try:
        jobs = [pool.submit(fetch_one, file) for file in expected]
        with tqdm(total=sum(f.bytes for f in expected), unit="B", unit_scale=True) as bar:
            for job in as_completed(jobs):
                bar.update(job.result().bytes)
    finally:  # also when interrupted: files that have not begun are not begun
        pool.shutdown(cancel_futures=True)
    return {repository: found for repository, found in failed.items() if found}


def _fetch_file(file: File) -> Path:
    """Download one file, up to `ATTEMPTS` times. OSError in one sentence if that fails."""
    local = file.local()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            known = f"sha256:{file.sha256}"
            return fetch(file.address(), known, local.parent, local.name, progress=False)
        except OSError as error:
            if attempt == ATTEMPTS or not _worth_another_attempt(error):
                raise
            time.sleep(PAUSE * attempt)
    raise AssertionError("ATTEMPTS must be at least 1")


def _worth_another_attempt(error: OSError) -> bool:
    """Not when the server says that there is no such file, or the disk refuses to be written."""
    if error.__cause__ is None:
        return False
    response = getattr(error.__cause__, "response", None)
    return response is None or response.status_code == 429 or response.status_code >= 500


def _sentences(expected: list[File], failed: dict[str, list[tuple[File, str]]]) -> list[str]:
    """One sentence for each repository with failed files."""
    found = []
    for repository, pairs in failed.items():
        reason = pairs[0][1]
        if len(pairs) > 1:
            asked = sum(file.repository == repository for file in expected)
            reason = f"{len(pairs)} of {asked} files could not be fetched; the first: {reason}"
        found.append(f"{repository}: {reason}")
    return sorted(found)


def published_file(name: str) -> Path:
    """The local copy of a file that the course project published, fetched if it is not there.

    name: as in peers/ of the data root. Raises OSError in one sentence when the file cannot be
    fetched, or is not the published file; ValueError for another name.
    """
    known = files()
    if f"peers/{name}" not in known:
        names = (key.removeprefix("peers/") for key in known if key.startswith("peers/"))
        raise ValueError(f"published_file: got {name!r}, expected one of {', '.join(names)}")
    file = known[f"peers/{name}"]
    return file.local() if is_here(file) else _fetch_file(file)


def course_outputs() -> dict[str, dict[str, Image.Image]]:
    """photograph -> {"input": image, "ECCV16": image, …}, RGB: the cow and the mountains.

    The files are fetched where the data root lacks them. OSError if they cannot be fetched.
    """
    found = {}
    for photo in photographs():
        if photo.group == COURSE:
            for panel in photo.panels():
                published_file(panel.file.local().name)
            outputs = {system: panel.image() for system, panel in photo.outputs.items()}
            found[photo.case] = {"input": photo.input.image(), **outputs}
    return found
