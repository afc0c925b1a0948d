"""The comparison at an equal budget: the same network, images, steps and seed, five recipes.

All take luma. None was tuned for this table: every run has the default settings (which were chosen
on our recipe) but the budget's, and each recipe its paper's own constants; both optimizers take
steps that do not depend on the size of the loss. Both networks of cells have their logits adjusted
by how common each of their own cells is in the training images.
"""

import copy
import dataclasses
import time
from functools import partial

import numpy as np
from torch import Tensor

from colorlib import decoding, paths, peers
from colorlib.color import luma
from colorlib.compare import nogan
from colorlib.compare.classifier import load_classifier
from colorlib.compare.semantic import classifier_metrics
from colorlib.config import Config
from colorlib.data import load_images, load_labels, resolve, slug, split_validation, to_tensor
from colorlib.decoding import CELL_HEADS, DecodeSetting
from colorlib.environment import command
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, colorize, load_model
from colorlib.peers import original
from colorlib.recipes import build
from colorlib.report import store
from colorlib.report.bootstrap import bootstrap
from colorlib.report.evaluation import (
    Colorizer,
    System,
    at_vividness,
    evaluate_systems,
    grey,
    random_colors,
)
from colorlib.report.store import weights_digest
from colorlib.report.tables import TITLES, markdown_table, result_table
from colorlib.report.tune_vividness import measure_settings, tune_path
from colorlib.train import fit

COMPARED = ("original", "regression", "distribution", "eccv16", "nogan")
BUDGETS = {
    "full": {"epochs": 3, "validation": 5000},
    "short": {"epochs": 8, "count": 5000, "validation": 5000},  # a minute or two: notebook 2's
}
TEMPERATURES = (1.0, 0.7, 0.5, 0.38, 0.3, 0.2, 0.1)  # Zhang et al. 2016, figure 6, and their 0.38
ALPHAS = tuple(i / 8 for i in range(-8, 9))  # below 0 undoes a rebalanced network's own weights
TUNING = 500  # validation images on which the path of a network of cells is chosen
TABLE = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness", "top1")
CURVES = ("raw_auc", "rebalanced_auc", "psnr", "colourfulness")


def system_key(recipe: str) -> str:
    """The key of a recipe's rows and curves, of tables.TITLES."""
    return f"recipe_{recipe}"


OURS = system_key("distribution")


def run_config(recipe: str, budget: str = "full", source: str = "cifar100") -> Config:
    """The config of one recipe's run; NoGAN's is an epoch shorter, for its adversarial phase."""
    config = Config(
        name=f"{budget}-{recipe}-{slug(source)}",
        recipe="features" if recipe == "nogan" else recipe,
        given="luma",
        precision="no",  # on every machine the same
        **BUDGETS[budget],
    )
    config.epochs -= recipe == "nogan"
    return config


def train_recipe(
    recipe: str, images: np.ndarray, budget: str = "full", source: str = "cifar100"
) -> tuple[ColorNet, dict]:
    """(The network, how it was made), trained by one recipe on uint8 images (N, H, W, 3)."""
    config = run_config(recipe, budget, source)
    model, loss = build(config)
    config.count = config.count and min(
        config.count, len(split_validation(images, config.validation)[0])
    )
    history = fit(model, loss, images, config)
    if len(history) < config.epochs:  # fit has printed the reason
        raise KeyboardInterrupt
    made = {"command": f"{command(config)} --source {source}"}
    made |= {"config": dataclasses.asdict(config), "seconds": history[-1]["seconds"]}
    if recipe == "nogan":
        phase = nogan.adversarial_phase(model, images, config)
        made |= {"adversarial_phase": phase, "seconds": made["seconds"] + phase[-1]["seconds"]}
    return model, made


def other_systems(source: str = "cifar100") -> dict[str, Colorizer]:
    """key -> colorizer of the other systems that can run here.

    They are the recipes that `compare` trained here, at vividness 0.5 (ECCV16's as published), and
    the published networks whose official weights are in the data root.
    """
    known = [name for name in peers.OFFICIAL if peers.weights_path(name).is_file()]
    found: dict[str, Colorizer] = {name: peers.load(name).colorize for name in known}
    for recipe in COMPARED:
        config = run_config(recipe, "full", source)
        folder = nogan.run_folder(config) if recipe == "nogan" else paths.runs() / config.name
        path = folder / "model.safetensors"
        if recipe != "distribution" and path.is_file():
            model = load_model(path)
            if recipe == "eccv16":
                model.schedules["luma"] = [DecodeSetting(0.0, 0.38)] * 2
            found[system_key(recipe)] = partial(colorize, model, given="luma", vividness=0.5)
    return found


