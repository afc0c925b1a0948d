"""The comparison at an equal budget: the same network, images, steps and seed, five recipes.

All take luma. Every run has the default settings, which were chosen on our recipe, and each recipe
its paper's own constants; both optimizers take steps that do not depend on the size of the loss.
Both networks of cells have their logits adjusted by how common their own cells are in training.
"""

import copy
import dataclasses
import time
from collections.abc import Sequence
from functools import partial
from shlex import quote

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
from colorlib.report import evaluation, store
from colorlib.report.bootstrap import bootstrap
from colorlib.report.evaluation import Colorizer, System
from colorlib.report.tables import TITLES, markdown_table, result_table, short_title, signed
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
OURS = "recipe_distribution"


def system_key(recipe: str) -> str:
    """The key of a recipe's rows and curves, of tables.TITLES."""
    return f"recipe_{recipe}"


def run_config(
    recipe: str, budget: str = "full", source: str = "cifar100", images: np.ndarray | None = None
) -> Config:
    """The config of a run on `images`; NoGAN's is an epoch shorter, for its adversarial phase."""
    config = Config(
        name=f"{budget}-{recipe}-{slug(source)}",
        recipe="features" if recipe == "nogan" else recipe,
        given="luma",
        precision="no",  # on every machine the same
        **BUDGETS[budget],
    )
    config.epochs -= recipe == "nogan"
    if images is not None and config.count:
        config.count = min(config.count, len(split_validation(images, config.validation)[0]))
    return config


def train_recipe(
    recipe: str, images: np.ndarray, budget: str = "full", source: str = "cifar100"
) -> tuple[ColorNet, dict]:
    """(The network, how it was made), trained by one recipe on uint8 images (N, H, W, 3)."""
    config = run_config(recipe, budget, source, images)
    model, loss = build(config)
    history = fit(model, loss, images, config)
    if len(history) < config.epochs:  # fit has printed the reason
        raise KeyboardInterrupt
    made = {"command": f"{command(config)} --source {quote(source)}"}
    made |= {"config": dataclasses.asdict(config), "seconds": history[-1]["seconds"]}
    if recipe == "nogan":
        phase = nogan.adversarial_phase(model, images, config)
        made |= {"adversarial_phase": phase, "seconds": made["seconds"] + phase[-1]["seconds"]}
    return model, made


def as_published(model: ColorNet) -> ColorNet:
    """ECCV16's recipe with its authors' own decoding; the weights are the same."""
    model = copy.copy(model)
    model.schedules = {"luma": [DecodeSetting(0.0, 0.38)] * 2}
    return model


def other_systems(source: str = "cifar100") -> dict[str, Colorizer]:
    """key -> colorizer of the published networks whose official weights are in the data root.

    And of the recipes that `compare` trained here, at vividness 0.5 (ECCV16's as published).
    """
    known = [name for name in peers.OFFICIAL if peers.weights_path(name).is_file()]
    found: dict[str, Colorizer] = {name: peers.load(name).colorize for name in known}
    for recipe in COMPARED:
        name = run_config(recipe, "full", source).name + "-game" * (recipe == "nogan")
        path = paths.runs() / name / "model.safetensors"
        if recipe != "distribution" and path.is_file():
            model = load_model(path)
            model = as_published(model) if recipe == "eccv16" else model
            found[system_key(recipe)] = partial(colorize, model, given="luma", vividness=0.5)
    return found


def measure_output(predicted: Tensor, truth: Tensor) -> dict:
    """`point` of predicted images (N, 3, H, W)."""
    return point(per_image(predicted, truth, quick=True))


def point(rows: dict[str, Tensor]) -> dict:
    """The metrics of the two figures and their 95 % "intervals", of numbers of each image (N,)."""
    measured, intervals = summary(rows), bootstrap(rows)
    found = {name: measured[name] for name in CURVES}
    return found | {"intervals": {name: intervals[name] for name in CURVES}}


