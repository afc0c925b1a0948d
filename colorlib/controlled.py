"""The controlled comparison: the same network, images, steps and seed, learned in different ways.

All are given luma. None was tuned for this table: every run has the settings of the shipped
weights but the budget's, and each recipe its paper's own constants; both optimizers take steps that
do not depend on the size of the loss.
"""

import time
from datetime import date

import numpy as np
import torch
from torch import Tensor

from colorlib import nogan
from colorlib.batches import generator
from colorlib.color import hsv_to_chroma, join, luma, rgb_to_hsv
from colorlib.config import Config, build, command
from colorlib.data import (
    describe,
    load_images,
    load_labels,
    resolve,
    slug,
    split_validation,
    to_tensor,
)
from colorlib.metrics import bootstrap, per_image, summary
from colorlib.model import ColorNet, colorize
from colorlib.peers import original
from colorlib.results import evaluate_systems, machine, save_result
from colorlib.ship import tune_path
from colorlib.train import fit
from colorlib.verdict import verdict

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
CURVES = ("raw_auc", "rebalanced_auc", "psnr", "colourfulness")


def settings(recipe: str, budget: str = "full", source: str = "cifar100") -> Config:
    """The config of one recipe's run. NoGAN's generator trains an epoch less: the game has it."""
    config = Config(
        name=f"{budget}-{recipe}-{slug(source)}",
        recipe="features" if recipe == "nogan" else recipe,
        given="luma",
        **BUDGETS[budget],
    )
    config.epochs -= recipe == "nogan"
    return config


def learn(recipe: str, images, budget="full", source="cifar100") -> tuple[ColorNet, dict]:
    """(The network, how it was made), trained by one recipe on uint8 images (N, H, W, 3)."""
    config = settings(recipe, budget, source)
    model, way = build(config)
    history = fit(model, way, images, config)
    made = {"command": command(config), "seconds": history[-1]["seconds"]}
    if recipe == "nogan":
        game = nogan.play(model, images, config)
        made |= {"game": game, "seconds": made["seconds"] + game[-1]["seconds"]}
    return model, made


def curve(model: ColorNet, truth: Tensor, points: list[tuple[float, float]]) -> list[dict]:
    """What a network of cells reaches on truth (N, 3, H, W) at each (alpha, T)."""
    found, before = [], model.path
    for alpha, temperature in points:
        model.path = [(alpha, temperature)] * 2
        row = point(colorize(model, luma(truth), "luma"), truth)
        found.append(row | {"alpha": alpha, "T": temperature})
    model.path = before
    return found


def point(predicted: Tensor, truth: Tensor) -> dict:
    """The metrics of the two figures, each with its 95 % bootstrap interval."""
    rows = per_image(predicted, truth, quick=True)
    measured, intervals = summary(rows), bootstrap(rows)
    kept = {name: intervals[name] for name in CURVES}
    return {name: measured[name] for name in CURVES} | {"intervals": kept}


def random_colours(truth: Tensor, images, seed: int = 0) -> Tensor:
    """Each image in the colours of another: the chroma of a random one of uint8 `images`.

    The baseline "Random" of Zhang et al. 2016, section 3.1.
    """
    pick = torch.randint(len(images), (len(truth),), generator=generator(seed, 0)).numpy()
    chroma = hsv_to_chroma(rgb_to_hsv(to_tensor(images[pick])))
    return join(chroma, luma(truth), "luma")


def curves_of(recipe: str, model: ColorNet, held, truth: Tensor) -> dict[str, list[dict]]:
    """The curves, or the one point, that a recipe's network traces in the figures."""
    if model.config["head"] not in ("distribution", "ab"):
        return {TITLES[recipe]: [point(colorize(model, luma(truth), "luma"), truth)]}
    tune_path(model, held[:2000], given="luma")
    adjusted = curve(model, truth, model.path)
    if recipe != "eccv16":
        return {TITLES[recipe]: adjusted}
    plain = curve(model, truth, [(0.0, t) for t in TEMPERATURES])
    return {TITLES[recipe]: plain, f"{TITLES[recipe]}, logits adjusted": adjusted}


def table_systems(recipe: str, model: ColorNet) -> dict:
    """The rows of a recipe in the table: one, or both ends of its vividness."""
    if model.config["head"] not in ("distribution", "ab"):
        return {TITLES[recipe]: lambda gray: colorize(model, gray, "luma")}
    rows = {
        f"{TITLES[recipe]}, vividness {v:g}": lambda gray, v=v: colorize(model, gray, "luma", v)
        for v in (0.0, 1.0)
    }
    if recipe == "eccv16":

        def annealed(gray):
            before, model.path = model.path, [(0.0, 0.38)] * 2
            colored = colorize(model, gray, "luma")
            model.path = before
            return colored

        rows[f"{TITLES[recipe]}, as published (T = 0.38)"] = annealed
    return rows


def compare(
    source: str = "cifar100", budget: str = "full", count: int | None = None, recipes=COMPARED
) -> dict:
    """Train every recipe (or read its finished run), measure all on the test split, keep it all.

    Returns the table's rows, the figures' curves and how each network was made, and keeps them as
    data/results/controlled-BUDGET.json (of other data than the whole CIFAR-100 test split under a
    longer name).
    """
    began = time.perf_counter()
    source, _ = resolve(source)
    images = load_images(source, "train")
    held = split_validation(images, BUDGETS[budget]["held"])[1]
    test = load_images(source, "test", count)
    labels = load_labels(source, "test", count)
    truth = to_tensor(test)
    curves, made = {}, {}
    systems = {
        "grey": lambda gray: gray.expand(-1, 3, -1, -1),
        "random colours": lambda gray: random_colours(truth[: len(gray)], images),
    }
    for name, system in systems.items():
        curves[name] = [point(system(luma(truth)), truth)]
    for recipe in recipes:
        model, made[recipe] = learn(recipe, images, budget, source)
        curves |= curves_of(recipe, model, held, truth)
        systems |= table_systems(recipe, model)
    rows = evaluate_systems(systems, test, "luma")
    if labels:
        for row in rows:
            row |= verdict(systems[row["system"]](luma(truth)), truth, labels[0])
    result = {
        "rows": rows,
        "curves": curves,
        "made": made,
        "given": "luma",
        "budget": BUDGETS[budget],
        "data": {"source": describe(source), "split": "test", "count": len(test)},
        "command": f"python -m colorlib compare --budget {budget}",
        "seed": 0,
        "seconds": round(time.perf_counter() - began, 1),
        "machine": machine(),
        "date": date.today().isoformat(),
    }
    if budget == "full" and "distribution" in made:
        result["original_network"] = original_network(images, test, made["distribution"]["seconds"])
    whole = source == "cifar100" and len(test) == 10000
    of = "" if whole else f"-{slug(source)}-{len(test)}"
    return save_result(f"controlled-{budget}{of}", result)


def original_network(images, test, seconds: float, count: int = 1000) -> dict:
    """The original's own network after as many seconds of training; `count` test images."""
    training = split_validation(images)[0]
    model, steps = original.train("original-network-cifar100", training, seconds)
    row = evaluate_systems(
        {"the original's network": lambda gray: original.colorize(model, gray)},
        test[:count],
        "luma",
    )[0]
    return row | {"count": min(count, len(test)), "steps": steps, "training_seconds": seconds}


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
