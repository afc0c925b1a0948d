"""Photographs and what systems made of them; the reader's own: data/outputs/SYSTEM/NAME.png."""

import glob
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from colorlib import paths
from colorlib.datasets.image_files import SUFFIXES, read_rgb


class Panel(NamedTuple):
    """One picture: a whole file, or a box of a collage."""

    path: Path
    box: tuple[int, int, int, int] | None = None  # left, top, right, bottom, in pixels of the file


class Photograph(NamedTuple):
    """A photograph and what systems made of it; pictures are read when asked for."""

    case: str
    group: str
    repository: str  # OWNER/NAME, or where the pictures are from
    panels: dict[str, Panel]  # by role: "truth", "input" (where it was published) or a system

    @property
    def outputs(self) -> dict[str, Panel]:
        """The pictures that systems made, by system."""
        return {k: panel for k, panel in self.panels.items() if k not in ("truth", "input")}

    def image(self, role: str = "truth") -> Image.Image:
        """The picture of a role, RGB, resized to the truth's size with a Lanczos filter.

        Raises ValueError for a role without a picture and for a damaged file, OSError without one.
        """
        if role not in self.panels:
            there = ", ".join(self.panels)
            raise ValueError(f"{self.case}: got role {role!r}, expected one of {there}")
        image = read_rgb(self.panels[role].path).crop(self.panels[role].box)
        if role == "truth" or "truth" not in self.panels:
            return image
        return image.resize(self.image().size, Image.Resampling.LANCZOS)


def own_outputs() -> tuple[list[Photograph], list[str]]:
    """(Photographs with the reader's outputs, one sentence for each output that cannot be used).

    An output belongs to the photograph of its name in data/inputs or data/photos, whose colours are
    the truth. Its system is called "SYSTEM (yours)".
    """
    root, said = paths.data_root(), []
    found: dict[str, Photograph] = {}
    for file in sorted((root / "outputs").glob("*/*")):
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        pattern = f"{glob.escape(file.stem)}.*"
        places = [*(root / "inputs").glob(pattern), *(root / "photos").rglob(pattern)]
        truth = min((p for p in places if p.suffix.lower() in SUFFIXES), default=None)
        try:
            read_rgb(file)
            if truth is None or not np.ptp(np.asarray(read_rgb(truth)), axis=-1).any():
                raise ValueError(
                    f"{file.relative_to(root)} needs a colour photograph of that name, "
                    f"{file.stem}.png or another format, in inputs/ or photos/"
                )
        except (OSError, ValueError) as error:
            said.append(f"Your output is left out: {error}")
            continue
        new = Photograph(file.stem, "yours", "yours", {"truth": Panel(truth)})
        photo = found.setdefault(file.stem, new)
        photo.panels[f"{file.parent.name} (yours)"] = Panel(file)
    return list(found.values()), said
