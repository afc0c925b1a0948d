"""The runs of notebook 5: each changes one thing in our recipe, all at one small budget.

They are measured on the validation images (the last 5,000 of the training split) with luma as
input, and kept as the result `study` as they finish. `python -m colorlib study` makes those that
are missing; a line in `RUNS` and one in `TITLES` add one.
"""

import dataclasses
from datetime import date

import numpy as np
import torch
from torch import Tensor

from colorlib import decoding
from colorlib.color import add_chroma, luma
from colorlib.config import Config
from colorlib.data import load_images, resolve, slug, split_validation, to_tensor
from colorlib.decoding import CELL_HEADS, DecodeSetting, decode
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, colorize, evaluation_mode, predict, weights_digest
from colorlib.paths import machine
from colorlib.recipes import build
from colorlib.report import evaluation, store
from colorlib.report.tune_vividness import ALPHAS, tune_path
from colorlib.study.recipes import Averaged
from colorlib.train import fit

IMAGES, EPOCHS = 45_000, 4
TUNING = 1000  # of the validation images; the others are measured
MEASURED = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")
LONG = "long"
RUNS = {  # key -> what differs from ours
    "ours": {},
    "regression": {"recipe": "regression"},
    "ours-seed-1": {"seed": 1},
    "ours-seed-2": {"seed": 2},
    "hard": {"recipe": "hard"},
    "unweighted": {"recipe": "unweighted"},
    "original": {"recipe": "original"},
    "no-muon": {"muon_rate": 0.0},
    "no-shift": {"shift": 0},
    "both-inputs": {"given": "both"},
    "averaged": {"recipe": "averaged"},
    "full-resolution": {"fold": 1, "epochs": 1},
    "images-128": {"count": 128},
    "images-1024": {"count": 1024},
    "images-10000": {"count": 10_000},
    "half-width": {"widths": (16, 40, 80)},
    "wide": {"widths": (48, 120, 240)},
    "regression-seed-1": {"recipe": "regression", "seed": 1},
    "regression-seed-2": {"recipe": "regression", "seed": 2},
    "quarter-time": {"epochs": 1},
    "half-time": {"epochs": 2},
    "double-time": {"epochs": 8},
    "bf16": {"precision": "bf16"},
    LONG: {"epochs": 36, "given": "both"},
}
TITLES = {
    "ours": "ours",
    "regression": "regression",
    "ours-seed-1": "ours, seed 1",
    "ours-seed-2": "ours, seed 2",
    "hard": "hard targets",
    "unweighted": "every pixel weighs the same",
    "original": "hue and saturation as numbers",
    "no-muon": "AdamW alone, no Muon",
    "no-shift": "images not moved",
    "both-inputs": "value as well as luma",
    "averaged": "moving average of the weights",
    "full-resolution": "full resolution, a quarter of the steps",
    "images-128": "128 images",
    "images-1024": "1,024 images",
    "images-10000": "10,000 images",
    "half-width": "half the width",
    "wide": "one and a half times the width",
    "regression-seed-1": "regression, seed 1",
    "regression-seed-2": "regression, seed 2",
    "quarter-time": "a quarter of the time",
    "half-time": "half of the time",
    "double-time": "twice the time",
    "bf16": "products of 16-bit numbers",
    LONG: "nine times the time, value as well",
}


