"""The runs of notebook 5: each changes one thing in our recipe, all at one small budget.

They are measured on the validation images (the last 5,000 of the training split) with luma as
input, and kept as the result `study` as they finish. `python -m colorlib study` makes those that
are missing; a line in `RUNS` adds one.
"""

import json
import re
from datetime import date
from shlex import quote
from typing import NamedTuple

import numpy as np
from torch import Tensor

from colorlib import decoding
from colorlib.color import luma
from colorlib.config import Config
from colorlib.data import load_images, resolve, slug, split_validation, to_tensor
from colorlib.decoding import CELL_HEADS, DecodeSetting
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, colorize
from colorlib.paths import machine
from colorlib.recipes import build
from colorlib.report import evaluation, store
from colorlib.report.tune_vividness import ALPHAS, tune_path
from colorlib.train import fit

IMAGES, EPOCHS = 45_000, 3
TUNING = 1000  # of the validation images; the others are measured
MEASURED = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")


class Run(NamedTuple):
    """A run: its group and title in tables and figures, and how its config differs from ours."""

    group: str
    title: str
    changed: dict


RUNS = {
    "ours": Run("ours", "ours", {}),
    "ours-seed-1": Run("ours", "ours, seed 1", {"seed": 1}),
    "ours-seed-2": Run("ours", "ours, seed 2", {"seed": 2}),
    "original": Run("loss", "hue and saturation as numbers", {"recipe": "original"}),
    "regression": Run("loss", "one colour, not a distribution", {"recipe": "regression"}),
    "hard": Run("loss", "hard targets", {"recipe": "hard"}),
    "unweighted": Run("loss", "every pixel weighs the same", {"recipe": "unweighted"}),
    "no-muon": Run("training", "AdamW alone, no Muon", {"muon_rate": 0.0}),
    "no-shift": Run("training", "no random shifts", {"shift": 0}),
    "cutmix": Run("training", "CutMix on a fifth of the images", {"cutmix": 0.2}),
    "both-inputs": Run("network", "one network for value and luma", {"given": "both"}),
    "full-resolution": Run("network", "full resolution, equal time", {"fold": 1, "epochs": 1}),
    "images-11250": Run("size", "a quarter of the images", {"count": 11_250}),
    "images-1024": Run("size", "1,024 of the images", {"count": 1024}),
    "epochs-1": Run("size", "a third of the time", {"epochs": 1}),
    "half-width": Run("size", "half the width", {"widths": (16, 40, 80)}),
}


def run_config(key: str, source: str = "cifar100") -> Config:
    """The config of one of `RUNS`; a smaller set is seen more often, for as many steps."""
    changed = dict(RUNS[key].changed)
    ours = {"given": "luma", "validation": 5000, "epochs": EPOCHS, "precision": "no"}
    words = (f"-{name}-{setting}" for name, setting in changed.items())
    name = re.sub(r"[^\w.-]+", "-", f"study-{slug(source)}{''.join(words)}").strip("-")
    config = Config(name=name, **ours | changed)
    if config.count:  # the first images, as with any `validation`; no validation every few steps
        config.validation = 0
        config.epochs = round(EPOCHS * (IMAGES // 128) / (config.count // 128))
    return config


def study(keys: list[str] | None = None, source: str = "cifar100") -> dict:
    """Train and measure those of the runs (all by default) that are not on file as they are now."""
    source, _ = resolve(source)
    images = load_images(source, "train")
    validation = split_validation(images)[1]
    name = store.name_for_source("study", source)
    settings = {"given": "luma", "tuning": TUNING, "epochs": EPOCHS}
    settings["runs"] = {key: run.changed for key, run in RUNS.items()}
    data = store.data_record(source, "validation", validation[TUNING:], images)
    command = f"python -m colorlib study --source {quote(source)}"
    result = store.provenance({}, settings, data, command=command)
    kept = store.load_result(name) if store.find_result(name) else {}
    runs = kept["runs"] if kept.get("data") == data else {}  # of the same images
    result["runs"] = {key: run for key, run in runs.items() if key in RUNS}
    for key in keys or RUNS:
        if key not in RUNS:
            raise ValueError(f"study: got {key!r}, expected one of {', '.join(RUNS)}")
        config = run_config(key, source)
        if is_current(result["runs"].get(key), config):
            continue
        model, recipe = build(config)
        history = fit(model, recipe, images, config)
        if len(history) < config.epochs:  # fit has printed the reason
            return result
        measured = measure_run(model, validation)
        result["runs"][key] = {
            "command": f"python -m colorlib study {key} --source {quote(source)}",
            "config": vars(config),
            "decoding": decoding.VERSION,
            "digest": store.weights_digest(model),
            "history": history[-1],
            "machine": machine(),
            "commit": store.commit(),
            "date": date.today().isoformat(),
        } | measured
        result["digests"] = {k: run["digest"] for k, run in result["runs"].items()}
        store.save_result(name, result)
        print(RUNS[key].title, {k: round(measured["mean"][k], 4) for k in MEASURED})
    return result


def is_current(run: dict | None, config: Config) -> bool:
    """Whether a run on file has this config, and was decoded as networks are decoded now."""
    if run is None:
        return False
    defaults, expected = (json.loads(json.dumps(vars(x))) for x in (Config(), config))
    found = defaults | run["config"]  # a field that Config got later had its default then
    return found == expected and run["decoding"] == decoding.VERSION


def measure_run(model: ColorNet, validation: np.ndarray) -> dict:
    """Metrics on held-out images, luma as input, of "grey" and of the "mean" (or the one answer).

    Of cells also "adjusted", as bold as raw AuC above grey's allows (by logit adjustment and
    temperature), and "sharpened", the same by temperature alone.
    """
    truth = to_tensor(validation[TUNING:])
    gray = luma(truth)

    def metrics_of(predicted: Tensor) -> dict:
        measured = summary(per_image(predicted, truth, quick=True))
        return {name: measured[name] for name in MEASURED}

    found = {"grey": metrics_of(evaluation.grey(gray)), "images": len(truth)}
    if model.config["head"] in CELL_HEADS:
        for name, alphas in (("adjusted", ALPHAS), ("sharpened", (0.0,))):
            bold = tune_path(model, validation[:TUNING], 2, alphas=alphas, by="rebalanced_auc")[-1]
            setting = {"setting": [bold["alpha"], bold["temperature"]]}
            found[name] = metrics_of(colorize(model, gray, "luma", 1.0)) | setting
        model.schedules["luma"] = [DecodeSetting()] * 2
    return found | {"mean": metrics_of(colorize(model, gray, "luma"))}
