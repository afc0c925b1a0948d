"""Ours and the published networks on the same luma: which can run here, and how they measure."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from colorlib import peers
from colorlib.color import lightness, luma, rgb_to_lab
from colorlib.compare.equal_budget import TITLES, settings
from colorlib.data import to_tensor
from colorlib.model import ColorNet, colorize
from colorlib.photos.colorize_photo import colorize_at
from colorlib.recipes import build
from colorlib.report.evaluation import evaluate_systems, grey
from colorlib.report.tables import COLUMNS, cells

IMAGENET = "ImageNet, 1.3 M photographs"
LEARNED_FROM = {
    "eccv16": IMAGENET,
    "siggraph17": IMAGENET,
    "deoldify-artistic": f"{IMAGENET}, and its labels",
    "deoldify-stable": f"{IMAGENET}, and its labels",
}


class System(NamedTuple):
    colorize: Callable[[Tensor], Tensor]  # luma (N, 1, H, W) to RGB (N, 3, H, W)
    kind: str  # "official weights", "trained here" or "none"
    parameters: int
    learned_from: str


def systems(
    model: ColorNet,
    vividness=(0.0, 0.75),
    download=False,
    inner: int | None = None,
    learned_from: str | None = None,
    **options,
) -> tuple[dict[str, System], list[str]]:
    """(name -> System, one line for each published network that cannot run here).

    Grey, ours at each vividness, and every published network whose weights are in the data root;
    with `download` the others' are fetched. inner: the shorter side at which ours sees an image,
    where that is not the image's own. learned_from: what ours
    learned from, in words. options: for the networks named, as `Peer.colorize`
    takes them: {"deoldify": {"render_factor": 10}}.
    """
    found = {"grey": System(grey, "none", 0, "nothing")}
    size = sum(p.numel() for p in model.parameters())
    for v in vividness:
        found[f"ours, vividness {v:g}"] = System(
            lambda gray, v=v: (
                colorize_at(model, gray, v, inner) if inner else colorize(model, gray, "luma", v)
            ),
            "trained here",
            size,
            learned_from or "not known",
        )
    missing = []
    for name, official in peers.OFFICIAL.items():
        here = peers.weights_path(name).is_file()
        if not here and not download:
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
        chosen = options.get(name.split("-")[0], {})
        found[official.title] = System(
            lambda gray, peer=peer, chosen=chosen: peer.colorize(gray, **chosen),
            "official weights",
            sum(p.numel() for p in peer.network.parameters()),
            LEARNED_FROM[name],
        )
    return found, missing


def measure(found: dict[str, System], images, resamples: int = 1000) -> list[dict]:
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

    runs = {name: system.colorize for name, system in found.items()}
    rows = evaluate_systems(runs, images, "luma", resamples, kept)
    described = ("kind", "parameters", "learned_from")
    return [row | {k: getattr(found[row["system"]], k) for k in described} for row in rows]


def with_original(result: dict) -> dict:
    """A kept `controlled.compare` whose rows end with the original's own network.

    Which was measured on fewer images, since it is slow, and without the judge.
    """
    row = result["original_network"]
    title = f"the original's own network, as long (first {row['count']:,} images)"
    return result | {"rows": [*result["rows"], row | {"system": title}]}


def learned_images(result: dict) -> int:
    """How many training images of CIFAR-100 each network of a kept `controlled.compare` saw."""
    return result["budget"].get("count") or 50_000 - result["budget"]["held"]


def recipe_rows(result: dict) -> list[dict]:
    """The rows of a kept `controlled.compare` as `measure` gives them; grey is there already.

    How far each moved the luma was not measured there: those columns are left out.
    """
    training = f"{learned_images(result):,} images of {result['data']['source']}, "
    training += f"{result['budget']['epochs']} epochs"
    rows = []
    for row in result["rows"]:
        recipe = next((r for r, title in TITLES.items() if row["system"].startswith(title)), None)
        if recipe:
            size = sum(p.numel() for p in build(settings(recipe))[0].parameters())
            learned = training + (", and its labels" if recipe == "nogan" else "")
            described = {"kind": "trained here", "parameters": size, "learned_from": learned}
            rows.append(row | described)
    return rows


def table(rows: list[dict], metrics) -> str:
    """Two Markdown tables of `measure`'s rows: what each system is, and how it did."""
    lines = ["| system | what runs | parameters, M | learned from | ms an image |"]
    lines.append("| --- | --- | ---: | --- | ---: |")
    for row in rows:
        lines.append(
            f"| {row['system']} | {row['kind']} | {row['parameters'] / 1e6:.2f} | "
            f"{row['learned_from']} | {1000 * row['seconds_per_image']:.1f} |"
        )
    lines += ["", "| system | " + " | ".join(COLUMNS[m] for m in metrics) + " |"]
    lines.append("| --- |" + " ---: |" * len(metrics))
    lines += [f"| {row['system']} | " + " | ".join(cells(row, metrics)) + " |" for row in rows]
    return "\n".join(lines)
