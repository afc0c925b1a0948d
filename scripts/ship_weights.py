"""From a finished run to shipped weights: vividness tuned, 16 bits, and how it was all made."""

import argparse
import json
import sys

import torch
from PIL import Image

from colorlib import paths
from colorlib.data import describe, load_images, split_validation
from colorlib.datasets.pixels import as_pixels, fingerprint
from colorlib.model import ColorNet, load_model, save_model
from colorlib.paths import machine
from colorlib.report.tune_vividness import tune_path

TUNING = 1_500_000  # pixels of validation images on which vividness is tuned


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
    inputs = ("value", "luma") if model.taught in (None, "both") else (model.taught,)
    some = held[: TUNING // (held.shape[1] * held.shape[2])]
    schedules = {given: tune_path(model, some, given=given) for given in inputs}
    found = {"schedules": schedules}
    if strip:
        with paths.replacing(paths.SHIPPED / f"{name}-strip.png") as part:
            Image.open(strip).save(part, format="PNG", optimize=True)
    content = made | found | {"shipped_on": machine()}
    paths.write_json(paths.SHIPPED / f"{name}.json", content)
    save_model(model, paths.SHIPPED / f"{name}.safetensors", half=True)  # last: make looks for it
    return found | {"last_epoch": made["history"][-1]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="cifar", help="a finished run in data/runs")
    parser.add_argument("--name", default="cifar", help="of the weights")
    parser.add_argument("--again", action="store_true", help="only choose their vividness anew")
    parser.add_argument("--source", default="cifar100", help="what the run learned from")
    parser.add_argument("--size", type=int, default=32, help="a folder's images get this side")
    args = parser.parse_args()
    torch.set_flush_denormal(True)  # as the command line does
    try:
        if args.again:
            made = tune_shipped(args.name, args.source, args.size)
        else:
            made = ship_run(args.run, args.name, args.source, args.size)
    except (ValueError, OSError) as error:
        print(f"ship_weights: {error}", file=sys.stderr)
        return 1
    print(json.dumps(made, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
