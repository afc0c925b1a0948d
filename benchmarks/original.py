"""The network and the settings of the course project that this one starts from.

Ten 3 x 3 convolutions at full resolution (the project calls them nine layers and an output), hue
and saturation as they are, mean squared error, Adadelta at its defaults, one image a step.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn, optim

WIDTHS = (1, 32, 128, 256, 512, 512, 512, 256, 128, 64, 2)


def network() -> nn.Sequential:
    """Value (B, 1, H, W) in, hue and saturation (B, 2, H, W) out, each in [0, 1]."""
    layers = []
    for inputs, outputs in pairwise(WIDTHS):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def step(model: nn.Module, optimizer: optim.Optimizer, hsv: Tensor) -> None:
    """One training step on HSV images (B, 3, H, W)."""
    loss = F.mse_loss(model(hsv[:, 2:]), hsv[:, :2])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
