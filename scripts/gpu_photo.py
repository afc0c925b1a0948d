"""On a GPU: measure training speed, then train the weights `photo` for a given time.

    python scripts/gpu_photo.py bench OUT         speed of the network and its share of the peak
    python scripts/gpu_photo.py train OUT SECONDS the run `photo-gpu`, as long as the time allows

Without a GPU (a rehearsal) everything runs at a tiny size.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

import colorlib as cl
from benchmarks.timing import alternate
from benchmarks.training import STEPS, our_steps, products, work
from colorlib import paths

TINY = not torch.cuda.is_available()
PHOTO = cl.Config(
    name="photo-gpu",
    given="luma",
    validation=1000,
    epochs=1,
    widths=(64, 160, 256, 320),
    down=(1, 2, 2, 2),
    attention=(0, 0, 1, 1),
    up=(2, 1, 1),
    hints=True,
    shift=0,
    zoom=0.45,
    crop=96,
    cutmix=0.2,
    sharpen=1.5,  # without it the network learns how the photographs were scaled
    muon_rate=0.03,
    weight_decay=0.1,
)
if TINY:
    PHOTO = dataclasses.replace(
        PHOTO, widths=(8, 8, 8, 16), crop=32, batch_size=16, validation=20, count=64
    )
BATCHES = (16,) if TINY else (256, 512)
TRIAL = 1.0 if TINY else 30.0  # seconds of training on the first half of the photographs
SPARE = 0.85  # share of the time left to steps; the rest validates, saves and starts


def bench(out: Path) -> None:
    """Print one table; leave OUT/bench.json and the fastest setting in the run's folder."""
    side, rows = 512 if TINY else 8192, []
    best = 6 * side**3 / alternate({"peak": products(side, torch.bfloat16)})["peak"]
    print(f"bfloat16 peak: {best / 1e12:.3g} TFLOP/s", flush=True)

    def measure(name: str, config: cl.Config, pixels: torch.Tensor, flops: float) -> None:
        steps, began = our_steps(config, pixels), time.perf_counter()
        steps()
        first = time.perf_counter() - began  # with the compilation, if there is one
        speed = STEPS * config.batch_size / alternate({name: steps})[name]
        row = {"name": name, "batch": config.batch_size, "compile": config.compile}
        row |= {"images_per_second": speed, "first_seconds": first}
        rows.append(row | {"share_of_peak": flops * speed / best})
        print(json.dumps(rows[-1]), flush=True)

    device, plain = "cpu" if TINY else "cuda", cl.Config()
    for name, config, sizes, side in (
        ("photo", PHOTO, BATCHES, 96),
        ("cifar100", plain, (plain.batch_size,), 32),
    ):
        shape = 2 * sizes[-1], 3, side, side
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, device=device)
        flops = work(config, pixels)
        print(f"{name}: {flops / 1e9:.3g} GFLOP an image", flush=True)
        for size in sizes:
            measure(name, dataclasses.replace(config, batch_size=size), pixels, flops)
        compiled = dataclasses.replace(config, batch_size=sizes[-1], compile=True)
        measure(name, compiled, pixels, flops)
    plan = choose([row for row in rows if row["name"] == "photo"])
    for folder in (out, paths.data_root()):
        paths.write_json(folder / "bench.json", {"peak_flops": best, "rows": rows, "chosen": plan})
    print(json.dumps(plan), flush=True)
    photo(out, TRIAL, "trial")


def choose(rows: list[dict]) -> dict:
    """The smallest batch within 10 % of the fastest; compiled only if that is 1.25 times faster."""
    *plain, compiled = rows
    fastest = max(row["images_per_second"] for row in plain)
    if compiled["images_per_second"] > 1.25 * fastest:
        return compiled
    return next(row for row in plain if row["images_per_second"] >= 0.9 * fastest)


def photo(out: Path, seconds: float, name: str = PHOTO.name) -> None:
    """Train the run NAME for about `seconds`; leave weights, history and the strip in OUT."""
    plan = json.loads((paths.data_root() / "bench.json").read_text(encoding="utf-8"))["chosen"]
    images = cl.load_images("photos", "train", size=96)
    count = len(images) - PHOTO.validation if PHOTO.count is None else PHOTO.count
    epochs = max(1, int(seconds * SPARE * plan["images_per_second"] / count))
    chosen = {"batch_size": plan["batch"], "compile": plan["compile"], "epochs": epochs}
    chosen |= {"name": name, "muon_rate": float(os.environ.get("RATE", PHOTO.muon_rate))}
    config = dataclasses.replace(PHOTO, **chosen)
    print(config, f"{count:,} photographs", sep="\n", flush=True)
    model, recipe = cl.build(config)

    def keep(history: list[dict], strip: object) -> None:
        print(", ".join(f"{key} {value:.5g}" for key, value in history[-1].items()), flush=True)
        if len(history) % 5 == 0 or len(history) == epochs:
            save_parts(model, out / f"{name}.safetensors")

    cl.fit(model, recipe, images, config, on_epoch=keep)
    for file in ("history.json", "strip.png"):
        (out / f"{name}-{file}").write_bytes((paths.runs() / name / file).read_bytes())


def save_parts(model: cl.ColorNet, path: Path) -> None:
    """Write 16-bit weights as PATH.aa, PATH.ab, ...: some machines return small files only."""
    cl.save_model(model, path, half=True)
    subprocess.run(["split", "-b", "14M", path, f"{path}."], check=True)
    path.unlink()


if __name__ == "__main__":
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    command, out = sys.argv[1], Path(sys.argv[2])
    if command == "bench":
        bench(out)
    else:
        photo(out, float(sys.argv[3]))
