"""Results as data: measured once, kept in data/results/*.json; tables and prose come from there."""

import json
import re
import time
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from colorlib import paths
from colorlib.color import check_given, join, luma, to_gray
from colorlib.data import describe, load_images, resolve, slug, to_tensor
from colorlib.decode import CELL_HEADS
from colorlib.metrics import NAMES, colourfulness, paired_bootstrap, per_image, summary
from colorlib.model import ColorNet, colorize, mark
from colorlib.paths import machine

COLUMNS = NAMES | {
    "top1": "judge's top-1",
    "frechet": "Fréchet distance",
    "gap_closed": "share of the gap closed",
    "luma_difference": "luma moved, 8-bit steps",
    "lightness_difference": "L* moved",
}
DIGITS = {"psnr": 2, "colourfulness": 1, "ciede2000": 2, "colourfulness_ratio": 2, "frechet": 3}
DIGITS |= {"luma_difference": 2, "lightness_difference": 2}


def save_result(name: str, content: dict) -> dict:
    """Write `content` as NAME.json into the results folder; return it.

    What does not say by which command it was made is the notebooks'.
    """
    made = {"full": "make full", "quick": "make report"}[paths.profile()]
    content = {"command": made, "date": date.today().isoformat()} | content
    paths.write_json(paths.results() / f"{name}.json", content)
    return content


def load_result(name: str, committed: bool = False) -> dict:
    """NAME.json of this run's results, or the committed one where this run has none."""
    folders = [paths.COMMITTED_RESULTS] if committed else [paths.results(), paths.COMMITTED_RESULTS]
    for folder in folders:
        if (folder / f"{name}.json").is_file():
            return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    raise ValueError(f"{name}.json is in no results folder; `python -m colorlib evaluate` makes it")


def mean_colour(model: ColorNet, gray: Tensor, given: str) -> Tensor:
    """The baseline that gives every pixel the training images' mean chroma."""
    chroma = (model.prior @ model.cells).view(1, 2, 1, 1).to(gray.device)
    return join(chroma.expand(len(gray), 2, *gray.shape[-2:]), gray, given)


def systems_of(model: ColorNet, given: str, vividness=(0.0, 0.25, 0.5, 0.75, 1.0)) -> dict:
    """What an evaluation compares: name -> function from gray (N, 1, H, W) to RGB."""
    systems, head = {"grey": grey}, model.config["head"]
    if head == "distribution":
        systems["mean colour"] = lambda gray: mean_colour(model, gray, given)
    if head not in CELL_HEADS:
        return systems | {f"one answer: {head}": lambda gray: colorize(model, gray, given)}
    title = "ours" if head == "distribution" else "cells of ab"
    for v in vividness:
        systems[f"{title}, vividness {v:g}"] = lambda gray, v=v: colorize(model, gray, given, v)
    return systems


def grey(gray: Tensor) -> Tensor:
    """The baseline without colour: RGB (N, 3, H, W) of gray (N, 1, H, W)."""
    return gray.expand(-1, 3, -1, -1)


def evaluate_systems(
    systems: dict, images, given: str, resamples: int = 1000, more=None
) -> list[dict]:
    """One row a system: every metric on uint8 `images`, and 95 % intervals against the first.

    more(predicted, truth), a dict, joins each row.
    """
    truth = to_tensor(images)
    gray = to_gray(truth, check_given(given))
    rows, first = [], None
    for name, system in systems.items():
        began = time.perf_counter()
        predicted = system(gray)
        seconds = time.perf_counter() - began
        measured = per_image(predicted, truth)
        first = first or measured
        row = {"system": name, **summary(measured), "seconds_per_image": seconds / len(images)}
        if measured is not first and resamples:
            row["difference"] = paired_bootstrap(measured, first, resamples)
        row |= more(predicted, truth) if more else {}
        rows.append(row)
    return rows


