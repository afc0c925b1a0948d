"""`make bench`: every figure beside its rival's, into benchmarks/results.json and results.md."""

from datetime import date
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.hsv import conversion
from benchmarks.moves import moving
from benchmarks.photo import photographs
from benchmarks.timing import python
from benchmarks.training import colouring, memory, training
from colorlib import data, paths

HERE = Path(__file__).resolve().parent
IMPORT = """
import time, torch
start = time.perf_counter()
import colorlib
print(time.perf_counter() - start)
"""


def importing() -> list[dict]:
    """Seconds that `import colorlib` takes after `import torch`."""
    taken = median(float(python(IMPORT)) for _ in range(7))
    return [{"what": "import colorlib, after torch", "value": taken, "unit": "s"}]


def table(rows: list[dict], machine: dict) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | measured | ours is faster by |", "| --- | ---: | ---: |"]
    for row in rows:
        value, factor = row["value"], row.get("ours is faster by")
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        ratio = "" if factor is None else f"{factor:.3g} x"
        lines.append(f"| {row['what']} | {shown} {row['unit']}".rstrip() + f" | {ratio} |")
    where = machine["gpu"] or f"{machine['cpu']}, {machine['threads']} threads"
    return "\n".join([*lines, "", f"*{where}, torch {machine['torch']}; `make bench`.*", ""])


def main() -> None:
    images = np.random.default_rng(0).integers(0, 256, (60000, 32, 32, 3), dtype=np.uint8)
    images, test = images[:50000], images[50000:]  # noise takes as long where there is no data
    if data.resolve("auto")[0] == "cifar100":
        images, test = (data.load_images("cifar100", split) for split in ("train", "test"))
    rows = []
    for work in (
        importing,
        moving,
        photographs,
        lambda: training(images),
        lambda: colouring(test),
        conversion,
        memory,
    ):
        rows += work()
        print(table(rows, paths.machine()))
    content = {"rows": rows, "machine": paths.machine(), "date": date.today().isoformat()}
    tracked = paths.out() == paths.REPOSITORY  # `make bench COLORLIB_OUT=.`
    paths.write_json(HERE / "results.json" if tracked else paths.out() / "benchmarks.json", content)


if __name__ == "__main__":
    main()
