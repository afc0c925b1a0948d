"""From a finished run to shipped weights: vividness tuned, 16 bits, and how it was all made.

    python scripts/ship_weights.py            ship data/runs/cifar as the weights `cifar`
    python scripts/ship_weights.py --train    train that run first, as weights/cifar.json says
    python scripts/ship_weights.py --again    only choose the vividness of `cifar` anew
    python scripts/ship_weights.py --classifiers  train the classifiers and ship them

Nothing else writes into colorlib/weights.
"""

import argparse
import json
import shlex
import shutil
import sys

import numpy as np
import torch
from PIL import Image

from colorlib import paths
from colorlib.compare import classifier
from colorlib.config import Config
from colorlib.data import describe, load_images, split_validation, to_tensor
from colorlib.datasets.pixels import as_pixels, fingerprint
from colorlib.decoding import setting_at
from colorlib.metrics import summary
from colorlib.model import ColorNet, load_model, save_model
from colorlib.recipes import build
from colorlib.report.tune_vividness import SHOWN, measure_settings, tune_path
from colorlib.train import fit

TUNING = 1_500_000  # pixels of validation images on which vividness is tuned


def read_history(name: str) -> dict:
    """How the shipped weights NAME were made."""
    return json.loads((paths.SHIPPED / f"{name}.json").read_text(encoding="utf-8"))


def ship(run: str, name: str, source: str, size: int) -> dict:
    """Write weights/NAME.safetensors, .json and -strip.png from data/runs/RUN; return the news.

    source, size: what the run was trained on, as `load_images` takes them.
    """
    folder = paths.runs() / run
    if not (folder / "history.json").is_file():
        raise ValueError(f"{folder.name}: no finished run; `python -m colorlib train` makes one")
    made = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    model = load_model(folder / "model.safetensors")
    model.trained_input = made["config"]["given"]
    if "--source" not in made["command"]:
        made["command"] += f" --source {shlex.quote(source)} --size {size}"
    earlier = read_history(name) if (paths.SHIPPED / f"{name}.json").is_file() else {}
    stage = {key: made[key] for key in ("command", "machine", "history")}
    stage["hours"] = round(made["minutes"] / 60, 3)
    # a run that started from the shipped weights is one stage more
    before = earlier.get("stages", []) if made["config"]["init_from"] == name else []
    made |= {"stages": [*before, stage]}
    made |= {"sets": earlier["sets"]} if "sets" in earlier else {}
    tuned = tune(model, name, made, source, size)
    with paths.replacing(paths.SHIPPED / f"{name}-strip.png") as part:
        Image.open(folder / "strip.png").save(part, format="PNG", optimize=True)
    return tuned


def tune(model: ColorNet, name: str, made: dict, source: str, size: int) -> dict:
    """Choose the vividness on validation images, and write weights/NAME.safetensors and .json."""
    images = load_images(source, "train", size=size)
    training, validation = split_validation(images, made["config"]["validation"])
    if not len(validation):
        raise ValueError(
            f"{name}: it was trained on all images; vividness must be chosen on other images"
        )
    if fingerprint(as_pixels(training)[: made["config"]["count"]]) != made["data"]["sha256"]:
        raise ValueError(f"{name} was trained on other images than {source}, {size} x {size}")
    inputs = ("value", "luma") if model.trained_input in (None, "both") else (model.trained_input,)
    some = validation[: TUNING // (validation.shape[1] * validation.shape[2])]
    found: dict = {"schedules": {given: tune_path(model, some, given=given) for given in inputs}}
    if model.config["hints"]:  # a network for photographs
        found["mirror"] = mirror_gain(model, some)
    made["source"] = f"{describe(source)}, {images.shape[1]} x {images.shape[2]}"
    content = made | found | {"shipped_on": paths.machine()}
    paths.write_json(paths.SHIPPED / f"{name}.json", content)
    save_model(model, paths.SHIPPED / f"{name}.safetensors", half=True)
    return found | {"last_epoch": made["history"][-1]}


def mirror_gain(model: ColorNet, images: np.ndarray) -> dict:
    """What averaging with the mirror image brings at vividness 0 and 0.5, metric by metric."""
    truth, gains = to_tensor(images), {}
    for vividness in (0.0, 0.5):
        setting = [setting_at(model, vividness, "luma")]
        plain, both = (
            summary(measure_settings(model, truth, setting, "luma", mirror)[0])
            for mirror in (False, True)
        )
        gains[f"vividness {vividness:g}"] = {name: both[name] - plain[name] for name in SHOWN}
    return gains


def train_again(name: str, source: str, size: int) -> None:
    """Train data/runs/NAME with the configuration that weights/NAME.json holds."""
    kept = read_history(name)["config"] | {"name": name}
    config = Config(**{k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()})
    model, recipe = build(config)
    history = fit(model, recipe, load_images(source, "train", size=size), config)
    if len(history) < config.epochs:
        raise ValueError(f"{name}: the training stopped early; the same command continues it")


def ship_classifiers(source: str, names: list[str]) -> dict:
    """Train classifiers (or read their finished runs) and copy them to weights/classifiers."""
    names = names or list(classifier.CLASSIFIERS)
    for name in names:
        classifier.make_classifier(name, source)
        made, shipped = classifier.files(name, paths.runs() / name), classifier.files(name)
        for file, target in zip(made, shipped, strict=True):
            with paths.replacing(target) as part:
                shutil.copyfile(file, part)
    return {"classifiers": names}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", default="cifar", help="a finished run in data/runs")
    parser.add_argument("--name", default="cifar", help="of the weights")
    parser.add_argument("--train", action="store_true", help="train the run first")
    words = "these classifiers instead; none named: all"
    parser.add_argument("--classifiers", nargs="*", metavar="NAME", help=words)
    parser.add_argument("--again", action="store_true", help="only choose their vividness anew")
    parser.add_argument("--source", default="cifar100", help="what the run was trained on")
    parser.add_argument("--size", type=int, default=32, help="a folder's images get this side")
    args = parser.parse_args()
    torch.set_flush_denormal(True)  # as the command line does
    data = args.source, args.size
    try:
        if args.train:
            train_again(args.run, *data)
        if args.classifiers is not None:
            made = ship_classifiers(args.source, args.classifiers)
        elif args.again:
            made = tune(load_model(args.name), args.name, read_history(args.name), *data)
        else:
            made = ship(args.run, args.name, *data)
    except (ValueError, OSError) as error:
        print(f"ship_weights: {error}", file=sys.stderr)
        return 1
    print(json.dumps(made, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
