"""Every hyperparameter of a run in one place, checked. This module imports nothing of colorlib."""

import math
import re
from dataclasses import dataclass, fields
from inspect import formatannotation
from typing import Any

NAME = r"[\w-][\w.-]*"  # of a run or a result: a file's name, and not that of another folder


@dataclass
class Config:
    """Every hyperparameter of a run. The defaults are those of what is compared and studied.

    The shipped weights, wider and trained for longer, say how they were made in weights/*.json.
    """

    name: str = "cifar"  # the run's folder in data/runs
    recipe: str = "distribution"  # one of recipes.py
    init_from: str = ""  # weights to go on from: a run in data/runs, shipped ones, or a file
    given: str = "both"  # what is known of an image: "value", "luma", or either by chance
    count: int | None = None  # training images to use; None for all
    validation: int = 5000  # the last images (of a small set the last tenth), kept for validation
    epochs: int = 36
    batch_size: int = 128
    learning_rate: float = 5e-3  # AdamW's highest; it rises for `warmup` of the steps, then falls
    muon_rate: float = 0.04  # of Muon, which trains the hidden convolutions; 0: AdamW does
    warmup: float = 0.15
    weight_decay: float = 0.05
    clip: float = 1.0  # largest gradient norm
    seed: int = 0
    widths: tuple = (32, 80, 160)
    down: tuple = (0, 1, 1)
    up: tuple = (0, 1)
    attention: tuple = ()  # attention blocks per level; () for none
    hints: bool = False  # half of the images reveal some colours: datasets/hint_maps.py
    spacing: float = 0.2  # between colour cells, in units of saturation
    fold: int = 2  # side of the block of pixels that one prediction is made for
    shift: int = 4  # pixels by which a training image may move, each way
    zoom: float = 0.0  # the window it is seen through shrinks or grows by up to e to this power
    cutmix: float = 0.0  # share of the images into which a part of another is pasted
    sharpen: float = 0.0  # the input is made up to this much sharper or softer, and noisier
    crop: int = 0  # side, in pixels, of the part of an image that a step sees; 0: all of it
    precision: str = "auto"  # "no" or "bf16"; auto: bf16 where the machine multiplies in it
    compile: bool = False  # torch.compile: a minute or more at the start, for long runs on a GPU

    def __post_init__(self) -> None:
        kinds: dict[Any, Any] = {float: float | int, tuple: tuple | list}
        for field in fields(self):
            found, kind = getattr(self, field.name), kinds.get(field.type, field.type)
            if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
                raise ValueError(f"{field.name}: got {found!r}, expected {formatannotation(kind)}")
        limits = {"spacing": (0.02, 1), "shift": (0, 15), "zoom": (0, 1), "sharpen": (0, 2)}
        limits |= {"cutmix": (0, 1), "seed": (0, 2**32 - 1)}
        expected = {}
        for name, (low, high) in limits.items():
            expected[name] = low <= getattr(self, name) <= high, f"a number from {low} to {high}"
        for name in ("epochs", "batch_size", "learning_rate"):
            expected[name] = 0 < getattr(self, name) < math.inf, "a finite number above 0"
        for name in ("muon_rate", "weight_decay", "validation"):
            expected[name] = 0 <= getattr(self, name) < math.inf, "a finite number from 0"
        for name, least in {"widths": 1, "down": 0, "up": 0, "attention": 0}.items():
            right = all(type(number) is int and number >= least for number in getattr(self, name))
            expected[name] = right, f"whole numbers from {least}"
        expected |= {
            "name": (bool(re.fullmatch(NAME, self.name)), "letters, digits, _ - and, not first, ."),
            "given": (self.given in ("value", "luma", "both"), "value, luma or both"),
            "count": (self.count is None or self.count > 0, "None or a number above 0"),
            "warmup": (0 <= self.warmup < 1, "a share from 0, below 1"),
            "fold": (self.fold in (1, 2, 4), "1, 2 or 4"),
            "clip": (self.clip > 0, "a number above 0"),
            "crop": (self.crop == 0 or self.crop >= 32, "0 or a number from 32"),
            "precision": (self.precision in ("auto", "no", "bf16"), "auto, no or bf16"),
        }
        for setting, (right, wish) in expected.items():
            if not right:
                raise ValueError(f"{setting}: got {getattr(self, setting)!r}, expected {wish}")
