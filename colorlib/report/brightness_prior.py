"""How common a cell's colour is at the brightness at hand: what bolder pictures are adjusted by.

The rebalanced AuC weighs a pixel by how rare its true colour is in the ab plane. Where in that
plane a cell of the chroma disk lies depends on the brightness: full saturation is a strong colour
in the light and next to black in the dark. So the shipped networks look up how common the *colour*
is, not the cell.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import join, rgb_to_lab
from colorlib.metrics import ab_cell, ab_prior

LEVELS = 33  # of gray, evenly spaced from 0 to 1
RAREST = 3e-5  # share below which a colour counts as no rarer


def common(cells: Tensor) -> Tensor:
    """(2, LEVELS, K): how common the colour is that each chroma cell (K, 2) makes of each gray.

    Value given, then luma. How common: the share of the ab cell that the colour falls in among all
    pixels of CIFAR-100's training images, whatever their brightness, smoothed over neighbouring ab
    cells. A cell outside the disk counts as the colour at its edge.
    """
    chroma = cells.T[:, None].expand(-1, LEVELS, -1)
    gray = torch.linspace(0, 1, LEVELS)[None, :, None].expand(1, -1, len(cells))
    found = (rgb_to_lab(join(chroma, gray, given))[None] for given in ("value", "luma"))
    shares = smoothed(ab_prior()).clamp(min=RAREST).float()
    return torch.cat([shares[ab_cell(lab)] for lab in found])


def smoothed(shares: Tensor) -> Tensor:
    """Shares (A, B) spread over neighbouring cells by the binomial weights 1/4, 1/2, 1/4."""
    weights = shares.new_tensor([0.25, 0.5, 0.25])
    return F.conv2d(shares[None, None], torch.outer(weights, weights)[None, None], padding=1)[0, 0]


def attach(model) -> None:
    """Let a network of chroma cells decode with `common`; any other is left as it is."""
    if model.config["head"] == "distribution":
        model.common = common(model.cells.cpu()).to(model.cells.device)
