"""Every hyperparameter in one place, and the network and recipe that they describe."""

import dataclasses
import re
from dataclasses import dataclass

import torch

from colorlib.model import ColorNet
from colorlib.recipes import RECIPES


@dataclass
class Config:
    """Every hyperparameter of a run; the defaults are those of the shipped weights."""

    name: str = "cifar"  # the run's folder in data/runs
    recipe: str = "distribution"  # or "regression"
    given: str = "both"  # what is known of an image: "value", "luma", or either by chance
    count: int | None = None  # training images to use; None for all
    epochs: int = 12
    batch_size: int = 128
    learning_rate: float = 5e-3  # the highest; it rises for `warmup` of the steps, then falls
    warmup: float = 0.15
    weight_decay: float = 0.05
    clip: float = 1.0  # largest gradient norm
    seed: int = 0
    widths: tuple = (48, 96, 192, 160)
    down: tuple = (1, 1, 1, 1)
    up: tuple = (1, 1, 1)
    spacing: float = 0.2  # between colour cells, in units of saturation
    precision: str = "no"  # accelerate's mixed precision: "no", "fp16", "bf16"

    def __post_init__(self):
        wanted = {
            "name": (bool(re.fullmatch(r"[\w.-]+", self.name)), "letters, digits, _ . -"),
            "recipe": (self.recipe in RECIPES, " or ".join(RECIPES)),
            "given": (self.given in ("value", "luma", "both"), "value, luma or both"),
            "count": (self.count is None or self.count > 0, "None or a number above 0"),
            "epochs": (self.epochs > 0, "a number above 0"),
            "batch_size": (self.batch_size > 0, "a number above 0"),
            "learning_rate": (self.learning_rate > 0, "a number above 0"),
            "warmup": (0 <= self.warmup < 1, "a share from 0, below 1"),
            "spacing": (0.02 <= self.spacing <= 1, "a number from 0.02 to 1"),
            "precision": (self.precision in ("no", "fp16", "bf16"), "no, fp16 or bf16"),
        }
        for setting, (right, wish) in wanted.items():
            if not right:
                raise ValueError(f"{setting}: got {getattr(self, setting)!r}, wanted {wish}")


def build(config: Config):
    """The (model, recipe) that a config describes, its weights drawn from the seed."""
    torch.manual_seed(config.seed)
    recipe = RECIPES[config.recipe](config.spacing)
    net = {k: getattr(config, k) for k in ("widths", "down", "up", "spacing")}
    return ColorNet(head=recipe.head, **net), recipe


def command(config: Config) -> str:
    """The command line that trains this config: what differs from the defaults."""
    words = ["python -m colorlib train"]
    for field in dataclasses.fields(config):
        setting = getattr(config, field.name)
        if setting != field.default:
            text = " ".join(map(str, setting)) if isinstance(setting, tuple | list) else setting
            words.append(f"--{field.name.replace('_', '-')} {text}")
    return " ".join(words)
