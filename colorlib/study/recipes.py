"""Ours with one thing changed: the recipes that the ablation needs."""

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from colorlib.recipes import Distribution


class Hard(Distribution):
    """Ours with a hard target: the nearest cell alone."""

    name = "hard"

    def encode(self, chroma: Tensor) -> tuple[Tensor, Tensor]:
        index, share = super().encode(chroma)
        return index, (share == share.amax(1, keepdim=True)).float()


class Unweighted(Distribution):
    """Ours with every pixel weighing the same, however dark."""

    name = "unweighted"

    def target(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        index, share, weight = super().target(rgb)
        return index, share, torch.ones_like(weight)


class Averaged(Distribution):
    """Ours; beside it goes a moving average of the weights (EMA), which is measured in its place.

    A run that is stopped starts its average anew when it goes on.
    """

    name = "averaged"

    def start(self, model, pixels: Tensor) -> None:
        super().start(model, pixels)
        self.model = model
        average = get_ema_multi_avg_fn(0.99)  # over about the last 100 steps
        self.average = AveragedModel(model, multi_avg_fn=average, use_buffers=True)

    def loss(self, output: Tensor, batch) -> Tensor:
        if torch.is_grad_enabled():  # a step, not a look at validation
            self.average.update_parameters(self.model)
        return super().loss(output, batch)
