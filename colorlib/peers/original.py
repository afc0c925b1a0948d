"""The network and the settings of the course project that this one starts from.

Ten 3 x 3 convolutions at full resolution (the project calls them nine layers and an output), hue
and saturation as they are, mean squared error, Adadelta at its defaults, one image a step.
"""

import time
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from colorlib import paths
from colorlib.batches import generator
from colorlib.color import add_chroma, hsv_to_chroma, luma, rgb_to_hsv
from colorlib.data import to_tensor
from colorlib.model import evaluation_mode

WIDTHS = (1, 32, 128, 256, 512, 512, 512, 256, 128, 64, 2)


def network() -> nn.Sequential:
    """Gray (B, 1, H, W) in, hue and saturation (B, 2, H, W) out, each in [0, 1]."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(WIDTHS):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def step(model: nn.Module, optimizer: optim.Optimizer, gray: Tensor, target: Tensor) -> None:
    """One training step on gray (B, 1, H, W) and hue and saturation (B, 2, H, W)."""
    loss = F.mse_loss(model(gray), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def train(name: str, images: np.ndarray, seconds: float) -> tuple[nn.Module, int]:
    """(The network, steps taken) after so many seconds of one image (H, W, 3) a step, as it was.

    Kept in data/runs/NAME.pt, and read from there when it is asked for again with that time.
    """
    path = paths.runs() / f"{name}.pt"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    model = network().to(device)
    if path.is_file():
        kept = torch.load(path, map_location=device, weights_only=True)
        if kept["seconds"] == seconds:
            model.load_state_dict(kept["model"])
            return model.eval(), kept["steps"]
    optimizer, steps, began = optim.Adadelta(model.parameters()), 0, time.perf_counter()
    order = torch.randperm(len(images), generator=generator(0, 0)).tolist()
    print(f"{name}: training for {seconds:.0f} s")
    while time.perf_counter() - began < seconds:
        rgb = to_tensor(images[order[steps % len(order)]][None]).to(device)
        step(model, optimizer, luma(rgb), rgb_to_hsv(rgb)[:, :2])
        steps += 1
    with paths.replacing(path) as part:
        torch.save({"model": model.state_dict(), "steps": steps, "seconds": seconds}, part)
    return model.eval(), steps


def colorize(model: nn.Module, gray: Tensor) -> Tensor:
    """RGB (N, 3, H, W) of luma (N, 1, H, W), which it keeps."""
    parts = []
    with evaluation_mode(model) as device:
        for part in gray.to(device).split(50):
            chroma = hsv_to_chroma(torch.cat((model(part), part), 1))
            parts.append(add_chroma(chroma, part, "luma").to(gray.device))
    return torch.cat(parts)
