"""Systems measured on the same images: a network at several settings, and its baselines."""

import json
import re
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorlib import paths
from colorlib.batches import generator
from colorlib.color import check_given, hsv_to_chroma, join, luma, rgb_to_hsv, to_gray
from colorlib.data import (
    describe,
    load_images,
    resolve,
    to_tensor,
)
from colorlib.decoding import CELL_HEADS
from colorlib.metrics import colourfulness, per_image, summary
from colorlib.model import ColorNet, colorize, mark
from colorlib.paths import machine
from colorlib.report.bootstrap import paired_bootstrap


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


def random_colours(truth: Tensor, images, seed: int = 0) -> Tensor:
    """Each image in the colours of another: the chroma of a random one of uint8 `images`.

    The baseline "Random" of Zhang et al. 2016, section 3.1.
    """
    pick = torch.randint(len(images), (len(truth),), generator=generator(seed, 0)).numpy()
    chroma = hsv_to_chroma(rgb_to_hsv(to_tensor(images[pick])))
    return join(chroma, luma(truth), "luma")
