"""Our recipe with one thing changed, for the ablation."""

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from colorlib.batches import Batch
from colorlib.model import ColorNet
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


class Averaged(Distribution):
    """Our recipe with a moving average of the weights (EMA), which is measured in their place.

    A run that was stopped starts its average anew when it goes on.
    """

    name = "averaged"

    def setup(self, model: ColorNet, pixels: Tensor) -> None:
        super().setup(model, pixels)
        self.model = model
        average = get_ema_multi_avg_fn(0.99)  # over about the last 100 steps
        self.average = AveragedModel(model, multi_avg_fn=average, use_buffers=True)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        if torch.is_grad_enabled():  # in training, not in validation
            self.average.update_parameters(self.model)
        return super().loss(output, batch)
