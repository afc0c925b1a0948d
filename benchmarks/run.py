"""`make bench`: speed, memory and quality of upsampling, each beside what people would use instead.

The numbers go to build/benchmarks.json; `make bench COLORLIB_OUT=.` renews benchmarks/results.json,
from which `make publish` makes the table of docs/benchmarks.md. titles.json says what each row is.
"""

from datetime import date
from functools import partial
from statistics import median

import numpy as np

from benchmarks.hsv import conversion
from benchmarks.moves import photo_tool_moves, slider_moves
from benchmarks.photo import photographs
from benchmarks.timing import run_python
from benchmarks.training import coloring, memory, training
from colorlib import data, paths
from colorlib.model import load_model
from colorlib.report import store

IMPORT = """
import time, torch
start = time.perf_counter()
import colorlib
colorlib.ColorNet, colorlib.colorize, colorlib.fit
print(time.perf_counter() - start)
"""


def importing() -> list[dict]:
    """Seconds that importing the network and its training take after `import torch`."""
    seconds = median(float(run_python(IMPORT)) for _ in range(7))
    return [{"key": "import", "value": seconds, "unit": "s"}]


def load() -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-100's training and test images, or noise where they are not: it takes as long."""
    if data.resolve("auto")[0] == "cifar100":
        return data.load_images("cifar100", "train"), data.load_images("cifar100", "test")
    images = np.random.default_rng(0).integers(0, 256, (60000, 32, 32, 3), dtype=np.uint8)
    return images[:50000], images[50000:]


def main() -> None:
    train, test = load()
    rows = []
    ours = partial(training, train), partial(coloring, test)
    moves = slider_moves, photo_tool_moves
    for measure in (importing, *moves, photographs, *ours, conversion, memory):
        found = measure()
        print(*found, sep="\n", flush=True)
        rows += found
    content = {"rows": rows, "machine": paths.machine(), "date": date.today().isoformat()}
    content |= {"command": "make bench COLORLIB_OUT=.", "commit": store.commit(), "seed": 0}
    content["digests"] = {
        name: store.weights_digest(load_model(name)) for name in ("cifar", "photo")
    }
    committed = paths.out() == paths.REPOSITORY
    path = paths.out() / ("benchmarks/results.json" if committed else "benchmarks.json")
    paths.write_json(path, content)
    print(f"The results are in {path}")


if __name__ == "__main__":
    main()
