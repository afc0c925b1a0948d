"""The table of docs/targets.md: the targets, what was reached, and by which command."""

import json
from typing import NamedTuple

import numpy as np

from colorlib.compare.equal_budget import pareto_margins
from colorlib.paths import REPOSITORY, SHIPPED
from colorlib.report import store
from colorlib.report.tables import find_row, markdown_table, vividness_rows

AT_MOST = ("minutes", "bleeding", "photo-large", "photo-memory", "slider")  # small numbers are good


class Aim(NamedTuple):
    """A row of the table."""

    key: str
    what: str
    expected: float
    reached: float
    format: str
    command: str

    def met(self) -> bool:
        """Whether the target was reached."""
        if self.key in AT_MOST:
            return self.reached <= self.expected
        return self.reached >= self.expected

    def cells(self) -> list[str]:
        """The row as the table shows it."""
        missed = "" if self.met() else "*missed*"
        numbers = (self.format.format(number) for number in (self.expected, self.reached))
        signed = (number.replace("-", "−") for number in numbers)
        return [self.what, *signed, missed, f"`{self.command}`"]


def aims() -> list[Aim]:
    """Every target, those of one command together."""
    names = ("cifar-value", "cifar-luma", "photo-luma-photos-test-1000", "equal-budget-full")
    value, luma, photo, full = (store.load_result(name, committed=True) for name in names)
    made = json.loads((SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    careful, grey, photos = find_row(value, "ours", 0), find_row(photo, "grey"), photo["command"]
    gain = {name: find_row(photo, "ours", 0)[name] - grey[name] for name in ("psnr", "raw_auc")}
    vivid, vivid_photo = (
        max(row["rebalanced_auc"] for row in vividness_rows(result)) for result in (value, photo)
    )
    speed, speedup, bench = benchmarks("value"), benchmarks("speedup"), "make bench"
    faster = {n: speed[f"training-{n}"] / speed["training-original-1"] for n in ("ours", "shipped")}
    margin, memory = min(pareto_margins(full).values()), speed["photo-large-memory"] * 2**20 / 1e9
    share, edges = "share of the truth's colourfulness at grey's raw AuC", "error at strong edges"
    train, times = "training speed against the course project's, the", "{:.0f} ×"
    found: list[tuple] = [
        ("cifar-psnr", "CIFAR-100, value as input, vividness 0: PSNR", 22.4, careful["psnr"],
         "{:.2f} dB", value["command"]),
        ("cifar-raw", "the same, raw AuC", 0.9045, careful["raw_auc"], "{:.4f}", value["command"]),
        ("cifar-rebalanced", "the same, rebalanced AuC at some vividness", 0.7272, vivid, "{:.4f}",
         value["command"]),
        ("share-value", f"{share}, value as input", 0.9, share_at_grey(value), "{:.0%}",
         value["command"]),
        ("share-luma", f"{share}, luma as input", 0.9, share_at_grey(luma), "{:.0%}",
         luma["command"]),
        ("margin", "our curve above every recipe's point: least difference in rebalanced AuC", 0.0,
         margin, "{:+.4f}", full["command"]),
        ("minutes", "training of the weights `cifar` on two cores", 60, made["minutes"],
         "{:.0f} min", made["command"]),
        ("speed-default", f"{train} default network", 250, faster["ours"], times, bench),
        ("speed-shipped", f"{train} shipped network", 250, faster["shipped"], times, bench),
        ("photo-psnr", "photographs, vividness 0: PSNR above grey's", 0.8, gain["psnr"],
         "{:+.2f} dB", photos),
        ("photo-raw", "the same, raw AuC", 0.012, gain["raw_auc"], "{:+.4f}", photos),
        ("photo-rebalanced", "the same, rebalanced AuC at some vividness", 0.06,
         vivid_photo - grey["rebalanced_auc"], "{:+.4f}", photos),
        ("bleeding", f"{edges}, share of bilinear's", 0.5,
         speed["bleeding-ours"] / speed["bleeding-bilinear"], "{:.2f}", bench),
        ("photo-page", "a photograph of 1600 × 1064 against one pass of ECCV16's network", 4,
         speedup["photo-eccv16"], "{:.2f} × faster", bench),
        ("photo-large", "a photograph of 12 megapixels: time", 2, speed["photo-large"], "{:.2f} s",
         bench),
        ("photo-memory", "the same, peak memory", 1.5, memory, "{:.2f} GB", bench),
        ("slider", "a move of the slider, from the key to the new picture in JupyterLab", 50,
         speed.get("slider-move"), "{:.0f} ms", bench),
    ]  # fmt: skip
    return [Aim(*row) for row in found if row[3] is not None]  # the slider needs Chromium


def share_at_grey(result: dict) -> float:
    """The share of the truth's colourfulness where the raw AuC is grey's."""
    curve = vividness_rows(result)[::-1]  # raw AuC falls along the slider
    raw, colors = ([row[k] for row in curve] for k in ("raw_auc", "colourfulness_ratio"))
    return float(np.interp(find_row(result, "grey")["raw_auc"], raw, colors))


def benchmarks(column: str) -> dict[str, float]:
    """What `make bench` measured: key -> the number in that column, where there is one."""
    bench = json.loads((REPOSITORY / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return {row["key"]: row[column] for row in bench["rows"] if column in row}


def targets_table() -> str:
    """The table as Markdown."""
    header = ["target", "expected", "reached", "", "command"]
    return markdown_table(header, [aim.cells() for aim in aims()], "lrrll")
