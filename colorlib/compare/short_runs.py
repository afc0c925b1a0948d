"""Notebook 2's short runs: the distribution, regression beside it, and a reader's own recipe."""

import hashlib
import inspect
import json

import numpy as np
from matplotlib.figure import Figure

from colorlib import data, paths
from colorlib.color import luma
from colorlib.compare import equal_budget
from colorlib.config import Config
from colorlib.decoding import DecodeSetting
from colorlib.model import ColorNet, colorize
from colorlib.recipes import RECIPES, Recipe, build
from colorlib.report import charts, pictures, store
from colorlib.report.evaluation import System, evaluate_systems, grey
from colorlib.report.tables import caption, markdown_table
from colorlib.train import fit

VIVID = DecodeSetting(alpha=0.5, temperature=0.8)  # the bold decoding of the short run
MEASURED = 1000  # validation images
METRICS = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")  # of notebook 2's table
SETTINGS = {  # name -> (part, meaning) of the hyperparameters that the short runs use
    "count": ("data", "training images"),
    "validation": ("data", "images kept for validation, a tenth of a small set"),
    "shift": ("data", "pixels by which a training image may move, each way"),
    "widths": ("network", "channels of each level of the U-Net"),
    "spacing": ("network", "distance between colour cells"),
    "fold": ("network", "side of the block of pixels that gets one prediction"),
    "epochs": ("training", "passes over the training images"),
    "batch_size": ("training", "images in a step"),
    "learning_rate": ("training", "highest step size of AdamW, for the first and the last layer"),
    "muon_rate": ("training", "highest step size of Muon, for the layers between"),
    "warmup": ("training", "part of the run in which the step size rises; then it falls"),
    "weight_decay": ("training", "how strongly weights are pulled to zero"),
    "clip": ("training", "largest norm of the gradient"),
    "seed": ("training", "of all random choices"),
}


def short_config(recipe: str, source: str, images: np.ndarray) -> Config:
    """The config of a short run on a resolved source's training `images`."""
    return equal_budget.run_config(recipe, "short", source, images)


def settings_table(config: Config) -> str:
    """The hyperparameters of a short run and what each means, as a Markdown table."""
    rows = [
        [part, f"`{name}`", str(getattr(config, name)), meaning]
        for name, (part, meaning) in SETTINGS.items()
    ]
    return markdown_table(["part", "name", "setting", "meaning"], rows, "llll")


def pretrained_history() -> list[dict]:
    """The history of the pre-trained `cifar`; its command and its time are printed."""
    made = json.loads((paths.SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    print(made["command"])
    print(f"{made['minutes']:.0f} minutes on {made['machine']['cores']} CPU cores")
    return made["history"]


def systems(model: ColorNet, plain: ColorNet) -> list[System]:
    """Grey, regression `plain`, and the distribution `model` decoded cautiously and boldly."""
    model.schedules["luma"] = [DecodeSetting(), VIVID]
    return [
        System("grey", grey),
        System("regression", lambda gray: colorize(plain, gray, "luma")),
        System("distribution", lambda gray: colorize(model, gray, "luma")),
        System("distribution_vivid", lambda gray: colorize(model, gray, "luma", 1.0)),
    ]


def validation_images(source: str) -> np.ndarray:
    """The validation images that the short runs are measured on, uint8 (N, H, W, 3)."""
    return data.split_validation(data.load_images(source, "train"))[1][:MEASURED]


def compare(model: ColorNet, plain: ColorNet, source: str) -> dict:
    """Measure the short runs on validation images, save the result and return it."""
    images, networks = validation_images(source), {"distribution": model, "regression": plain}
    configs = [equal_budget.run_config(name, "short", source) for name in networks]
    settings = {"given": "luma", "budget": equal_budget.BUDGETS["short"], "vivid": VIVID}
    settings |= {"runs": {config.recipe: vars(config) for config in configs}, "resamples": 200}
    record = store.data_record(source, "validation", images)
    made = store.provenance(networks, settings, record, notebook="02_training")
    made["rows"] = evaluate_systems(systems(model, plain), images, "luma", resamples=200)
    quick = "" if paths.profile() == "full" else "-quick"
    return store.save_result(f"short-{data.slug(source)}{quick}", made)


def show_ways(model: ColorNet, plain: ColorNet, source: str, count: int = 6) -> Figure:
    """The most colourful of the first 100 validation images, as each short run colours them."""
    images = validation_images(source)[:100]
    images = images[pictures.most_colourful(images, count)]
    gray = luma(data.to_tensor(images))
    colored = [data.to_images(system.colorize(gray)) for system in systems(model, plain)]
    names = ("grey input", "regression", "distribution,\nvividness 0", "distribution,\nvividness 1")
    note = f"{data.describe(source)}, validation images, luma as input"
    return pictures.ways(images, dict(zip(names, colored, strict=True)), note)


def train_own(recipe: type[Recipe], source: str, images: np.ndarray) -> ColorNet:
    """Train a reader's recipe at the short budget. Another text of it is another run."""
    RECIPES[recipe.name] = recipe
    text = [
        inspect.getsource(part) if inspect.isfunction(part) else f"{name}={part!r}"
        for name, part in vars(recipe).items()
        if not name.startswith("__") or inspect.isfunction(part)
    ]
    digest = hashlib.sha256("\n".join(text).encode()).hexdigest()[:6]
    config = short_config("distribution", source, images)
    config.name, config.recipe = f"{recipe.name}-{digest}-{data.slug(source)}", recipe.name
    model, loss = build(config)
    if len(fit(model, loss, images, config)) < config.epochs:
        raise KeyboardInterrupt("training was stopped: run the cell again, and it goes on")
    return model


def own_recipe_figure(model: ColorNet, source: str) -> Figure:
    """A reader's network beside the recipes of notebook 4 at the same, short budget."""
    others = store.load_result("equal-budget-short", committed=True)
    budget = equal_budget.BUDGETS["short"]
    if source != "cifar100" or others["config"]["budget"] != budget:
        others = equal_budget.compare(source, "short", recipes=("regression", "distribution"))
    truth = data.to_tensor(data.load_images(source, "test", others["data"]["count"]))
    mine = equal_budget.measure_output(colorize(model, luma(truth), "luma"), truth)
    ours, note = equal_budget.OURS, caption(others)
    return charts.recipes_compared(others["curves"], ours, {"mine": [mine]}, note)
