"""Training and colouring, against the network of the original course project."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor
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


def our_steps(config: cl.Config, pixels: Tensor) -> Callable[[], None]:
    """A function that takes `STEPS` training steps on pixels (N, 3, H, W), uint8."""
    accelerator = Accelerator()
    model, recipe = cl.build(config)
    model.to(accelerator.device, memory_format=torch.channels_last).train()
    network = torch.compile(model) if config.compile else model
    optimizers = train.make_optimizers(model, config)
    order = torch.randperm(len(pixels)).repeat(-(-STEPS * config.batch_size // len(pixels)))

    def steps() -> None:
        for step, index in enumerate(order.split(config.batch_size)[:STEPS]):
            samples = batches.draw_batch(pixels, index, step, config, accelerator)
            loss = train.learn(network, recipe, optimizers, samples, config, accelerator)
        loss.item()  # waits for a GPU

    return steps


def work(config: cl.Config, pixels: Tensor, count: int = 8) -> float:
    """Floating-point operations of a training step, an image; without the optimizers'."""
    accelerator = Accelerator()
    model, recipe = cl.build(config)
    model.to(accelerator.device).train()
    samples = batches.draw_batch(pixels, torch.arange(count), 0, config, accelerator)
    with FlopCounterMode(display=False) as counter:
        recipe.loss(model(*recipe.inputs(samples)), samples).backward()
    return counter.get_total_flops() / count


def products(side: int, dtype: torch.dtype) -> Callable[[], None]:
    """A function that multiplies matrices (side, side) three times, in 6 side^3 operations."""
    left, right, product = torch.randn((3, side, side), device=Accelerator().device, dtype=dtype)

    def multiply() -> None:
        for _ in range(3):
            torch.mm(left, right, out=product)

    return multiply


def original_steps(size: int, pixels: Tensor) -> Callable[[], None]:
    """A function that takes one step of the original's network on `size` images."""
    network = original.network().to(pixels.device)
    adadelta = torch.optim.Adadelta(network.parameters())
    hsv = cl.rgb_to_hsv(gather(pixels, torch.arange(size)).float() / 255)
    return lambda: original.step(network, adadelta, hsv[:, 2:], hsv[:, :2])


def training(images: np.ndarray) -> list[dict]:
    """Training images per second, and the share of the float32 matrix-product peak.

    Of the network of the default settings and of the shipped, wider one; both use 16-bit products
    if the machine has them, so the share can be more than one.
    """
    pixels = place(as_pixels(images), Accelerator().device)
    made = json.loads((SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    config = cl.Config()
    shipped = dataclasses.replace(cl.Config(**made["config"]), precision="auto")
    seconds = alternate(
        {
            "peak": products(SIDE, torch.float32),
            "original-1": original_steps(1, pixels),
            "original-8": original_steps(8, pixels),
            "ours": our_steps(config, pixels),
            "shipped": our_steps(shipped, pixels),
        },
        rounds=7,
    )
    peak = 6 * SIDE**3 / seconds["peak"]
    small, large = (work(c, pixels, c.batch_size) for c in (config, shipped))
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
    for size in (1, 8):
        theirs = size / seconds[f"original-{size}"]
        row = {"key": f"training-original-{size}", "value": theirs, "unit": "images/s"}
        rows.append(row | {"speedup": speed / theirs})
    return rows


def coloring(images: np.ndarray) -> list[dict]:
    """Images coloured per second on the CPU, shipped weights, against the original's forward."""
    model, network = cl.load_model("cifar"), original.network().eval()
    gray = cl.value(cl.to_tensor(images))

    def theirs() -> None:
        with torch.inference_mode():
            network(gray[:ORIGINAL_IMAGES])

    seconds = alternate({"ours": lambda: cl.colorize(model, gray), "original": theirs}, rounds=3)
    ours, original_speed = len(gray) / seconds["ours"], ORIGINAL_IMAGES / seconds["original"]
    row = {"key": "coloring-original", "value": original_speed, "unit": "images/s"}
    return [
        {"key": "coloring-ours", "value": ours, "unit": "images/s"},
        row | {"speedup": ours / original_speed},
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
