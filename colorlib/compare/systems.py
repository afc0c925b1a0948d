"""Ours and the published networks on the same luma: which can run here, and how they measure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from colorlib import peers
from colorlib.color import lightness, luma, rgb_to_lab
from colorlib.compare.equal_budget import run_config
from colorlib.data import to_tensor
from colorlib.model import ColorNet
from colorlib.photos.colorize_photo import colorize_at
from colorlib.recipes import build
from colorlib.report.evaluation import System, at_vividness, evaluate_systems, grey
from colorlib.report.tables import COLUMNS, cells, markdown_table, title

IMAGENET = "ImageNet, 1.3 M photographs"
TRAINED_ON = {
    "eccv16": IMAGENET,
    "siggraph17": IMAGENET,
    "deoldify-artistic": f"{IMAGENET}, and its labels",
    "deoldify-stable": f"{IMAGENET}, and its labels",
}


class Available(NamedTuple):
    """A system that can run here, and what tables say of it."""

    system: System
    kind: str  # "official weights", "trained here" or "none"
    parameters: int
    trained_on: str


def available_systems(
    model: ColorNet,
    vividness: Iterable[float] = (0.0, 0.75),
    download: bool = False,
    inner: int | None = None,
    trained_on: str | None = None,
    options: dict[str, dict] | None = None,
) -> tuple[list[Available], list[str]]:
    """(What runs here, one line for each published network that does not).

    Grey, ours at each vividness, and every published network whose weights are in the data root;
    with `download` the others' are fetched. inner: the shorter side at which our network sees an
    image, if it is not the image's own. trained_on: what our network was trained on, in words.
    options: what `Peer.colorize` takes, by the network's name:
    {"deoldify-stable": {"render_factor": 10}}.
    """
    size = sum(p.numel() for p in model.parameters())
    ours = at_vividness(model, "luma", vividness)
    if inner:
        ours = [
            s._replace(colorize=lambda gray, v=s.vividness: colorize_at(model, gray, v, inner))
            for s in ours
        ]
    found = [Available(System("grey", grey), "none", 0, "nothing")]
    found += [Available(s, "trained here", size, trained_on or "not known") for s in ours]
    missing = []
    for name, official in peers.OFFICIAL.items():
        if not peers.weights_path(name).is_file() and not download:
            missing.append(
                f"{official.title} does not run here: its official weights "
                f"({official.megabytes} MB) are not in the data root, and DOWNLOAD is off."
            )
            continue
        try:
            peer = peers.load(name)
        except (OSError, ValueError) as error:
            missing.append(f"{official.title} does not run here: {error}.")
            continue
        chosen = (options or {}).get(name, {})
        system = System(name, lambda gray, peer=peer, chosen=chosen: peer.colorize(gray, **chosen))
        weights = sum(p.numel() for p in peer.network.parameters())
        found.append(Available(system, "official weights", weights, TRAINED_ON[name]))
    return found, missing


def measure_systems(
    found: Sequence[Available], images: np.ndarray, resamples: int = 1000
) -> list[dict]:
    """A row a system on uint8 images (N, H, W, 3): every metric, and how its grey was kept.

    "luma_difference" in 8-bit steps, "lightness_difference" in units of L*: means over pixels.
    """
    gray = luma(to_tensor(images))
    level = lightness(gray)

    def kept(rgb: Tensor, truth: Tensor) -> dict[str, float]:
        return {
            "luma_difference": 255 * (luma(rgb) - gray).abs().mean().item(),
            "lightness_difference": (rgb_to_lab(rgb)[:, :1] - level).abs().mean().item(),
        }

    rows = evaluate_systems([x.system for x in found], images, "luma", resamples, kept)
    return [
        row | {"kind": x.kind, "parameters": x.parameters, "trained_on": x.trained_on}
        for row, x in zip(rows, found, strict=True)
    ]


def with_original(result: dict) -> dict:
    """A comparison at an equal budget whose rows end with the original's own network.

    That network is slow, so it was measured on fewer images, and without the classifiers.
    """
    return result | {"rows": [*result["rows"], result["original_network"]]}


def training_images(result: dict) -> int:
    """How many images of CIFAR-100 each network of a comparison at an equal budget was shown."""
    budget = result["config"]["budget"]
    return budget.get("count") or 50_000 - budget["validation"]


def recipe_rows(result: dict) -> list[dict]:
    """The rows of a comparison at an equal budget as `measure_systems` gives them, without grey.

    How far each moved the luma was not measured there: those columns are left out.
    """
    training = f"{training_images(result):,} images of {result['data']['title']}, "
    training += f"{result['config']['budget']['epochs']} epochs"
    rows = []
    for row in result["rows"]:
        recipe = row.get("recipe")
        if recipe:
            size = sum(p.numel() for p in build(run_config(recipe))[0].parameters())
            trained_on = training + (", and its labels" if recipe == "nogan" else "")
            rows.append(
                row | {"kind": "trained here", "parameters": size, "trained_on": trained_on}
            )
    return rows


def systems_tables(rows: list[dict], metrics: Sequence[str]) -> str:
    """Two Markdown tables of `measure_systems`' rows: what each system is, and how it did."""
    described = [
        [
            title(row),
            row["kind"],
            f"{row['parameters'] / 1e6:.2f}",
            row["trained_on"],
            f"{1000 * row['seconds_per_image']:.1f}",
        ]
        for row in rows
    ]
    header = ["system", "what runs", "parameters, M", "trained on", "ms an image"]
    measured = [[title(row), *cells(row, metrics)] for row in rows]
    return "\n\n".join(
        (
            markdown_table(header, described, "llrlr"),
            markdown_table(["system", *(COLUMNS[m] for m in metrics)], measured),
        )
    )
