"""Systems measured on the same images: a network at several settings, and its baselines."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from shlex import quote
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from colorlib import paths
from colorlib.batches import generator
from colorlib.color import add_chroma, hsv_to_chroma, luma, rgb_to_hsv, to_gray
from colorlib.data import load_images, resolve, to_tensor
from colorlib.decoding import CELL_HEADS
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, colorize
from colorlib.report import store
from colorlib.report.bootstrap import paired_bootstrap
from colorlib.report.tables import result_table

VIVIDNESS = (0.0, 0.25, 0.5, 0.75, 1.0)
SAMPLE = 50  # first images whose metrics are kept with a result, for the test that recomputes them
Colorizer = Callable[[Tensor], Tensor]  # gray (N, 1, H, W) to RGB (N, 3, H, W)


class System(NamedTuple):
    """A row of a table: what colours the images, and its key."""

    key: str  # of tables.TITLES; any other is shown as it is
    colorize: Colorizer
    vividness: float | None = None

    def row(self) -> dict:
        """The key as a result keeps it."""
        vivid = {} if self.vividness is None else {"vividness": self.vividness}
        return {"system": self.key} | vivid


def as_systems(systems: Iterable[System] | Mapping[str, Colorizer]) -> list[System]:
    """Systems as a list, also of a mapping from keys to functions."""
    if isinstance(systems, Mapping):
        return [System(key, function) for key, function in systems.items()]
    return list(systems)


def grey(gray: Tensor) -> Tensor:
    """The baseline without colour: RGB (N, 3, H, W) of gray (N, 1, H, W)."""
    return gray.expand(-1, 3, -1, -1)


def mean_color(model: ColorNet, gray: Tensor, given: str) -> Tensor:
    """The baseline that gives every pixel the training images' mean chroma."""
    chroma = (model.prior @ model.cells).view(1, 2, 1, 1).to(gray.device)
    return add_chroma(chroma.expand(len(gray), 2, *gray.shape[-2:]), gray, given)


def random_colors(truth: Tensor, images: np.ndarray, seed: int = 0) -> Tensor:
    """Each image in the colours of another: the chroma of a random one of uint8 `images`.

    The baseline "Random" of Zhang et al. 2016, section 3.1.
    """
    pick = torch.randint(len(images), (len(truth),), generator=generator(seed, 0)).numpy()
    chroma = hsv_to_chroma(rgb_to_hsv(to_tensor(images[pick])))
    return add_chroma(chroma, luma(truth), "luma")


def at_vividness(
    model: ColorNet, given: str, vividness: Iterable[float] = VIVIDNESS, key: str = "ours"
) -> list[System]:
    """A network of cells at each vividness."""
    return [System(key, lambda gray, v=v: colorize(model, gray, given, v), v) for v in vividness]


def compared_systems(
    model: ColorNet, given: str, vividness: Iterable[float] = VIVIDNESS
) -> list[System]:
    """What an evaluation compares: grey, the mean colour, and the network."""
    systems, head = [System("grey", grey)], model.config["head"]
    if head not in CELL_HEADS:
        return [*systems, System("ours", lambda gray: colorize(model, gray, given))]
    if head == "distribution":
        systems.append(System("mean_color", lambda gray: mean_color(model, gray, given)))
    return systems + at_vividness(model, given, vividness)


def evaluate_systems(
    systems: Iterable[System] | Mapping[str, Colorizer], images: np.ndarray, given: str,
    resamples: int = 1000, more: Callable[[Tensor, Tensor], dict] | None = None,
) -> list[dict]:  # fmt: skip
    """One row a system: every metric on uint8 `images`, and 95 % intervals against the first.

    systems: see `as_systems`. more(predicted, truth), if given, is merged into each row.
    """
    truth = to_tensor(images)
    gray = to_gray(truth, given)
    rows: list[dict] = []
    first = None
    for system in as_systems(systems):
        began = time.perf_counter()
        predicted = system.colorize(gray)
        seconds = time.perf_counter() - began
        measured = per_image(predicted, truth)
        first = first or measured
        sample = summary({name: values[:SAMPLE] for name, values in measured.items()})
        row = system.row() | summary(measured) | {"seconds_per_image": seconds / len(images)}
        row["sample"] = {name: sample[name] for name in ("psnr", "raw_auc", "colourfulness")}
        if measured is not first and resamples:
            row["difference"] = paired_bootstrap(measured, first, resamples)
        rows.append(row | (more(predicted, truth) if more else {}))
    return rows


def evaluate_model(
    model: ColorNet, model_name: str, given: str, source: str = "auto", split: str = "test",
    count: int | None = None, size: int = 32, unless_current: bool = False, name: str = "",
) -> dict:  # fmt: skip
    """Evaluate one model on one source, save the result (NAME, or `result_name`) and return it.

    unless_current: see `store.measured`.
    """
    source, _ = resolve(source)
    known = model.trained_input
    if known not in (None, "both", given):
        print(f"{model_name} was trained with {known} as input; {given} is new to it.")
    images = load_images(source, split, count, size)
    options = {"model": model_name, "given": given, "source": source, "split": split}
    options |= {"count": count, "size": size if size != 32 else None, "name": name}
    words = (f"--{option} {quote(str(setting))}" for option, setting in options.items() if setting)
    command = " ".join(("python -m colorlib evaluate", *words))
    config = {"model": model_name, "given": given, "vividness": VIVIDNESS, "resamples": 1000}
    data = store.data_record(source, split, images)
    made = store.provenance({model_name: model}, config, data, command=command)
    name = name or result_name(model_name, made)

    def measure() -> dict:
        rows = evaluate_systems(compared_systems(model, given), images, given)
        return {"trained_on": trained_on(model_name), "rows": rows}

    return store.measured(name, made, measure, unless_current, result_table)


def trained_on(model_name: str) -> str | None:
    """What the shipped weights of that name were trained on, in words; None of any others."""
    path = paths.SHIPPED / f"{model_name}.json"
    if not path.is_file():
        return None
    made = json.loads(path.read_text(encoding="utf-8"))
    return f"{made['data']['training']:,} images of {made['source']}"


def result_name(model_name: str, made: dict) -> str:
    """A file name for an evaluation: "cifar-value" for the whole CIFAR-100 test split alone."""
    data, name = made["data"], f"{store.name_for_model(model_name)}-{made['config']['given']}"
    if (data["source"], data["split"], data["count"]) == ("cifar100", "test", 10000):
        return name
    return f"{name}-{data['source']}-{data['split']}-{data['count']}"
