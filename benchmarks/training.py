"""Training and colouring, against the network of the original course project."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode

import colorlib as cl
from benchmarks.timing import alternate, run_python
from colorlib import batches, train
from colorlib.datasets.pixels import as_pixels, gather, place
from colorlib.paths import SHIPPED
from colorlib.peers import original

SIDE = 2048  # of the matrices whose product gives the peak
STEPS = 12  # of our network in a round
ORIGINAL_IMAGES = 20  # that the original colours in a round


def training(images: np.ndarray) -> list[dict]:
    """Training images per second, and the share of the float32 matrix-product peak.

    Of the network of the default settings and of the shipped, wider one; both use 16-bit products
    if the machine has them, so the share can be more than one.
    """
    accelerator = Accelerator()
    device = accelerator.device
    pixels = place(as_pixels(images), device)
    order = torch.randperm(len(pixels))
    made = json.loads((SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    config = cl.Config()
    shipped = dataclasses.replace(cl.Config(**made["config"]), precision="auto")

    def ours(config: cl.Config) -> Callable:
        model, recipe = cl.build(config)
        model.to(device, memory_format=torch.channels_last).train()
        optimizers = train.make_optimizers(model, config)

        def steps() -> None:
            for step in range(STEPS):
                index = order[step * config.batch_size :][: config.batch_size]
                samples = batches.draw_batch(pixels, index, step, config, accelerator)
                train.learn(model, recipe, optimizers, samples, config, accelerator).item()

        return steps

    def work(config: cl.Config) -> float:
        """Floating-point operations an image, without the optimizers'."""
        model, recipe = cl.build(config)
        model.to(device).train()
        samples = batches.draw_batch(pixels, order[: config.batch_size], 0, config, accelerator)
        with FlopCounterMode(display=False) as counter:
            recipe.loss(model(samples.gray, samples.given), samples).backward()
        return counter.get_total_flops() / config.batch_size

    def theirs(size: int) -> Callable:
        network = original.network().to(device)
        adadelta = torch.optim.Adadelta(network.parameters())
        hsv = cl.rgb_to_hsv(gather(pixels, order[:size]).float() / 255)
        return lambda: original.step(network, adadelta, hsv[:, 2:], hsv[:, :2])

    left, right, product = torch.randn((3, SIDE, SIDE), device=device)
    seconds = alternate(
        {
            "peak": lambda: [torch.mm(left, right, out=product) for _ in range(3)],
            "original-1": theirs(1),
            "original-8": theirs(8),
            "ours": ours(config),
            "shipped": ours(shipped),
        },
        rounds=7,
    )
    peak = 3 * 2 * SIDE**3 / seconds["peak"]
    small, large = work(config), work(shipped)
    speed, wide = (STEPS * config.batch_size / seconds[name] for name in ("ours", "shipped"))
    rows = [
        {"key": "training-ours", "value": speed, "unit": "images/s"},
        {"key": "training-ours-share", "value": small * speed / peak, "unit": ""},
        {"key": "training-shipped", "value": wide, "unit": "images/s"},
        {"key": "training-shipped-share", "value": large * wide / peak, "unit": ""},
        {"key": "peak", "value": peak / 1e9, "unit": "GFLOP/s"},
        {"key": "work-shipped", "value": large / 1e6, "unit": "MFLOP/image"},
        {"key": "epoch", "value": 45000 / speed, "unit": "s"},
    ]
    for name, size in (("original-1", 1), ("original-8", 8)):
        original_speed = size / seconds[name]
        row = {"key": f"training-{name}", "value": original_speed, "unit": "images/s"}
        rows.append(row | {"speedup": speed / original_speed})
    return rows


def coloring(images: np.ndarray) -> list[dict]:
    """Images coloured per second on the CPU, shipped weights, against the original's forward."""
    model = cl.load_model("cifar")
    gray = cl.value(cl.to_tensor(images))
    network = original.network().eval()

    def theirs() -> None:
        with torch.inference_mode():
            network(gray[:ORIGINAL_IMAGES])

    seconds = alternate({"ours": lambda: cl.colorize(model, gray), "original": theirs}, rounds=3)
    ours, theirs_speed = len(gray) / seconds["ours"], ORIGINAL_IMAGES / seconds["original"]
    row = {"key": "coloring-original", "value": theirs_speed, "unit": "images/s"}
    return [
        {"key": "coloring-ours", "value": ours, "unit": "images/s"},
        row | {"speedup": ours / theirs_speed},
    ]


MEMORY = """
import os, tempfile
import numpy as np
from benchmarks.timing import peak_memory
os.environ["TQDM_DISABLE"] = "1"
with tempfile.TemporaryDirectory() as folder:
    os.environ["COLORLIB_DATA"] = folder
    import colorlib as cl
    images = np.random.default_rng(0).integers(0, 256, (50000, 32, 32, 3), dtype=np.uint8)
    config = cl.Config(epochs=1)
    model, recipe = cl.build(config)
    before = peak_memory()
    cl.fit(model, recipe, images, config)
print(before, peak_memory())
"""


def memory() -> list[dict]:
    """Peak memory of one epoch on 50,000 random images of 32 x 32 (real ones need as much)."""
    if not Path("/proc/self/status").is_file():
        return []  # Linux only
    before, peak = (float(x) for x in run_python(MEMORY).split())
    return [
        {"key": "memory-before", "value": before, "unit": "MiB"},
        {"key": "memory-peak", "value": peak, "unit": "MiB"},
    ]
