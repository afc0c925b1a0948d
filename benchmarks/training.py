"""Training and colouring, against the network of the course project that this one starts from."""

import dataclasses
import json
from pathlib import Path

import torch
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode

import colorlib as cl
from benchmarks.timing import alternate, python
from colorlib import batches, train
from colorlib.datasets.pixels import as_pixels, gather, place
from colorlib.paths import SHIPPED
from colorlib.peers import original

SIDE = 2048  # of the matrices whose product gives the peak
STEPS = 12  # of ours in a round
RIVAL = 20  # images that the original colours in a round


def training(images) -> list[dict]:
    """Training images per second, and the share of the float32 matrix-product peak.

    Of the network of the default settings, and of the shipped weights' wider one, both with 16-bit
    products where the machine has them: the share can then be more than one.
    """
    accelerator = Accelerator()
    device = accelerator.device
    pixels = place(as_pixels(images), device)
    order = torch.randperm(len(pixels))
    made = json.loads((SHIPPED / "cifar.json").read_text(encoding="utf-8"))
    config = cl.Config()
    shipped = dataclasses.replace(cl.Config(**made["config"]), precision="auto")

    def ours(config):
        model, recipe = cl.build(config)
        model.to(device, memory_format=torch.channels_last).train()
        optimizers = train.make_optimizers(model, config)

        def steps():
            for step in range(STEPS):
                samples = batches.batch(pixels, order, step, STEPS, config, accelerator)
                train.learn(model, recipe, optimizers, samples, config, accelerator).item()

        return steps

    def work(config):
        """FLOP an image; the optimizers' do not count."""
        model, recipe = cl.build(config)
        model.to(device).train()
        samples = batches.batch(pixels, order, 0, STEPS, config, accelerator)
        with FlopCounterMode(display=False) as counter:
            recipe.loss(model(samples.gray, samples.given), samples).backward()
        return counter.get_total_flops() / config.batch_size

    def theirs(size: int):
        network = original.network().to(device)
        adadelta = torch.optim.Adadelta(network.parameters())
        hsv = cl.rgb_to_hsv(gather(pixels, order[:size]).float() / 255)
        return lambda: original.step(network, adadelta, hsv[:, 2:], hsv[:, :2])

    left, right, product = torch.randn((3, SIDE, SIDE), device=device)
    seconds = alternate(
        {
            "peak": lambda: [torch.mm(left, right, out=product) for _ in range(3)],
            "original, 1 image a step": theirs(1),
            "original, 8 images a step": theirs(8),
            "ours": ours(config),
            "shipped": ours(shipped),
        },
        rounds=7,
    )
    peak = 3 * 2 * SIDE**3 / seconds["peak"]
    small, large = work(config), work(shipped)
    speed, wide = (STEPS * config.batch_size / seconds[name] for name in ("ours", "shipped"))
    rows = [
        {"what": "training, ours", "value": speed, "unit": "images/s"},
        {"what": "the same, share of the peak", "value": small * speed / peak, "unit": ""},
        {"what": "training, the shipped network", "value": wide, "unit": "images/s"},
        {
            "what": "shipped, share of the peak",
            "value": large * wide / peak,
            "unit": "",
        },
        {"what": "matrix-product peak, float32", "value": peak / 1e9, "unit": "GFLOP/s"},
        {"what": "work, the shipped network", "value": large / 1e6, "unit": "MFLOP/image"},
        {"what": "one epoch of CIFAR-100, ours", "value": 45000 / speed, "unit": "s"},
    ]
    for name, size in (("original, 1 image a step", 1), ("original, 8 images a step", 8)):
        rival = size / seconds[name]
        rows.append({"what": f"training, {name}", "value": rival, "unit": "images/s"})
        rows[-1]["ours is faster by"] = speed / rival
    return rows


def colouring(images) -> list[dict]:
    """Images coloured per second on the CPU, shipped weights, against the original's forward."""
    model = cl.load_model("cifar")
    gray = cl.value(cl.to_tensor(images))
    network = original.network().eval()

    def theirs():
        with torch.inference_mode():
            network(gray[:RIVAL])

    seconds = alternate({"ours": lambda: cl.colorize(model, gray), "original": theirs}, rounds=3)
    ours, rival = len(gray) / seconds["ours"], RIVAL / seconds["original"]
    return [
        {
            "what": "colouring 10,000 images, ours",
            "value": ours,
            "unit": "images/s",
        },
        {
            "what": "colouring, original network",
            "value": rival,
            "unit": "images/s",
            "ours is faster by": ours / rival,
        },
    ]


MEMORY = """
import os, tempfile
import numpy as np
from benchmarks.timing import peak
os.environ["TQDM_DISABLE"] = "1"
with tempfile.TemporaryDirectory() as folder:
    os.environ["COLORLIB_DATA"] = folder
    import colorlib as cl
    images = np.random.default_rng(0).integers(0, 256, (50000, 32, 32, 3), dtype=np.uint8)
    config = cl.Config(epochs=1)
    model, recipe = cl.build(config)
    before = peak()
    cl.fit(model, recipe, images, config)
print(before, peak())
"""


def memory() -> list[dict]:
    """Peak memory of one epoch on 50,000 images of 32 x 32 (random ones need as much)."""
    if not Path("/proc/self/status").is_file():
        return []  # Linux only
    before, peak = (float(x) for x in python(MEMORY).split())
    return [
        {"what": "memory, images loaded, before training", "value": before, "unit": "MiB"},
        {"what": "memory, peak of training on 50,000 images", "value": peak, "unit": "MiB"},
    ]