def settings_curve(model: ColorNet, truth: Tensor, settings: list[DecodeSetting]) -> list[dict]:
    """What a network of cells reaches on truth (N, 3, H, W) at each setting."""
    pairs = zip(settings, measure_settings(model, truth, settings, "luma"), strict=True)
    return [point(rows) | setting._asdict() for setting, rows in pairs]


def measure_recipe(
    recipe: str, model: ColorNet, validation: np.ndarray, truth: Tensor
) -> tuple[dict[str, list[dict]], list[System]]:
    """(Curves of the figures, or one point, and rows of the table) of a recipe's network."""
    key = system_key(recipe)
    if model.config["head"] not in CELL_HEADS:
        system = System(key, partial(colorize, model, given="luma"))
        return {key: [measure_output(system.colorize(luma(truth)), truth)]}, [system]
    tune_path(model, validation[:TUNING], 13, "luma", ALPHAS, by="rebalanced_auc", below_grey=True)
    curve = settings_curve(model, truth, model.schedules["luma"])
    systems = evaluation.at_vividness(model, "luma", (0.0, 1.0), key)
    if recipe != "eccv16":
        return {key: curve}, systems
    plain = settings_curve(model, truth, [DecodeSetting(0.0, t) for t in TEMPERATURES])
    published = partial(colorize, as_published(model), given="luma")
    return {key: plain, f"{key}_adjusted": curve}, [*systems, System(f"{key}_published", published)]


def compare(
    source: str = "cifar100", budget: str = "full", count: int | None = None,
    recipes: tuple[str, ...] = COMPARED, unless_current: bool = False,
) -> dict:  # fmt: skip
    """Train every recipe (or read its finished run) and measure all on (the first) test images.

    Returns, and keeps as the result equal-budget-BUDGET, the table's rows (at the full budget), the
    figures' curves and how each network was made. The name is longer for other images or recipes.
    unless_current: a result on file that was measured in the same way is returned instead.
    """
    began, (source, _) = time.perf_counter(), resolve(source)
    images, test = load_images(source, "train"), load_images(source, "test", count)
    name, made = provenance(source, budget, count, recipes, test, images)
    if unless_current and (current := store.current_result(name, made)):
        return current
    validation = split_validation(images, BUDGETS[budget]["validation"])[1]
    truth = to_tensor(test)
    systems = [
        System("grey", evaluation.grey),
        System("random_colors", lambda gray: evaluation.random_colors(truth[: len(gray)], images)),
    ]
    curves = {s.key: [measure_output(s.colorize(luma(truth)), truth)] for s in systems}
    networks, owners = {}, {}
    for recipe in recipes:
        model, networks[recipe] = train_recipe(recipe, images, budget, source)
        traced, rows = measure_recipe(recipe, model, validation, truth)
        curves |= traced
        systems += rows
        owners |= {row.key: {"recipe": recipe} for row in rows}
        made["digests"][recipe] = store.weights_digest(model)
    made |= {"rows": [], "curves": curves, "networks": networks}
    if budget == "full":
        labels = load_labels(source, "test", count) if source == "cifar100" else None
        known = {"more": partial(classifier_metrics, classes=labels[0])} if labels else {}
        rows = evaluation.evaluate_systems(systems, test, "luma", **known)
        made["rows"] = [row | owners.get(row["system"], {}) for row in rows]
        seconds = networks["distribution"]["seconds"]
        made["original_network"] = original_network(images, test, seconds, slug(source))
    made["seconds"] = round(time.perf_counter() - began, 1)
    return store.save_result(name, made)


