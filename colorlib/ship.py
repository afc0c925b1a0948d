"""From a finished run to shipped weights: vividness tuned, 16 bits, and how it was all made."""

import json

import numpy as np
import torch
from PIL import Image

from colorlib import paths, prior
from colorlib.color import join, rgb_to_lab, to_gray
from colorlib.data import describe, load_images, split_validation, to_tensor
from colorlib.datasets.pixels import as_pixels, fingerprint
from colorlib.decode import decode
from colorlib.metrics import MAX_AB, PRIOR_FLOOR, ab_cell, ab_distance, ab_prior, psnr
from colorlib.model import ColorNet, evaluating, load_model, predict, save_model
from colorlib.paths import machine

ALPHAS = tuple(i / 16 for i in range(17))
BELOW = (-1 / 8, -1 / 16)  # more common colours still: value given, both measures gain
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.55, 0.4)
# alpha, T and contrast in the middle of the way: of some fifty settings tried, where the judge of
# judge.py recognises coloured images best: CIFAR-100's last 1,000 training ones, new to it too
CLEAREST = 0.05, 0.4, 0.45
FINER = (*TEMPERATURES, 0.75)  # of what is shipped; what is compared and studied keeps to its grid


def measured(model: ColorNet, images, settings, given: str) -> tuple[list[dict], dict]:
    """PSNR, raw and rebalanced AuC of images (uint8, N H W 3) at each setting; and of grey ones."""
    sums = {setting: np.zeros(3) for setting in settings}
    pixels = weights = grey = plain = 0.0
    shares = ab_prior().clamp(min=PRIOR_FLOOR).float()
    for truth in to_tensor(images).split(250):
        with evaluating(model) as device:
            truth = truth.to(device)
            gray, lab = to_gray(truth, given), rgb_to_lab(truth)
            weight = 1 / shares.to(device)[ab_cell(lab)]
            pixels, weights = pixels + weight.numel(), weights + weight.sum().item()
            grey += ab_distance(torch.zeros_like(lab), lab).sum().item()
            plain += psnr(gray.expand_as(truth), truth).sum().item()
            output = predict(model, gray, given)
            for setting in settings:
                rgb = join(decode(model, output, setting, gray, given), gray, given)
                distance = ab_distance(rgb_to_lab(rgb), lab)
                sums[setting] += (
                    distance.sum().item(),
                    (weight * distance).sum().item(),
                    psnr(rgb, truth).sum().item(),
                )
    rows = [
        dict(zip(("alpha", "T", "contrast"), setting, strict=False))
        | {
            "raw_auc": 1 - sums[setting][0] / pixels / MAX_AB,
            "rebalanced_auc": 1 - sums[setting][1] / weights / MAX_AB,
            "psnr": sums[setting][2] / len(images),
        }
        for setting in settings
    ]
    return rows, {"psnr": plain / len(images), "raw_auc": 1 - grey / pixels / MAX_AB}


def tune_path(
    model: ColorNet,
    images,
    points: int = 9,
    given: str = "luma",
    alphas=ALPHAS,
    below_grey=False,
    temperatures=TEMPERATURES,
    alike=False,
) -> list[dict]:
    """Choose (alpha, T) for evenly spaced vividness on validation `images` (uint8, N H W 3).

    Measures PSNR, raw and rebalanced AuC on a grid of alpha and T; then walks from the setting of
    highest PSNR, the most faithful, to that of highest rebalanced AuC whose raw AuC is not below
    grey's (a bolder picture is further from the truth than no colour at all), taking at each of
    evenly spaced levels of rebalanced AuC the setting that reaches it with the highest raw AuC.
    below_grey: walk on to the highest rebalanced AuC of all. alike: the most faithful setting is
    the one that gains most over grey in PSNR and raw AuC alike.
    """
    grid, without = measured(model, images, [(a, t) for a in alphas for t in temperatures], given)
    most = {n: max(max(g[n] for g in grid) - base, 1e-9) for n, base in without.items()}
    counted = without if alike else ["psnr"]
    first = max(grid, key=lambda g: sum((g[n] - without[n]) / most[n] for n in counted))
    floor = -1 if below_grey else without["raw_auc"]
    useful = [g for g in grid if g["raw_auc"] >= floor]
    last = max(useful or [first], key=lambda g: g["rebalanced_auc"])
    chosen = [first]
    for level in np.linspace(first["rebalanced_auc"], last["rebalanced_auc"], points)[1:-1]:
        reach = [g for g in grid if g["rebalanced_auc"] >= level]
        chosen.append(max(reach, key=lambda g: g["raw_auc"]))
    chosen.append(last)
    model.path = [(g["alpha"], g["T"]) for g in chosen]
    return chosen


