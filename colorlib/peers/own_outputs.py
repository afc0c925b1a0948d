"""Photographs and what systems made of them; the reader's own: data/outputs/SYSTEM/NAME.png."""

import glob
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from colorlib import paths
from colorlib.datasets.image_files import SUFFIXES, read_rgb


class Panel(NamedTuple):
    """One picture: a whole file, or a box of a collage."""

    path: Path
    box: tuple[int, int, int, int] | None = None  # left, top, right, bottom, in pixels of the file

    def image(self) -> Image.Image:
        """The picture, RGB. OSError where the file is not there, ValueError if it is damaged."""
        image = read_rgb(self.path)
        return image.crop(self.box) if self.box else image


class Photograph(NamedTuple):
    """A photograph and what systems made of it; pictures are read when asked for."""

    case: str
    group: str
    repository: str  # OWNER/NAME, or where the pictures are from
    truth: Panel | None  # None: the true colours are not known
    input: Panel | None  # what the system was given, where that was published
    outputs: dict[str, Panel]  # by system

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
        size = self.truth.image().size if self.truth and role != "truth" else image.size
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def own_outputs() -> tuple[list[Photograph], list[str]]:
    """(Photographs with the reader's outputs, one sentence for each output that cannot be used).

    An output belongs to the photograph of its name in data/inputs or data/photos, whose colours are
    the truth. Its system is called "SYSTEM (yours)".
    """
    root, found, said = paths.data_root(), {}, []
    for file in sorted((root / "outputs").glob("*/*")):
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        pattern = f"{glob.escape(file.stem)}.*"
        places = [*(root / "inputs").glob(pattern), *(root / "photos").rglob(pattern)]
        places = sorted(place for place in places if place.suffix.lower() in SUFFIXES)
        try:
            read_rgb(file)
            red, *others = read_rgb(places[0]).split() if places else [None]
        except (OSError, ValueError) as error:
            said.append(f"Your output is left out: {error}")
            continue
        if all(other.tobytes() == red.tobytes() for other in others):
            said.append(
                f"Your output {file.relative_to(root)} is left out: it needs a colour photograph "
                f"of that name, {file.stem}.png or another format, in inputs/ or photos/"
            )
            continue
        truth = Panel(places[0])
        empty = Photograph(file.stem, "yours", "yours", truth, None, {})
        photo = found.setdefault(file.stem, empty)
        photo.outputs[f"{file.parent.name} (yours)"] = Panel(file)
    return list(found.values()), said
