"""Recipes: what is minimised. One small class per way of learning the same thing.

A recipe has a `head` (what the network puts out) and `loss(output, rgb)`, a scalar for the
network's output (B, outputs, H/2, W/2) and the true rgb (B, 3, H, W). The target is made from rgb
alone: no image was ever labelled. Before that, `start(model, pixels)` sees some of the training
images, uint8 (N, 3, H, W).
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

    def start(self, model, pixels: Tensor) -> None:
        """Count how common each cell is: logit adjustment needs that prior later."""
        total = torch.zeros_like(model.prior)
        for part in pixels.split(500):
            target, weight = chroma_target(part.to(total.device).float() / 255)
            index, share = self.encode(target)
            total.scatter_add_(0, index.flatten(), (share * weight).flatten())
        model.prior.copy_((total / total.sum()).clamp(min=1e-6))

    def loss(self, output: Tensor, rgb: Tensor) -> Tensor:
        target, weight = chroma_target(rgb)
        index, share = self.encode(target)
        # channels last, as the network leaves them: along its last dimension softmax is faster
        loss = CrossEntropy.apply(*(x.permute(0, 2, 3, 1) for x in (output, index, share)))
        return (weight[:, 0] * loss).sum() / weight.sum().clamp(min=1e-6)

    def encode(self, chroma: Tensor) -> tuple[Tensor, Tensor]:
        """Chroma (B, 2, h, w) as (cell numbers, shares), each (B, 4, h, w), shares summing to 1."""
        lattice = self.lattice.to(chroma.device)
        place = chroma / self.spacing + len(lattice) // 2
        low = place.floor().clamp(0, len(lattice) - 2)
        (x, y), (i, j) = (place - low).unbind(1), low.long().unbind(1)
        corners = lattice[i, j], lattice[i + 1, j], lattice[i, j + 1], lattice[i + 1, j + 1]
        shares = (1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y
        return torch.stack(corners, 1), torch.stack(shares, 1)


class CrossEntropy(torch.autograd.Function):
    """-sum_j share_j log softmax(logits)[index_j], (...), for logits (..., K).

    index and share are (..., J), shares summing to 1. Written out because its gradient, softmax of
    the logits minus the shares, then takes half the time it takes through log_softmax and gather.
    """

    @staticmethod
    def forward(context, logits: Tensor, index: Tensor, share: Tensor) -> Tensor:
        likely = logits.softmax(-1)
        context.save_for_backward(likely, index, share)
        return -(share * likely.gather(-1, index).clamp(min=1e-30).log()).sum(-1)

    @staticmethod
    def backward(context, gradient: Tensor):
        likely, index, share = context.saved_tensors
        gradient = gradient[..., None]
        return (likely * gradient).scatter_add_(-1, index, -share * gradient), None, None


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