def with_contrast(path: list) -> list[tuple]:
    """A path of (alpha, T) bent to pass through `CLEAREST`, as (alpha, T, contrast).

    Up to the middle all three go evenly from the faithful end to `CLEAREST`. Beyond, alpha and T
    are the path's own again, and contrast falls to 0 at the bold end.
    """
    end = len(path) - 1
    bend = end / 2
    points = []
    for i, (alpha, t) in enumerate(path):
        if i <= bend:
            ends = zip((*path[0], 0.0), CLEAREST, strict=True)
            points.append(tuple(a + i / bend * (b - a) for a, b in ends))
        else:
            points.append((alpha, t, CLEAREST[2] * (end - i) / (end - bend)))
    return points


def ship_run(run="cifar", name="cifar", source="cifar100", size=32, images=None) -> dict:
    """Write weights/NAME.safetensors, .json and -strip.png from data/runs/RUN; return the json.

    source, size: what the run learned from, as `load_images` takes them (or its `images`).
    """
    folder = paths.runs() / run
    if not (folder / "history.json").is_file():
        raise ValueError(f"{folder.name}: no finished run; `python -m colorlib train` makes one")
    made = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    model = load_model(folder / "model.safetensors")
    images = load_images(source, "train", size=size) if images is None else images
    held = held_images(run, made, images, source, size)
    model.taught = made["config"]["given"]
    if source != "cifar100":
        made["command"] += f" --source {source} --size {size}"
    made["source"] = f"{describe(source)}, {images.shape[1]} x {images.shape[2]}"
    return write_shipped(model, name, made, held, source, folder / "strip.png")


def tune_shipped(name="cifar", source="cifar100", size=32, images=None) -> dict:
    """Choose the vividness of shipped weights anew, on the images that they were not shown.

    As `ship_run`, which needs the run that they came from.
    """
    file = paths.SHIPPED / f"{name}.json"
    model = load_model(name)
    made = json.loads(file.read_text(encoding="utf-8"))
    images = load_images(source, "train", size=size) if images is None else images
    held = held_images(name, made, images, source, size)
    return write_shipped(model, name, made, held, source)


def held_images(name: str, made: dict, images, source: str, size: int):
    """The images that a run of history `made` left for validation, or ValueError."""
    training, held = split_validation(images, made["config"]["held"])
    if not len(held):
        raise ValueError(f"{name}: all images were learned from; vividness is chosen on others")
    if fingerprint(as_pixels(training)[: made["config"]["count"]]) != made["data"]["sha256"]:
        raise ValueError(f"{name} learned from other images than {source}, {size} x {size}")
    return held


def write_shipped(model: ColorNet, name: str, made: dict, held, source: str, strip=None) -> dict:
    """Tune the vividness on `held` images, write weights/NAME.safetensors, .json and the strip."""
    prior.attach(model)
    found = {}
    if model.taught != "luma":
        way = {"given": "value", "alphas": BELOW + ALPHAS, "temperatures": FINER, "alike": True}
        found["value_path"] = tune_path(model, held[:2000], **way)
        model.value_path = model.path
    if model.taught != "value":
        found["vividness_path"] = tune_path(model, held[:2000], temperatures=FINER)
        if source == "cifar100":  # whose classes the judge knows
            model.path = with_contrast(model.path)
            found["vividness_path"], _ = measured(model, held[:2000], model.path, "luma")
    if strip:
        with paths.replacing(paths.SHIPPED / f"{name}-strip.png") as part:
            Image.open(strip).save(part, format="PNG", optimize=True)
    content = made | found | {"shipped_on": machine()}
    paths.write_json(paths.SHIPPED / f"{name}.json", content)
    save_model(model, paths.SHIPPED / f"{name}.safetensors", half=True)  # last: make looks for it
    return found | {"last_epoch": made["history"][-1]}