def evaluate_model(
    model, model_name, given, source="auto", split="test", count=None, size=32
) -> dict:
    """The whole evaluation of one model on one source, as `save_result` keeps it."""
    source, _ = resolve(source)
    if model.taught not in (None, "both", given):
        print(f"{model_name} learned with {model.taught} given; {given} is new to it.")
    images = load_images(source, split, count, size)
    began = time.perf_counter()
    rows = evaluate_systems(systems_of(model, given), images, given)
    command = f"python -m colorlib evaluate --model {model_name} --given {given}"
    command += f" --source {source} --split {split}" + (f" --count {count}" if count else "")
    command += f" --size {size}" if size != 32 else ""
    return {
        "model": model_name,
        "weights": mark(model),
        "learned_from": learned_from(model_name),
        "given": given,
        "data": {"source": describe(source), "split": split, "count": len(images)},
        "rows": rows,
        "command": command,
        "seed": 0,
        "seconds": round(time.perf_counter() - began, 1),
        "machine": machine(),
        "date": date.today().isoformat(),
    }


def learned_from(model_name: str) -> str | None:
    """What the shipped weights of that name learned from, in words; None of any others."""
    path = paths.SHIPPED / f"{model_name}.json"
    if not path.is_file():
        return None
    made = json.loads(path.read_text(encoding="utf-8"))
    return f"{made['data']['training']:,} images of {made['source']}"


def result_name(model_name: str, result: dict) -> str:
    """A file name for an evaluation: "cifar-value" for the whole CIFAR-100 test split alone."""
    path = Path(model_name)
    model = path.parent.name if path.stem == "model" else path.stem
    data = result["data"]
    name = f"{model}-{result['given']}"
    if (data["source"], data["split"], data["count"]) == ("CIFAR-100", "test", 10000):
        return name
    where = re.sub(r"[^a-z0-9]+", "-", data["source"].lower()).strip("-")
    return f"{name}-{where}-{data['split']}-{data['count']}"


def of_source(name: str, source: str) -> str:
    """The file name of a resolved source's result: the plain one is CIFAR-100's alone."""
    return name if source == "cifar100" else f"{name}-{slug(source)}"


def caption(result: dict) -> str:
    """One line under a table: which images, which input, which machine."""
    data = result["data"]
    return (
        f"{data['count']:,} images of {data['source']}, {data['split']} split, "
        f"{result['given']} given; {result['machine']['cpu']}, {result['machine']['cores']} cores."
    )


def table(result: dict, metrics=tuple(NAMES)) -> str:
    """A Markdown table of an evaluation: a row a system, a column a metric, the caption below."""
    lines = ["| system | " + " | ".join(COLUMNS[m] for m in metrics) + " |"]
    lines.append("| --- |" + " ---: |" * len(metrics))
    for row in result["rows"]:
        lines.append(f"| {row['system']} | " + " | ".join(cells(row, metrics)) + " |")
    return "\n".join(lines) + f"\n\n*{caption(result)}*"


def cells(row: dict, metrics) -> list[str]:
    """A row's metrics as a table prints them, a dash for what was not measured."""
    return [f"{row[m]:.{DIGITS.get(m, 4)}f}" if m in row else "–" for m in metrics]


def row_of(result: dict, system: str) -> dict:
    """The row of a system in an evaluation."""
    return next(row for row in result["rows"] if row["system"] == system)


def vividness_rows(result: dict) -> list[dict]:
    """The rows of ours at each vividness, with the number itself as "vividness"."""
    start = "ours, vividness "
    found = [row for row in result["rows"] if row["system"].startswith(start)]
    return [row | {"vividness": float(row["system"].removeprefix(start))} for row in found]


def difference(row: dict, other: dict, metric: str) -> str:
    """ "+1.98 dB [1.95, 2.01]": a row's gain over the first row, with its 95 % interval."""
    digits = DIGITS.get(metric, 4)
    low, high = row["difference"][metric]
    gain = row[metric] - other[metric]
    unit = " dB" if metric == "psnr" else ""
    return f"{gain:+.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"


def without_truth(panels: dict) -> list[dict]:
    """Colourfulness and mean luma difference (8-bit steps) of Pillow images whose truth is unknown.

    panels: "input" and one image a system; an output of another size is compared at its own size.
    """
    rows = []
    for system, image in panels.items():
        given = panels["input"].resize(image.size, Image.Resampling.LANCZOS)
        rgb, gray = (to_tensor(np.asarray(x.convert("RGB"))[None]) for x in (image, given))
        rows.append(
            {
                "system": system,
                "colourfulness": colourfulness(rgb).item(),
                "luma_difference": 255 * (luma(rgb) - luma(gray)).abs().mean().item(),
            }
        )
    return rows
