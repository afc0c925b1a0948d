"""The runs behind notebook 5: each changes one thing of ours, all at one small budget.

Measured on the validation images (the last 5,000 of the training split), luma given; kept in
data/results/study.json as they finish. `python -m colorlib study` makes those that are missing; a
line in `RUNS` adds one.
"""

from datetime import date

import torch
from torch import Tensor

from colorlib import paths
from colorlib.color import join, luma
from colorlib.config import Config
from colorlib.data import describe, load_images, resolve, slug, split_validation, to_tensor
from colorlib.decoding import CELL_HEADS, DecodeSetting, decode
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, colorize, evaluating, predict
from colorlib.paths import machine
from colorlib.recipes import build
from colorlib.report import evaluation, store
from colorlib.report.tune_vividness import ALPHAS, tune_path
from colorlib.study.recipes import Averaged
from colorlib.train import fit

IMAGES, EPOCHS = 45_000, 4
TUNING = 1000  # of the validation images; the others are measured
MEASURED = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")
LONG = "nine times the time, value as well"
RUNS = {  # name -> what differs from ours
    "ours": {},
    "regression": {"recipe": "regression"},
    "ours, seed 1": {"seed": 1},
    "ours, seed 2": {"seed": 2},
    "hard targets": {"recipe": "hard"},
    "every pixel weighs the same": {"recipe": "unweighted"},
    "hue and saturation as numbers": {"recipe": "original"},
    "AdamW alone, no Muon": {"muon_rate": 0.0},
    "images not moved": {"shift": 0},
    "value as well as luma": {"given": "both"},
    "moving average of the weights": {"recipe": "averaged"},
    "full resolution, a quarter of the steps": {"fold": 1, "epochs": 1},
    "128 images": {"count": 128},
    "1,024 images": {"count": 1024},
    "10,000 images": {"count": 10_000},
    "half the width": {"widths": (16, 40, 80)},
    "one and a half times the width": {"widths": (48, 120, 240)},
    "regression, seed 1": {"recipe": "regression", "seed": 1},
    "regression, seed 2": {"recipe": "regression", "seed": 2},
    "a quarter of the time": {"epochs": 1},
    "half of the time": {"epochs": 2},
    "twice the time": {"epochs": 8},
    "products of 16-bit numbers": {"precision": "bf16"},
    LONG: {"epochs": 36, "given": "both"},
}


def settings(name: str, source: str = "cifar100") -> Config:
    """The config of one of `RUNS`; a smaller set is seen more often, for as many steps."""
    changed = dict(RUNS[name])
    ours = {"given": "luma", "held": 5000, "epochs": EPOCHS, "precision": "no"}
    config = Config(name=f"study-{slug(source)}", **ours | changed)
    words = "-".join(f"{k}-{'x'.join(map(str, v)) if isinstance(v, tuple) else v}"
                     for k, v in changed.items())  # fmt: skip
    config.name += f"-{words}" if words else ""
    if config.count:  # the first images, as with any `held`; no look at validation every few steps
        config.held = 0
        config.epochs = round(EPOCHS * (IMAGES // 128) / (config.count // 128))
    return config


def study(names=None, source="cifar100") -> dict:
    """Train and measure the runs of these names that study.json lacks; all of them by default."""
    source, _ = resolve(source)
    images = load_images(source, "train")
    file = store.of_source("study", source)
    path = paths.results() / f"{file}.json"
    kept = store.load_result(file) if path.is_file() else {"runs": {}}
    held = split_validation(images)[1]
    for name in names or RUNS:
        if name not in RUNS:
            raise ValueError(f"study: got {name!r}, wanted {', '.join(RUNS)}")
        if name in kept["runs"]:
            continue
        config = settings(name, source)
        model, way = build(config)
        history = fit(model, way, images, config)
        if len(history) < config.epochs:  # fit has said why
            return kept
        if config.recipe == Averaged.name:
            if not way.average.n_averaged:
                raise ValueError(f"{config.name}: its average is lost; delete that run's folder")
            model = way.average.module
        measured = measure(model, held)
        row = {"changed": RUNS[name], "command": f'python -m colorlib study "{name}"'}
        row |= {"history": history[-1], "machine": machine()}
        kept["runs"][name] = row | measured
        kept["data"] = {"source": describe(source), "split": "validation"}
        kept |= {"date": date.today().isoformat(), "command": "python -m colorlib study"}
        store.save_result(file, kept)
        print(name, {k: round(measured["mean"][k], 4) for k in MEASURED})
    return kept


def measure(model: ColorNet, held) -> dict:
    """Rows of metrics on held-out images, luma given.

    "grey"; "mean", the distribution's mean or the one answer; of cells also "adjusted", as bold as
    raw AuC above grey's allows (logit adjustment and temperature), "sharpened", the same by
    temperature alone, and "mirrored", the mean over the image and its mirror image.
    """
    truth = to_tensor(held[TUNING:])
    gray = luma(truth)
    found = {"grey": rows_of(evaluation.grey(gray), truth), "images": len(truth)}
    if model.config["head"] not in CELL_HEADS:
        return found | {"mean": rows_of(colorize(model, gray, "luma"), truth)}
    for name, alphas in (("adjusted", ALPHAS), ("sharpened", (0.0,))):
        bold = tune_path(model, held[:TUNING], 2, alphas=alphas, by="rebalanced_auc")[-1]
        found[name] = rows_of(colorize(model, gray, "luma", 1.0), truth)
        found[name]["setting"] = [bold["alpha"], bold["temperature"]]
    model.schedules["luma"] = [DecodeSetting()] * 2
    found["mean"] = rows_of(colorize(model, gray, "luma"), truth)
    return found | {"mirrored": rows_of(mirrored(model, gray), truth)}


def mirrored(model: ColorNet, gray: Tensor) -> Tensor:
    """The mean colour of each pixel, logits averaged over the image and its mirror image."""
    parts = []
    with evaluating(model) as device:
        for part in gray.to(device).split(250):
            logits = predict(model, part, "luma") + predict(model, part.flip(-1), "luma").flip(-1)
            chroma = decode(model, logits / 2, DecodeSetting(), part, "luma")
            parts.append(join(chroma, part, "luma").cpu())
    return torch.cat(parts)


def rows_of(predicted: Tensor, truth: Tensor) -> dict[str, float]:
    measured = summary(per_image(predicted, truth, quick=True))
    return {name: measured[name] for name in MEASURED}