def provenance(
    source: str, budget: str, count: int | None, recipes: tuple[str, ...], test: np.ndarray,
    training: np.ndarray,
) -> tuple[str, dict]:  # fmt: skip
    """The comparison's file name, and how it is made, but for the digests of its networks."""
    runs = {recipe: dataclasses.asdict(run_config(recipe, budget, source)) for recipe in recipes}
    config = {"given": "luma", "budget": BUDGETS[budget], "runs": runs, "tuning": TUNING}
    config |= {"alphas": ALPHAS, "temperatures": TEMPERATURES, "decoding": decoding.VERSION}
    words = f"python -m colorlib compare --source {quote(source)} --budget {budget}"
    words += f" --count {count}" if count else ""
    data = store.data_record(source, "test", test, training)
    classifier = {"classifier": load_classifier("classifier")} if source == "cifar100" else {}
    whole = (data["source"], data["count"]) == ("cifar100", 10000)
    name = f"equal-budget-{budget}" + ("" if whole else f"-{data['source']}-{data['count']}")
    name += "" if recipes == COMPARED else "-" + "-".join(recipes)
    return name, store.provenance(classifier, config, data, command=words)


def original_network(images: np.ndarray, test: np.ndarray, seconds: float, source: str) -> dict:
    """The course project's network after as many seconds of training, on 1,000 test images."""
    training, test = split_validation(images)[0], test[:1000]
    model, steps = original.train(f"original-network-{source}", training, seconds)
    systems = {"grey": evaluation.grey, "original_network": partial(original.colorize, model)}
    grey, row = evaluation.evaluate_systems(systems, test, "luma")
    made = {"count": len(test), "steps": steps, "training_seconds": seconds}
    return row | made | {"grey": grey}


def with_original(result: dict) -> dict:
    """The result with a last row: the course project's network, measured on fewer images."""
    return result | {"rows": [*result["rows"], result["original_network"]]}


def recipes_table(result: dict, metrics: Sequence[str] = TABLE) -> str:
    """The five recipes in Markdown, how long each trained, and the command."""
    budget = result["config"]["budget"]
    images = budget.get("count") or 50_000 - budget["validation"]
    minutes = [
        f"{short_title(system_key(recipe))} {made['seconds'] / 60:.1f}"
        for recipe, made in result["networks"].items()
    ]
    return (
        f"{result_table(with_original(result), metrics)}\n\n{budget['epochs']} epochs of "
        f"{images:,} images each. Minutes of training: {', '.join(minutes)}. "
        f"`{result['command']}`"
    )


def original_sentence(result: dict) -> str:
    """What the course project's network reached in as much time as ours."""
    row = result["original_network"]
    return (
        f"*On CIFAR-100: after {row['steps']:,} steps in {row['training_seconds'] / 60:.1f} "
        f"minutes the course project's network reaches {row['psnr']:.2f} dB and raw AuC "
        f"{row['raw_auc']:.4f} on {row['count']:,} test images (input: luma). Grey reaches "
        f"{row['grey']['psnr']:.2f} dB and {row['grey']['raw_auc']:.4f}.*"
    )


def margins_table(result: dict) -> str:
    """`pareto_margins` in Markdown."""
    margins = pareto_margins(result).items()
    rows = [(TITLES[key], signed(margin, "rebalanced_auc")) for key, margin in margins]
    return markdown_table(["recipe", "our curve lies above it by (rebalanced AuC)"], rows)


def pareto_margins(result: dict, ours: str = OURS) -> dict[str, float]:
    """By how much our curve lies above each other curve: the least difference in rebalanced AuC.

    Our curve is interpolated at each point's raw AuC; left of its end it counts as level. A point
    further right than all of it is minus infinity.
    """
    points = {
        key: np.array([(row["raw_auc"], row["rebalanced_auc"]) for row in rows]).T
        for key, rows in result["curves"].items()
    }
    curve = points.pop(ours)
    raw, best = curve[:, curve[0].argsort()]
    best = np.maximum.accumulate(best[::-1])[::-1]  # reached at this raw AuC or a better one
    return {
        key: float((np.interp(x, raw, best, right=-np.inf) - y).min())
        for key, (x, y) in points.items()
    }
