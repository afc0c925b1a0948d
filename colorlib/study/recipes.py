"""Our recipe with one thing changed, for the ablation."""

import torch
from torch import Tensor

from colorlib.recipes import Distribution


class HardTarget(Distribution):
    """Our recipe with a hard target: the nearest cell alone."""

    name = "hard"

    def encode(self, chroma: Tensor) -> tuple[Tensor, Tensor]:
        index, share = super().encode(chroma)
        return index, (share == share.amax(1, keepdim=True)).float()


class Unweighted(Distribution):
    """Our recipe with the same weight for every pixel, however dark."""

    name = "unweighted"

    def target(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        index, share, weight = super().target(rgb)
        return index, share, torch.ones_like(weight)
