"""The table of docs/targets.md: the targets, what was reached, and by which command."""

import json
from typing import NamedTuple

import numpy as np

from colorlib.compare.equal_budget import pareto_margins
from colorlib.paths import REPOSITORY, SHIPPED
from colorlib.report import store, tables


class Aim(NamedTuple):
    """A row of the table."""

    key: str
    what: str
    expected: float
    reached: float
    format: str
    command: str
    at_most: bool = False

    def met(self) -> bool:
        return self.reached <= self.expected if self.at_most else self.reached >= self.expected

    def cells(self) -> list[str]:
        """The row as the table shows it."""
        missed = "" if self.met() else "*missed*"
        numbers = (self.format.format(number) for number in (self.expected, self.reached))
        return [self.what, *numbers, missed, f"`{self.command}`"]


def aims() -> list[Aim]:
    """Every target."""
    return [*cifar_aims(), *comparison_aims(), *speed_aims(), *photo_aims()]


def cifar_aims() -> list[Aim]:
    """The quality of the shipped weights on CIFAR-100."""
    value, luma = (store.load_result(f"cifar-{g}", committed=True) for g in ("value", "luma"))
    faithful, command = tables.find_row(value, "ours", 0), value["command"]
    vivid = max(row["rebalanced_auc"] for row in tables.vividness_rows(value))
    psnr, raw = faithful["psnr"], faithful["raw_auc"]
    what = "CIFAR-100, value given, vividness 0: PSNR"
    found = [
        Aim("cifar-psnr", what, 22.4, psnr, "{:.2f} dB", command),
        Aim("cifar-raw", "the same, raw AuC", 0.9045, raw, "{:.4f}", command),
        Aim("cifar-rebalanced", "the same, rebalanced AuC at some vividness", 0.7272, vivid,
            "{:.4f}", command),
    ]  # fmt: skip
    for result in (value, luma):
        curve = tables.vividness_rows(result)[::-1]  # raw AuC falls along the slider
        raw, colors = ([row[k] for row in curve] for k in ("raw_auc", "colourfulness_ratio"))
        share = float(np.interp(tables.find_row(result, "grey")["raw_auc"], raw, colors))
        given = result["config"]["given"]
        what = f"share of the truth's colourfulness at grey's raw AuC, {given} given"
        found.append(Aim(f"share-{given}", what, 0.9, share, "{:.0%}", result["command"]))
    return found


def comparison_aims() -> list[Aim]:
    """The comparison at an equal budget."""
    full = store.load_result("equal-budget-full", committed=True)
    what = "our curve above every recipe's point: least difference in rebalanced AuC"
    margin = min(pareto_margins(full).values())
    return [Aim("margin", what, 0.0, margin, "{:+.4f}", full["command"])]


def speed_aims() -> list[Aim]:
    """Training time and speed."""
    made = json.loads((SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    what = "training of the weights `cifar` on two cores"
    found = [Aim("minutes", what, 60, made["minutes"], "{:.0f} min", made["command"], True)]
    speed = benchmarks("value")
    for name, key in (("default", "training-ours"), ("shipped", "training-shipped")):
        what = f"training speed against the course project's, the {name} network"
        ratio = speed[key] / speed["training-original-1"]
        found.append(Aim(f"speed-{name}", what, 250, ratio, "{:.0f} ×", "make bench"))
    return found


def photo_aims() -> list[Aim]:
    """Photographs: quality above grey's, bleeding, time, memory; and the slider."""
    photo = store.load_result("photo-luma-photos-test-1000", committed=True)
    grey, faithful = tables.find_row(photo, "grey"), tables.find_row(photo, "ours", 0)
    psnr, raw = (faithful[name] - grey[name] for name in ("psnr", "raw_auc"))
    vivid = max(row["rebalanced_auc"] for row in tables.vividness_rows(photo))
    vivid, command = vivid - grey["rebalanced_auc"], photo["command"]
    value, speedup, bench = benchmarks("value"), benchmarks("speedup"), "make bench"
    bleeding = value["bleeding-ours"] / value["bleeding-bilinear"]
    memory = value["photo-large-memory"] * 2**20 / 1e9
    page = "a photograph of 1600 × 1064 against one pass of ECCV16's network"
    found = [
        Aim("photo-psnr", "photographs, vividness 0: PSNR above grey's", 0.8, psnr, "{:+.2f} dB",
            command),
        Aim("photo-raw", "the same, raw AuC", 0.012, raw, "{:+.4f}", command),
        Aim("photo-rebalanced", "the same, rebalanced AuC at some vividness", 0.06, vivid,
            "{:+.4f}", command),
        Aim("bleeding", "error at strong edges, share of bilinear's", 0.5, bleeding, "{:.2f}",
            bench, True),
        Aim("photo-page", page, 4, speedup["photo-eccv16"], "{:.2f} × faster", bench),
        Aim("photo-large", "a photograph of 12 megapixels: time", 2, value["photo-large"],
            "{:.2f} s", bench, True),
        Aim("photo-memory", "the same, peak memory", 1.5, memory, "{:.2f} GB", bench, True),
    ]  # fmt: skip
    if "slider-move" in value:
        what = "a move of the slider, from the key to the new picture in JupyterLab"
        found.append(Aim("slider", what, 50, value["slider-move"], "{:.0f} ms", bench, True))
    return found


def benchmarks(column: str) -> dict[str, float]:
    """What `make bench` measured: key -> the number in that column, where there is one."""
    bench = json.loads((REPOSITORY / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return {row["key"]: row[column] for row in bench["rows"] if column in row}


def targets_table() -> str:
    """The table as Markdown."""
    header = ["target", "expected", "reached", "", "command"]
    return tables.markdown_table(header, [aim.cells() for aim in aims()], "lrrll")
