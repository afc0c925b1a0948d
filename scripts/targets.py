"""data/results/README.md: the aims, what was reached, by which command, and what was tried."""

import json
from typing import NamedTuple

import numpy as np

from colorlib.compare.equal_budget import pareto_margins
from colorlib.paths import REPOSITORY, SHIPPED, replacing
from colorlib.report import store, tables

PAGE = REPOSITORY / "data" / "results" / "README.md"
HEAD = """# What was aimed at, what was reached

Each number is read from the files of this folder (or `benchmarks/results.json`). Each file holds
the command that makes it, its configuration, data, machine, commit, and a digest of the weights and
of their decoding. *Missed* marks an aim that was missed; below the table is what was tried. Between
the five measured settings of vividness, lines are drawn. `make publish` writes this page.

"""
TRIED = """
## What was tried where an aim was missed

- **The gap of the classifier.** It closes with quality, and with contrast: playing down what is
  likely nearby, and colours that follow the edges of luma (`decoding.py`), brought the last
  points. More of it, a wider or narrower neighbourhood, sharpened chroma and stronger edges
  brought no more on the images that it was chosen on; neighbours that vote lose. Playing down
  what a weaker network says, or ours of less of the image, gained nothing beyond contrast.
  NoGAN, whose feature loss has seen labels, closes more at an equal budget; that loss was kept
  out of ours, whose weights are to know no labels (the setting of its contrast was chosen with
  the classifier, on images new to both). For quality were tried, without gain: longer training with
  random zoom, a last stretch on the error of the picture, random gamma, a deeper network of the
  same cost, a prediction for every pixel (sub-pixel convolution), photographs of Tiny ImageNet
  beside a part of CIFAR-100. Averaging over moved copies gains a tenth of a decibel for five
  times the work, and the classifier sees none of it. The widest network knows its images by heart;
  parts of other images cutmix into a fifth of them (`train --cutmix 0.2`) keep it from some of
  that; with them, and five more epochs in the same hour, PSNR and both AuC gained, the classifier's
  share stayed, and the Fréchet distance rose a little. Pasted into half of them, the classifier
  closed less, also after ten more minutes without pasting. The mean of two networks gained PSNR
  and raw AuC on held images and, with contrast, closed more; it takes twice the hour. Dropout
  and distillation are untried.
- **Speed of the shipped network.** A wider network learns from fewer images a second; the one that
  is default, compared and studied, reaches the aim.
- **Bleeding.** The yardsticks in the benchmark say what is to be had: even the best of the nine
  small pixels around, chosen by one who knows the truth, hardly halves the error of plain
  bilinear.
"""


class Aim(NamedTuple):
    """A row of the page."""

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
        """The row as the page shows it."""
        missed = "" if self.met() else "*missed*"
        numbers = (self.format.format(number) for number in (self.expected, self.reached))
        return [self.what, *numbers, missed, f"`{self.command}`"]


def aims() -> list[Aim]:
    """Each aim that has a number."""
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
    """The comparison at an equal budget, and the classifier."""
    full = store.load_result("equal-budget-full", committed=True)
    what = "our curve above every recipe's point: least difference in rebalanced AuC"
    margin = min(pareto_margins(full).values())
    classified = store.load_result("classifier-cifar", committed=True)
    recovered = max(row["accuracy_recovered"] for row in tables.vividness_rows(classified))
    gap = "classifier: share of the gap between grey and true images closed"
    return [
        Aim("margin", what, 0.0, margin, "{:+.4f}", full["command"]),
        Aim("classifier", gap, 0.5, recovered, "{:.0%}", classified["command"]),
    ]


def speed_aims() -> list[Aim]:
    """Training time and speed."""
    made = json.loads((SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    what = "training of the weights `cifar` on two cores"
    found = [Aim("minutes", what, 60, made["minutes"], "{:.0f} min", made["command"], True)]
    speed = benchmarks("value")
    for name, key in (("default", "training-ours"), ("shipped", "training-shipped")):
        what = f"training speed against the original's, the network that is {name}"
        ratio = speed[key] / speed["training-original-1"]
        found.append(Aim(f"speed-{name}", what, 250, ratio, "{:.0f} x", "make bench"))
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
    page = "a photograph of 1600 x 1064 against one pass of ECCV16's network"
    found = [
        Aim("photo-psnr", "photographs, vividness 0: PSNR above grey's", 0.8, psnr, "{:+.2f} dB",
            command),
        Aim("photo-raw", "the same, raw AuC", 0.012, raw, "{:+.4f}", command),
        Aim("photo-rebalanced", "the same, rebalanced AuC at some vividness", 0.06, vivid,
            "{:+.4f}", command),
        Aim("bleeding", "bleeding at strong edges, share of bilinear's", 0.5, bleeding, "{:.2f}",
            bench, True),
        Aim("photo-page", page, 4, speedup["photo-eccv16"], "{:.2f} x faster", bench),
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


def page() -> str:
    """The page as Markdown."""
    header = ["aim", "expected", "reached", "", "command"]
    return HEAD + tables.markdown_table(header, [a.cells() for a in aims()], "lrrll") + "\n" + TRIED


def main() -> None:
    if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
        with replacing(PAGE) as part:
            part.write_text(page(), encoding="utf-8")
        print("wrote data/results/README.md")


if __name__ == "__main__":
    main()
