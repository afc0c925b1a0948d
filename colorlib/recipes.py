"""Recipes: what is minimised. One small class per way of learning the same thing.

A recipe has a `head` (what the network puts out) and `loss(output, rgb)`, a scalar for the
network's output (B, outputs, H/2, W/2) and the true rgb (B, 3, H, W). The target is made from rgb
alone: no image was ever labelled. `start(model, pixels)` sees the training pixels once, first.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import hsv_to_chroma, rgb_to_hsv
from colorlib.model import cell_centres, cell_lattice


def chroma_target(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """The chroma (B, 2, H/2, W/2) to predict, and the weight (B, 1, H/2, W/2) of each pixel.

    Pixels weigh by value, in the 2 x 2 mean as in the loss: colour does not show in the dark.
    """
    hsv = rgb_to_hsv(rgb)
    value = hsv[:, 2:]
    weight = F.avg_pool2d(value, 2)
    return F.avg_pool2d(hsv_to_chroma(hsv) * value, 2) / weight.clamp(min=1e-6), weight


class Distribution:
    """Learn, for every pixel, how likely each colour is.

    Cross-entropy against a soft target: the true chroma lies in a square of four cells and is
    written as their bilinear weights, so that the target's mean is exactly the true chroma.
    """

    name, head = "distribution", "distribution"

    def __init__(self, spacing: float = 0.2):
        self.spacing = spacing
        self.lattice = cell_lattice(cell_centres(spacing), spacing)

    def start(self, model, pixels: Tensor, count: int = 10000) -> None:
        """Count how common each cell is: logit adjustment needs that prior later."""
        total = torch.zeros_like(model.prior)
        for part in pixels[:count].split(500):
            target, weight = chroma_target(part.float() / 255)
            index, share = self.encode(target)
            total.scatter_add_(0, index.flatten(), (share * weight).flatten())
        model.prior.copy_((total / total.sum()).clamp(min=1e-6))

    def loss(self, output: Tensor, rgb: Tensor) -> Tensor:
        target, weight = chroma_target(rgb)
        index, share = self.encode(target)
        loss = -(share * F.log_softmax(output, 1).gather(1, index)).sum(1, keepdim=True)
        return (weight * loss).sum() / weight.sum().clamp(min=1e-6)

    def encode(self, chroma: Tensor) -> tuple[Tensor, Tensor]:
        """Chroma (B, 2, h, w) as (cell numbers, shares), each (B, 4, h, w), shares summing to 1."""
        lattice = self.lattice.to(chroma.device)
        place = chroma / self.spacing + len(lattice) // 2
        low = place.floor().clamp(0, len(lattice) - 2)
        (x, y), (i, j) = (place - low).unbind(1), low.long().unbind(1)
        corners = lattice[i, j], lattice[i + 1, j], lattice[i, j + 1], lattice[i + 1, j + 1]
        shares = (1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y
        return torch.stack(corners, 1), torch.stack(shares, 1)


class ChromaRegression:
    """Learn the chroma vector itself, with a robust loss: the plain way, for comparison."""

    name, head = "regression", "chroma"

    def __init__(self, spacing: float = 0.2):
        pass

    def start(self, model, pixels: Tensor) -> None:
        pass

    def loss(self, output: Tensor, rgb: Tensor) -> Tensor:
        target, weight = chroma_target(rgb)
        loss = F.smooth_l1_loss(output, target, beta=0.1, reduction="none")
        return (weight * loss).sum() / weight.sum().clamp(min=1e-6)


RECIPES = {recipe.name: recipe for recipe in (Distribution, ChromaRegression)}
