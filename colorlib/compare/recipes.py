"""The recipes of ECCV16 and of the original course project, and the heads of their networks."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.batches import Batch
from colorlib.color import hsv_to_chroma, lab_to_rgb, lightness, rgb_to_hsv, rgb_to_lab, to_gray
from colorlib.decoding import Head
from colorlib.model import ColorNet
from colorlib.recipes import Distribution, Recipe

AB_SPACING = 10.0  # Zhang et al. 2016, section 2.1


class AbCells(Head):
    """A distribution over cells of the ab plane of CIE Lab, as ECCV16 has it."""

    def cells(self, spacing: float) -> Tensor:
        return ab_cells()  # always 10 apart

    def to_chroma(self, ab: Tensor, gray: Tensor, given: str) -> Tensor:
        """The lightness that goes with the input is found in four steps; clipped to the gamut."""
        level = expected = lightness(gray)
        for _ in range(4):
            rgb = lab_to_rgb(torch.cat((level, ab), 1))
            reached = lightness(to_gray(rgb, given).clamp(0, 1))
            level = (level + expected - reached).clamp(0, 100)
        return hsv_to_chroma(rgb_to_hsv(lab_to_rgb(torch.cat((level, ab), 1))))


class HueSaturationHead(Head):
    """Hue and saturation as two numbers."""

    def activate(self, output: Tensor) -> Tensor:
        return output.sigmoid()

    def to_chroma(self, color: Tensor, gray: Tensor, given: str) -> Tensor:
        return hsv_to_chroma(torch.cat((color, gray), 1))


@functools.cache
def ab_cells() -> Tensor:
    """(K, 2): every multiple of 10 in the ab plane that is nearest to one of 64^3 sRGB colours.

    Zhang et al. 2016, section 2.1, count 313 in gamut; their rule is not published.
    """
    level = torch.linspace(0, 1, 64)
    rgb = torch.cartesian_prod(level, level, level).T[:, :, None]
    return (rgb_to_lab(rgb)[1:, :, 0].T / AB_SPACING).round().unique(dim=0) * AB_SPACING


class Rebalanced(Distribution):
    """ECCV16's recipe: a distribution over ab cells, rare colours weighted up.

    Source: Zhang, Isola, Efros 2016, section 2: soft encoding on the 5 nearest cells with a
    Gaussian of sigma 5 (2.1), weights from the prior smoothed by the same Gaussian and mixed with a
    uniform one, lambda 0.5 (2.2, equation 4). Its annealed mean (2.3) is in `decode`.
    """

    name, head = "eccv16", "ab"
    sigma, uniform, nearest = 5.0, 0.5, 5

    def __init__(self, spacing: float = 0.2, fold: int = 2):
        super().__init__(AB_SPACING, fold)
        self.weight = torch.ones(int(self.lattice.max()) + 1)

    def setup(self, model: ColorNet, pixels: Tensor) -> None:
        self.weight = torch.ones(len(model.cells))  # of the images, before any rebalancing
        super().setup(model, pixels)
        near = torch.exp(-torch.cdist(model.cells, model.cells).square() / (2 * self.sigma**2))
        self.smooth = (near / near.sum(0)) @ model.prior
        weight = 1 / ((1 - self.uniform) * self.smooth + self.uniform / len(self.smooth))
        self.weight = weight / (weight * self.smooth).sum()

    def target(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cells (B, 5, h, w), nearest first, their shares, and each pixel's weight."""
        index, share = self.encode(F.avg_pool2d(rgb_to_lab(rgb)[:, 1:], self.fold))
        return index, share, self.weight.to(share)[index[:, :1]]

    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """ab (B, 2, h, w) as (cell numbers, shares), each (B, 5, h, w), the largest first."""
        reach = len(self.lattice) // 2
        lattice = F.pad(self.lattice, (2, 2, 2, 2), value=-1).to(ab.device)
        ab = ab.permute(0, 2, 3, 1).unsqueeze(3)  # (B, h, w, 1, 2): topk is faster along the last
        around = torch.cartesian_prod(*2 * [torch.arange(-2, 3, device=ab.device)])
        points = (ab / AB_SPACING).round().clamp(-reach, reach).long() + around
        index = lattice[points[..., 0] + reach + 2, points[..., 1] + reach + 2]
        distance = (points * AB_SPACING - ab).square().sum(-1).masked_fill(index < 0, 1e4)
        distance, chosen = distance.topk(self.nearest, largest=False)
        share = (-distance / (2 * self.sigma**2)).softmax(-1)
        index = index.gather(-1, chosen).clamp(min=0)
        return index.permute(0, 3, 1, 2), share.permute(0, 3, 1, 2)


class HueSaturation(Recipe):
    """What the original course project did: hue and saturation as numbers, mean squared error.

    Hue 0.99 and 0.01 are neighbours, and far apart to this loss.
    """

    name, head = "original", "hue_saturation"

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        predicted = F.interpolate(output.sigmoid(), batch.rgb.shape[-2:], mode="bilinear")
        return F.mse_loss(predicted, rgb_to_hsv(batch.rgb)[:, :2])