def run_config(key: str, source: str = "cifar100") -> Config:
    """The config of one of `RUNS`; a smaller set is seen more often, for as many steps."""
    changed = dict(RUNS[key])
    ours = {"given": "luma", "validation": 5000, "epochs": EPOCHS, "precision": "no"}
    config = Config(name=f"study-{slug(source)}", **ours | changed)
    words = "-".join(f"{k}-{'x'.join(map(str, v)) if isinstance(v, tuple) else v}"
                     for k, v in changed.items())  # fmt: skip
    config.name += f"-{words}" if words else ""
    if config.count:  # the first images, as with any `validation`; no validation every few steps
        config.validation = 0
        config.epochs = round(EPOCHS * (IMAGES // 128) / (config.count // 128))
    return config


def study(keys: list[str] | None = None, source: str = "cifar100") -> dict:
    """Train and measure those of the runs (all by default) that are not on file as they are now."""
    source, _ = resolve(source)
    images = load_images(source, "train")
    validation = split_validation(images)[1]
    result = start_result(source, validation)
    for key in keys or RUNS:
        if key not in RUNS:
            raise ValueError(f"study: got {key!r}, expected one of {', '.join(RUNS)}")
        config = run_config(key, source)
        if key in result["runs"] and is_current(result["runs"][key], config):
            continue
        model, recipe = build(config)
        history = fit(model, recipe, images, config)
        if len(history) < config.epochs:  # fit has printed the reason
            return result
        if config.recipe == Averaged.name:
            if not recipe.average.n_averaged:
                raise ValueError(f"{config.name}: its average is lost; delete that run's folder")
            model = recipe.average.module
        measured = measure_run(model, validation)
        result["runs"][key] = {
            "command": f"python -m colorlib study {key} --source {source}",
            "config": dataclasses.asdict(config),
            "decoding": decoding.VERSION,
            "digest": weights_digest(model),
            "history": history[-1],
            "machine": machine(),
            "commit": store.commit(),
            "date": date.today().isoformat(),
        } | measured
        result["digests"] = {name: run["digest"] for name, run in result["runs"].items()}
        store.save_result(store.name_for_source("study", source), result)
        print(TITLES[key], {k: round(measured["mean"][k], 4) for k in MEASURED})
    return result


def start_result(source: str, validation: np.ndarray) -> dict:
    """The study's result with the runs that are on file and what is known before any other."""
    name = store.name_for_source("study", source)
    config = {"given": "luma", "tuning": TUNING, "runs": RUNS}
    data = store.data_record(source, "validation", validation[TUNING:])
    command = f"python -m colorlib study --source {source}"
    made = store.provenance({}, config, data, command=command)
    runs = store.load_result(name)["runs"] if store.find_result(name) else {}
    digests = {key: run["digest"] for key, run in runs.items()}
    return made | {"digests": digests, "runs": runs}


def is_current(run: dict, config: Config) -> bool:
    """Whether a run on file has this config, and was decoded as networks are decoded now.

    A field that Config got later had its default then.
    """
    fields = dataclasses.asdict(Config())
    expected = dataclasses.asdict(config)
    found = fields | {k: tuple(v) if isinstance(v, list) else v for k, v in run["config"].items()}
    return found == expected and run["decoding"] == decoding.VERSION


def measure_run(model: ColorNet, validation: np.ndarray) -> dict:
    """Rows of metrics on held-out images, luma as input.

    "grey"; "mean", the distribution's mean or the one answer; of cells also "adjusted", as bold as
    raw AuC above grey's allows (logit adjustment and temperature), "sharpened", the same by
    temperature alone, and "mirrored", the mean over the image and its mirror image.
    """
    truth = to_tensor(validation[TUNING:])
    gray = luma(truth)
    found = {"grey": mean_metrics(evaluation.grey(gray), truth), "images": len(truth)}
    if model.config["head"] not in CELL_HEADS:
        return found | {"mean": mean_metrics(colorize(model, gray, "luma"), truth)}
    for name, alphas in (("adjusted", ALPHAS), ("sharpened", (0.0,))):
        bold = tune_path(model, validation[:TUNING], 2, alphas=alphas, by="rebalanced_auc")[-1]
        found[name] = mean_metrics(colorize(model, gray, "luma", 1.0), truth)
        found[name]["setting"] = [bold["alpha"], bold["temperature"]]
    model.schedules["luma"] = [DecodeSetting()] * 2
    found["mean"] = mean_metrics(colorize(model, gray, "luma"), truth)
    return found | {"mirrored": mean_metrics(mirrored(model, gray), truth)}


def mirrored(model: ColorNet, gray: Tensor) -> Tensor:
    """The mean colour of each pixel, logits averaged over the image and its mirror image."""
    parts = []
    with evaluation_mode(model) as device:
        for part in gray.to(device).split(250):
            logits = predict(model, part, "luma") + predict(model, part.flip(-1), "luma").flip(-1)
            chroma = decode(model, logits / 2, DecodeSetting(), part, "luma")
            parts.append(add_chroma(chroma, part, "luma").cpu())
    return torch.cat(parts)


def mean_metrics(predicted: Tensor, truth: Tensor) -> dict[str, float]:
    """The metrics of the study on predicted and true RGB (N, 3, H, W)."""
    measured = summary(per_image(predicted, truth, quick=True))
    return {name: measured[name] for name in MEASURED}