def settings_curve(model: ColorNet, truth: Tensor, settings: list[DecodeSetting]) -> list[dict]:
    """What a network of cells reaches on truth (N, 3, H, W) at each setting."""
    pairs = zip(settings, measure_settings(model, truth, settings, "luma"), strict=True)
    return [with_intervals(rows) | setting._asdict() for setting, rows in pairs]


def measure_output(predicted: Tensor, truth: Tensor) -> dict:
    """The metrics of the two figures, each with its 95 % bootstrap interval."""
    return with_intervals(per_image(predicted, truth, quick=True))


def with_intervals(rows: dict[str, Tensor]) -> dict:
    """The metrics of the two figures and their "intervals", of numbers of each image (N,)."""
    measured, intervals = summary(rows), bootstrap(rows)
    found = {name: measured[name] for name in CURVES}
    return found | {"intervals": {name: intervals[name] for name in CURVES}}


def figure_curves(
    recipe: str, model: ColorNet, validation: np.ndarray, truth: Tensor
) -> dict[str, list[dict]]:
    """The curves, or the one point, that a recipe's network traces in the figures."""
    key = system_key(recipe)
    if model.config["head"] not in CELL_HEADS:
        return {key: [measure_output(colorize(model, luma(truth), "luma"), truth)]}
    tune_path(model, validation[:TUNING], 13, "luma", ALPHAS, by="rebalanced_auc", below_grey=True)
    adjusted = settings_curve(model, truth, model.schedules["luma"])
    if recipe != "eccv16":
        return {key: adjusted}
    plain = settings_curve(model, truth, [DecodeSetting(0.0, t) for t in TEMPERATURES])
    return {key: plain, f"{key}_adjusted": adjusted}


def table_systems(recipe: str, model: ColorNet) -> list[System]:
    """The rows of a recipe in the table: one, or both ends of its vividness."""
    key = system_key(recipe)
    if model.config["head"] not in CELL_HEADS:
        return [System(key, lambda gray: colorize(model, gray, "luma"))]
    rows = at_vividness(model, "luma", (0.0, 1.0), key)
    if recipe == "eccv16":
        annealed = copy.copy(model)  # the same weights
        annealed.schedules = {"luma": [DecodeSetting(0.0, 0.38)] * 2}
        rows.append(System(f"{key}_published", lambda gray: colorize(annealed, gray, "luma")))
    return rows


def compare(
    source: str = "cifar100",
    budget: str = "full",
    count: int | None = None,
    recipes: tuple[str, ...] = COMPARED,
    unless_current: bool = False,
) -> dict:
    """Train every recipe (or read its finished run), measure all on the test split, keep it all.

    Returns the table's rows (at the full budget), the figures' curves and how each network was
    made, and keeps them as the result equal-budget-BUDGET (of other data than the whole CIFAR-100
    test split, or of fewer recipes, under a longer name). unless_current: a result on file that was
    measured in the same way is returned instead.
    """
    began = time.perf_counter()
    source, _ = resolve(source)
    images = load_images(source, "train")
    test = load_images(source, "test", count)
    made = provenance(source, budget, count, recipes, test)
    name = result_name(budget, made["data"], recipes)
    current = store.current_result(name, made) if unless_current else None
    if current:
        return current
    validation = split_validation(images, BUDGETS[budget]["validation"])[1]
    labels = load_labels(source, "test", count) if source == "cifar100" else None
    truth = to_tensor(test)
    curves, networks, owners = {}, {}, {}
    random = System("random_colors", lambda gray: random_colors(truth[: len(gray)], images))
    systems = [System("grey", grey), random]
    for system in systems:
        curves[system.key] = [measure_output(system.colorize(luma(truth)), truth)]
    for recipe in recipes:
        model, networks[recipe] = train_recipe(recipe, images, budget, source)
        curves |= figure_curves(recipe, model, validation, truth)
        rows = table_systems(recipe, model)
        owners |= {row.key: recipe for row in rows}
        systems += rows
        made["digests"][recipe] = weights_digest(model)
    made |= {"rows": [], "curves": curves, "networks": networks}
    if budget == "full":
        more = (lambda rgb, truth: classifier_metrics(rgb, truth, labels[0])) if labels else None
        for row in evaluate_systems(systems, test, "luma", more=more):
            recipe = owners.get(row["system"])
            made["rows"].append(row | ({"recipe": recipe} if recipe else {}))
        if "distribution" in networks:
            seconds = networks["distribution"]["seconds"]
            made["original_network"] = original_network(images, test, seconds, slug(source))
    made["seconds"] = round(time.perf_counter() - began, 1)
    return store.save_result(name, made)


