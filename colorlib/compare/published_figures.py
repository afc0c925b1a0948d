"""Figures of the published benchmark: PSNR of ours against theirs, and rows of photographs."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor

from colorlib.compare.published import APART, CHOSEN, MAIN, pictures, row_title, setting_key
from colorlib.data import to_images
from colorlib.peers.published_outputs import TITLES, Photograph
from colorlib.photos.colorize_photo import network
from colorlib.report.style import COLUMN, OTHER, OURS, PAGE, TRUTH

SHOWN = (0.0, 0.5)  # vividness of ours in the rows of photographs
MOST, RANDOM = 3, 2  # rows of our best and of our worst; rows drawn at random
SIDE = 224  # pixels of a picture in the figure
CELL, LABELS = 1.0, 0.95  # inches: the largest picture, the column of labels


class Example(NamedTuple):
    """One row of the figure of photographs."""

    case: str
    why: str  # "best", "worst" or "random"
    difference: float  # PSNR of ours minus that of the best system, dB


def scatter(result: dict, vividness: float = 0.0, note: str = "") -> Figure:
    """PSNR of ours against that of each published system, one dot a photograph; column width.

    result: of `measure_published`. Classes that were chosen by result have a panel of their own.
    Raises ValueError if the result does not hold that vividness.
    """
    key = setting_key(vividness)
    panels = scatter_panels(result, key)
    rows = -(-len(panels) // 2)
    fig, axes = plt.subplots(
        rows, 2, figsize=(COLUMN, 1.72 * rows + 0.2), squeeze=False, sharex=True, sharey=True
    )
    every = np.array([value for _, pair in panels for value in pair.flatten()])
    low, high = np.floor(every.min()) - 1, np.ceil(every.max()) + 1
    for axis, (title, (theirs, ours)) in zip(axes.flat, panels, strict=False):
        axis.plot((low, high), (low, high), color=TRUTH, lw=0.7)
        axis.scatter(theirs, ours, s=7, lw=0, alpha=0.6, color=np.where(ours > theirs, OURS, OTHER))
        axis.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axis.set_title(f"{title}\nours higher: {(ours > theirs).sum()} of {len(ours)}", fontsize=7)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    fig.supxlabel("PSNR of the published system, dB" + (f"\n{note}" if note else ""), fontsize=8)
    fig.supylabel(f"PSNR of {row_title(key)}, dB", fontsize=8)
    return fig


def scatter_panels(result: dict, key: str) -> list[tuple[str, np.ndarray]]:
    """(title, PSNR (2, N) of the system and of ours) for each system, chosen classes apart."""
    found = []
    for system, title in TITLES.items():
        for scope in (MAIN, APART):
            rows = [
                row
                for row in result["photographs"]
                if system in row["psnr"] and (row["group"] in CHOSEN) == (scope == APART)
            ]
            if not rows:
                continue
            if key not in rows[0]["psnr"]:
                known = ", ".join(f"{v:g}" for v in result["vividness"])
                raise ValueError(f"scatter: got {row_title(key)}, expected a vividness of {known}")
            pair = np.array([(row["psnr"][system], row["psnr"][key]) for row in rows]).T
            found.append((title if scope == MAIN else f"{title}, chosen classes", pair))
    return found


def choose_examples(
    result: dict, systems: tuple[str, ...], vividness: float = 0.0
) -> list[Example]:
    """Photographs for the figure, chosen by number: our 3 best, our 3 worst, 2 at random.

    Only photographs that exactly these systems coloured take part, without the classes chosen by
    result. The number is our PSNR minus that of the best system there. The random ones are drawn
    from the rest, with seed 0. Fewer rows come back where there are fewer photographs. Raises
    ValueError if there is none.
    """
    key = setting_key(vividness)
    gaps = {
        row["case"]: row["psnr"][key] - max(row["psnr"][system] for system in systems)
        for row in result["photographs"]
        if row["group"] not in CHOSEN and systems_of_row(row) == set(systems)
    }
    if not gaps:
        raise ValueError(
            f"choose_examples: got {', '.join(systems)}, but no photograph was coloured by exactly "
            "these systems"
        )
    order = sorted(gaps, key=lambda case: (-gaps[case], case))
    best = order[:MOST]
    worst = order[len(best) :][::-1][:MOST]
    rest = sorted(set(order) - set(best) - set(worst))
    drawn = np.random.default_rng(0).permutation(len(rest))[:RANDOM]
    chosen = [(case, "best") for case in best] + [(case, "worst") for case in worst]
    chosen += [(rest[i], "random") for i in drawn]
    return [Example(case, why, gaps[case]) for case, why in chosen]


def systems_of_row(row: dict) -> set[str]:
    """The published systems that coloured a photograph of the result."""
    return set(row["psnr"]) & set(TITLES)


def examples(
    result: dict,
    model,
    photographs: list[Photograph],
    systems: tuple[str, ...] = ("deoldify-stable", "deoldify-artistic", "ddcolor"),
    vividness: tuple[float, ...] = SHOWN,
    **options,
) -> Figure:
    """Rows of photographs: grey, ours, every system that coloured them, truth; PSNR in each.

    result: of `measure_published`; photographs: `peers.published()`. `choose_examples` chooses the
    rows, at the first vividness. All pictures are shown as measured, with the truth's luma, cut to
    the middle square. options: of `colorize_photo`.
    """
    chosen = choose_examples(result, systems, vividness[0])
    known, model = {photo.case: photo for photo in photographs}, network(model)
    numbers = {row["case"]: row["psnr"] for row in result["photographs"]}
    keys = ["grey", *map(setting_key, vividness), *systems, "truth"]
    width = min(PAGE, LABELS + CELL * len(keys))
    cell = (width - LABELS) / len(keys)
    fig, axes = plt.subplots(
        len(chosen), len(keys), figsize=(width, cell * len(chosen) + 0.35), squeeze=False
    )
    for line, example in zip(axes, chosen, strict=True):
        shown = pictures(known[example.case], model, vividness, **options)
        for axis, key in zip(line, keys, strict=True):
            _draw(axis, square(shown[key]), numbers[example.case].get(key))
        line[0].set_ylabel(_label(example), rotation=0, ha="right", va="center", fontsize=6.5)
    for axis, key in zip(axes[0], keys, strict=True):
        axis.set_title(row_title(key).replace(", ", ",\n").replace("DeOldify ", "DeOldify\n"))
    fig.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
    return fig


def square(rgb: Tensor) -> np.ndarray:
    """RGB (1, 3, H, W) as uint8 (SIDE, SIDE, 3): the middle square, resized."""
    image = Image.fromarray(to_images(rgb)[0])
    return np.asarray(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS))


def _draw(axis, picture: np.ndarray, psnr: float | None) -> None:
    axis.imshow(picture)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    if psnr is not None:
        box = {"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.8}
        axis.text(5, SIDE - 7, f"{psnr:.1f}", fontsize=6, va="bottom", bbox=box)


def _label(example: Example) -> str:
    words = {"best": "our best", "worst": "our worst", "random": "at random"}
    rounded = round(example.difference, 1) + 0.0  # never "-0.0"
    return f"{words[example.why]}\n{example.case}\n{rounded:+.1f} dB"


def examples_caption(result: dict, systems: tuple[str, ...], vividness: float = 0.0) -> str:
    """How the rows of `examples` were chosen, in words, for the text below the figure."""
    among = sum(
        row["group"] not in CHOSEN and systems_of_row(row) == set(systems)
        for row in result["photographs"]
    )
    counts = [e.why for e in choose_examples(result, systems, vividness)]
    names = [TITLES[system] for system in systems]
    best = f"the best of {listed(names)}" if len(names) > 1 else names[0]
    return (
        f"Rows were chosen by number among the {among} photographs that {listed(names)} "
        f"coloured: the {counts.count('best')} where PSNR of {row_title(setting_key(vividness))}, "
        f"minus that of {best} is largest, the {counts.count('worst')} where it is smallest, and "
        f"{counts.count('random')} of the others drawn at random (seed 0). The number in each "
        "picture is its PSNR in dB. All pictures have the truth's luma; the middle square is shown."
    )


def listed(names: list[str]) -> str:
    """ "A", "A and B" or "A, B and C"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
