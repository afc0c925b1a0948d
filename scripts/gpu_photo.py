"""On a GPU: measure training speed, then train the weights `photo` for a given time.

    python scripts/gpu_photo.py bench OUT         speed of the network and its share of the peak
    python scripts/gpu_photo.py train OUT SECONDS the run `photo-gpu`, as long as the time allows

Without a GPU (a rehearsal) everything runs at a tiny size.
"""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode

import colorlib as cl
from colorlib import batches, paths, train

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
SECONDS = 0.5 if TINY else 4.0  # of each measurement
TRIAL = 1.0 if TINY else 30.0  # seconds of training on the first half of the photographs
SPARE = 0.85  # share of the time left to steps; the rest validates, saves and starts


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def steps_a_second(config: cl.Config, pixels: torch.Tensor) -> tuple[float, float]:
    """Training steps a second, and the seconds until the first one was done."""
    accelerator = Accelerator()
    model, recipe = cl.build(config)
    model.to(accelerator.device, memory_format=torch.channels_last).train()
    network = torch.compile(model) if config.compile else model
    optimizers = train.make_optimizers(model, config)
    order = torch.arange(config.batch_size) % len(pixels)

    def step(number: int) -> None:
        samples = batches.draw_batch(pixels, order, number, config, accelerator)
        train.learn(network, recipe, optimizers, samples, config, accelerator)

    began = time.perf_counter()
    step(0)
    synchronize()
    first = time.perf_counter() - began
    for number in range(5):
        step(number)
    synchronize()
    began = time.perf_counter()
    for number in itertools.count(1):
        step(number)
        if number % 10 == 0:
            synchronize()
            if time.perf_counter() - began > SECONDS:
                break
    return number / (time.perf_counter() - began), first


def flops_an_image(config: cl.Config, pixels: torch.Tensor) -> float:
    """Floating point operations of a training step, an image; the optimizers' do not count."""
    accelerator = Accelerator()
    model, recipe = cl.build(config)
    model.to(accelerator.device).train()
    few = dataclasses.replace(config, batch_size=8)
    samples = batches.draw_batch(pixels, torch.arange(8), 0, few, accelerator)
    with FlopCounterMode(display=False) as counter:
        recipe.loss(model(samples.gray, samples.given, samples.hints), samples).backward()
    return counter.get_total_flops() / 8


def peak() -> float:
    """Floating point operations a second of a large bfloat16 matrix product."""
    side = 512 if TINY else 8192
    device = "cpu" if TINY else "cuda"
    left, right = torch.randn((2, side, side), device=device, dtype=torch.bfloat16)
    for _ in range(3):
        left @ right
    synchronize()
    began = time.perf_counter()
    for _ in range(10):
        left @ right
    synchronize()
    return 10 * 2 * side**3 / (time.perf_counter() - began)


def bench(out: Path) -> None:
    """Print one table; leave OUT/bench.json and the fastest setting in the run's folder."""
    device = "cpu" if TINY else "cuda"
    side, rows, best = PHOTO.crop, [], peak()
    print(f"bfloat16 peak: {best / 1e12:.3g} TFLOP/s", flush=True)

    def measure(name: str, config: cl.Config, pixels: torch.Tensor, share: float | None) -> None:
        speed, first = steps_a_second(config, pixels)
        row = {"name": name, "batch": config.batch_size, "compile": config.compile}
        row |= {"images_per_second": speed * config.batch_size, "first_step_seconds": first}
        row["share_of_peak"] = share and share * row["images_per_second"] / best
        rows.append(row)
        print(json.dumps(row), flush=True)

    large = torch.randint(0, 256, (2 * BATCHES[-1], 3, 96, 96), dtype=torch.uint8, device=device)
    work = flops_an_image(PHOTO, large)
    print(f"photo: {work / 1e9:.3g} GFLOP an image of {side} x {side}", flush=True)
    for size in BATCHES:
        measure("photo", dataclasses.replace(PHOTO, batch_size=size), large, work)
    chosen = dataclasses.replace(PHOTO, batch_size=BATCHES[-1], compile=True)
    measure("photo", chosen, large, work)
    small = torch.randint(0, 256, (1024, 3, 32, 32), dtype=torch.uint8, device=device)
    for compiled in (False, True):
        measure("cifar100", cl.Config(compile=compiled), small, None)
        rows[-1]["epoch_seconds"] = 45000 / rows[-1]["images_per_second"]
    plan = choose([row for row in rows if row["name"] == "photo"])
    out.mkdir(parents=True, exist_ok=True)
    found = {"peak_flops": best, "photo_flops_per_image": work, "rows": rows, "chosen": plan}
    for folder in (out, paths.data_root()):
        paths.write_json(folder / "bench.json", found)
    print(json.dumps(plan), flush=True)
    photo(out, TRIAL, "trial")


def choose(rows: list[dict]) -> dict:
    """The smallest batch within 10 % of the fastest; compiled only if that is 1.25 times faster."""
    plain = [row for row in rows if not row["compile"]]
    compiled = [row for row in rows if row["compile"]]
    fastest = max(row["images_per_second"] for row in plain)
    if compiled and compiled[0]["images_per_second"] > 1.25 * fastest:
        return compiled[0]
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
    folder = paths.runs() / config.name
    for file in ("history.json", "strip.png"):
        (out / f"{name}-{file}").write_bytes((folder / file).read_bytes())


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