def provenance(
    source: str, budget: str, count: int | None, recipes: tuple[str, ...], test: np.ndarray
) -> dict:
    """What the comparison's result says of how it was made, but for the digests of its networks."""
    runs = {recipe: dataclasses.asdict(run_config(recipe, budget, source)) for recipe in recipes}
    config = {"given": "luma", "budget": BUDGETS[budget], "runs": runs, "tuning": TUNING}
    config |= {"alphas": ALPHAS, "temperatures": TEMPERATURES, "decoding": decoding.VERSION}
    words = f"python -m colorlib compare --source {source} --budget {budget}"
    words += f" --count {count}" if count else ""
    data = store.data_record(source, "test", test)
    classifier = {"classifier": load_classifier("classifier")} if source == "cifar100" else {}
    return store.provenance(classifier, config, data, command=words)


def result_name(budget: str, data: dict, recipes: tuple[str, ...]) -> str:
    """The file name of a comparison: a longer one unless it is of all CIFAR-100 test images."""
    whole = (data["source"], data["count"]) == ("cifar100", 10000)
    name = f"equal-budget-{budget}" + ("" if whole else f"-{data['source']}-{data['count']}")
    return name + ("" if tuple(recipes) == COMPARED else "-" + "-".join(recipes))


def original_network(
    images: np.ndarray, test: np.ndarray, seconds: float, source: str, count: int = 1000
) -> dict:
    """The original's own network after as many seconds of training, on `count` test images."""
    training = split_validation(images)[0]
    model, steps = original.train(f"original-network-{source}", training, seconds)
    theirs = System("original_network", partial(original.colorize, model))
    systems = [System("grey", grey), theirs]
    baseline, row = evaluate_systems(systems, test[:count], "luma")
    made = {"count": min(count, len(test)), "steps": steps, "training_seconds": seconds}
    return row | made | {"grey": baseline}


def with_original(result: dict) -> dict:
    """The result with a last row: the original project's own network, measured on fewer images."""
    return result | {"rows": [*result["rows"], result["original_network"]]}


def recipes_table(result: dict, metrics: tuple[str, ...] = TABLE) -> str:
    """The five recipes in Markdown, how long each trained, and the command."""
    budget = result["config"]["budget"]
    images = budget.get("count") or 50_000 - budget["validation"]
    minutes = [
        f"{TITLES[system_key(recipe)].split(':')[0]} {made['seconds'] / 60:.1f}"
        for recipe, made in result["networks"].items()
    ]
    return (
        f"{result_table(with_original(result), metrics)}\n\n{budget['epochs']} epochs of "
        f"{images:,} images each. Minutes of training: {', '.join(minutes)}. "
        f"`{result['command']}`"
    )


def original_sentence(result: dict) -> str:
    """What the original project's network reached in as much time as ours."""
    row = result["original_network"]
    return (
        f"*On CIFAR-100: after {row['steps']:,} steps in {row['training_seconds'] / 60:.1f} "
        f"minutes the original's network reaches {row['psnr']:.2f} dB and raw AuC "
        f"{row['raw_auc']:.4f} on {row['count']:,} test images (input: luma). Grey reaches "
        f"{row['grey']['psnr']:.2f} dB and {row['grey']['raw_auc']:.4f}.*"
    )


def margins_table(result: dict) -> str:
    """`pareto_margins` in Markdown."""
    rows = [(TITLES[key], f"{margin:+.4f}") for key, margin in pareto_margins(result).items()]
    return markdown_table(["recipe", "our curve lies above it by (rebalanced AuC)"], rows)


def pareto_margins(result: dict, ours: str = OURS) -> dict[str, float]:
    """By how much our curve lies above each other curve: the least difference in rebalanced AuC.

    Our curve is interpolated at each point's raw AuC; left of its end, where it need not give up
    more to be as vivid, it counts as level. A point further right than all of it is minus infinity.
    """
    curve = sorted(result["curves"][ours], key=lambda row: row["raw_auc"])
    x, y = ([row[name] for row in curve] for name in ("raw_auc", "rebalanced_auc"))
    y = np.maximum.accumulate(y[::-1])[::-1]  # what is reached at this raw AuC or a better one

    def height(point: dict) -> float:
        above = float(np.interp(point["raw_auc"], x, y)) - point["rebalanced_auc"]
        return above if point["raw_auc"] <= x[-1] else -float("inf")

    others = {key: points for key, points in result["curves"].items() if key != ours}
    return {key: min(map(height, points)) for key, points in others.items()}
