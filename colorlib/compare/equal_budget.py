"""The controlled comparison: the same network, images, steps and seed, learned in different ways.

All are given luma. None was tuned for this table: every run has the default settings (which were
chosen on our recipe) but the budget's, and each recipe its paper's own constants; both optimizers
take steps that do not depend on the size of the loss. Both networks of cells have their logits
adjusted by how common each of their own cells is in the training images.
"""

import copy
import time
from datetime import date

import numpy as np
from torch import Tensor

from colorlib import paths
from colorlib.color import luma
from colorlib.compare import nogan
from colorlib.compare.semantic import verdict
from colorlib.config import Config, command
from colorlib.data import (
    describe,
    load_images,
    load_labels,
    resolve,
    slug,
    split_validation,
    to_tensor,
)
from colorlib.decoding import CELL_HEADS, DecodeSetting
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, colorize, load_model
from colorlib.paths import machine
from colorlib.peers import original
from colorlib.recipes import build
from colorlib.report.bootstrap import bootstrap
from colorlib.report.evaluation import evaluate_systems, grey, random_colours
from colorlib.report.store import save_result
from colorlib.report.tune_vividness import measure_settings, tune_path
from colorlib.train import fit

COMPARED = ("original", "regression", "distribution", "eccv16", "nogan")
TITLES = {
    "original": "hue and saturation, squared error (the original's)",
    "regression": "chroma regression",
    "distribution": "ours: distribution over chroma",
    "eccv16": "ECCV16's recipe",
    "nogan": "NoGAN",
}
BUDGETS = {
    "full": {"epochs": 3, "held": 5000},
    "short": {"epochs": 8, "count": 5000, "held": 5000},  # a minute or two: notebook 2's
}
TEMPERATURES = (1.0, 0.7, 0.5, 0.38, 0.3, 0.2, 0.1)  # Zhang et al. 2016, figure 6, and their 0.38
ALPHAS = tuple(i / 8 for i in range(-8, 9))  # below 0 undoes a rebalanced network's own weights
TUNING = 500  # validation images on which the path of a network of cells is chosen
CURVES = ("raw_auc", "rebalanced_auc", "psnr", "colourfulness")


def settings(recipe: str, budget: str = "full", source: str = "cifar100") -> Config:
    """The config of one recipe's run. NoGAN's generator trains an epoch less: the game has it."""
    config = Config(
        name=f"{budget}-{recipe}-{slug(source)}",
        recipe="features" if recipe == "nogan" else recipe,
        given="luma",
        precision="no",  # on every machine the same
        **BUDGETS[budget],
    )
    config.epochs -= recipe == "nogan"
    return config


def learn(recipe: str, images, budget="full", source="cifar100") -> tuple[ColorNet, dict]:
    """(The network, how it was made), trained by one recipe on uint8 images (N, H, W, 3)."""
    config = settings(recipe, budget, source)
    model, way = build(config)
    config.count = config.count and min(config.count, len(split_validation(images, config.held)[0]))
    history = fit(model, way, images, config)
    if len(history) < config.epochs:  # fit has said why; a half-trained network is not compared
        raise KeyboardInterrupt
    made = {"command": command(config), "seconds": history[-1]["seconds"]}
    if recipe == "nogan":
        game = nogan.play(model, images, config)
        made |= {"game": game, "seconds": made["seconds"] + game[-1]["seconds"]}
    return model, made


def kept(source="cifar100") -> dict[str, ColorNet]:
    """title -> network of the other recipes that `compare` trained here, where it is kept."""
    found = {}
    for recipe in ("original", "regression", "eccv16", "nogan"):
        config = settings(recipe, "full", source)
        folder = nogan.home(config) if recipe == "nogan" else paths.runs() / config.name
        path = folder / "model.safetensors"
        if path.is_file():
            found[TITLES[recipe]] = model = load_model(path)
            if recipe == "eccv16":
                model.schedules["luma"] = [DecodeSetting(0.0, 0.38)] * 2  # as published
    return found


def curve(model: ColorNet, truth: Tensor, settings: list[DecodeSetting]) -> list[dict]:
    """What a network of cells reaches on truth (N, 3, H, W) at each setting."""
    measured = measure_settings(model, truth, settings, "luma")
    return [
        reached(rows) | setting._asdict() for setting, rows in zip(settings, measured, strict=True)
    ]


def point(predicted: Tensor, truth: Tensor) -> dict:
    """The metrics of the two figures, each with its 95 % bootstrap interval."""
    return reached(per_image(predicted, truth, quick=True))


def reached(rows: dict[str, Tensor]) -> dict:
    measured, intervals = summary(rows), bootstrap(rows)
    kept = {name: intervals[name] for name in CURVES}
    return {name: measured[name] for name in CURVES} | {"intervals": kept}


def curves_of(recipe: str, model: ColorNet, held, truth: Tensor) -> dict[str, list[dict]]:
    """The curves, or the one point, that a recipe's network traces in the figures."""
    if model.config["head"] not in CELL_HEADS:
        return {TITLES[recipe]: [point(colorize(model, luma(truth), "luma"), truth)]}
    tune_path(model, held[:TUNING], 13, "luma", ALPHAS, by="rebalanced_auc", below_grey=True)
    adjusted = curve(model, truth, model.schedules["luma"])
    if recipe != "eccv16":
        return {TITLES[recipe]: adjusted}
    plain = curve(model, truth, [DecodeSetting(0.0, t) for t in TEMPERATURES])
    return {TITLES[recipe]: plain, f"{TITLES[recipe]}, logits adjusted": adjusted}


def table_systems(recipe: str, model: ColorNet) -> dict:
    """The rows of a recipe in the table: one, or both ends of its vividness."""
    if model.config["head"] not in CELL_HEADS:
        return {TITLES[recipe]: lambda gray: colorize(model, gray, "luma")}
    rows = {
        f"{TITLES[recipe]}, vividness {v:g}": lambda gray, v=v: colorize(model, gray, "luma", v)
        for v in (0.0, 1.0)
    }
    if recipe == "eccv16":
        annealed = copy.copy(model)  # the same weights
        annealed.schedules = {"luma": [DecodeSetting(0.0, 0.38)] * 2}
        title = f"{TITLES[recipe]}, as published (T = 0.38)"
        rows[title] = lambda gray: colorize(annealed, gray, "luma")
    return rows


def compare(
    source: str = "cifar100", budget: str = "full", count: int | None = None, recipes=COMPARED
) -> dict:
    """Train every recipe (or read its finished run), measure all on the test split, keep it all.

    Returns the table's rows (at the full budget), the figures' curves and how each network was
    made, and keeps them as data/results/controlled-BUDGET.json (of other data than the whole
    CIFAR-100 test split, or of fewer recipes, under a longer name).
    """
    began = time.perf_counter()
    source, _ = resolve(source)
    images = load_images(source, "train")
    held = split_validation(images, BUDGETS[budget]["held"])[1]
    test = load_images(source, "test", count)
    labels = load_labels(source, "test", count) if source == "cifar100" else None  # the judge's
    truth = to_tensor(test)
    curves, made = {}, {}
    systems = {
        "grey": grey,
        "random colours": lambda gray: random_colours(truth[: len(gray)], images),
    }
    for name, system in systems.items():
        curves[name] = [point(system(luma(truth)), truth)]
    for recipe in recipes:
        model, made[recipe] = learn(recipe, images, budget, source)
        curves |= curves_of(recipe, model, held, truth)
        systems |= table_systems(recipe, model)
    rows = []
    if budget == "full":
        said = (lambda rgb, truth: verdict(rgb, truth, labels[0])) if labels else None
        rows = evaluate_systems(systems, test, "luma", more=said)
    result = {
        "rows": rows,
        "curves": curves,
        "made": made,
        "given": "luma",
        "budget": BUDGETS[budget],
        "data": {"source": describe(source), "split": "test", "count": len(test)},
        "command": f"python -m colorlib compare --source {source} --budget {budget}"
        + (f" --count {count}" if count else ""),
        "seed": 0,
        "seconds": round(time.perf_counter() - began, 1),
        "machine": machine(),
        "date": date.today().isoformat(),
    }
    if budget == "full" and "distribution" in made:
        seconds = made["distribution"]["seconds"]
        result["original_network"] = original_network(images, test, seconds, slug(source))
    whole = source == "cifar100" and len(test) == 10000
    of = "" if whole else f"-{slug(source)}-{len(test)}"
    of += "" if tuple(recipes) == COMPARED else "-" + "-".join(recipes)
    return save_result(f"controlled-{budget}{of}", result)


def original_network(images, test, seconds: float, source: str, count: int = 1000) -> dict:
    """The original's own network after as many seconds of training, on `count` test images."""
    training = split_validation(images)[0]
    model, steps = original.train(f"original-network-{source}", training, seconds)
    systems = {
        "grey": grey,
        "the original's network": lambda gray: original.colorize(model, gray),
    }
    without, row = evaluate_systems(systems, test[:count], "luma")
    made = {"count": min(count, len(test)), "steps": steps, "training_seconds": seconds}
    return row | made | {"grey": without}


def margins(result: dict, ours: str = TITLES["distribution"]) -> dict[str, float]:
    """How far our curve lies above each other's points: the least rebalanced AuC to spare.

    Our curve is interpolated at each point's raw AuC; left of its end, where it need not give up
    more to be as vivid, it counts as level. A point further right than all of it is minus infinity.
    """
    mine = sorted(result["curves"][ours], key=lambda row: row["raw_auc"])
    x, y = ([row[name] for row in mine] for name in ("raw_auc", "rebalanced_auc"))
    y = np.maximum.accumulate(y[::-1])[::-1]  # what is reached at this raw AuC or a better one
    spare = {}
    for name, points in result["curves"].items():
        if name != ours:
            spare[name] = min(
                float(np.interp(p["raw_auc"], x, y)) - p["rebalanced_auc"]
                if p["raw_auc"] <= x[-1]
                else -float("inf")
                for p in points
            )
    return spare
