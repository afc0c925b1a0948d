"""Training batches, gathered from 8-bit images and augmented, a batch at a time.

No worker processes (after `CifarLoader` of cifar10-airbench): gathering and augmenting a batch
costs a few percent of a training step. A set that does not fit into memory is read from disk,
memory-mapped, and one that does not fit onto the GPU stays beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from colorlib.color import to_gray
from colorlib.config import Config
from colorlib.datasets.augmentation import cutmix, sharpened, shifted, window
from colorlib.datasets.hint_maps import draw_hints, reveal
from colorlib.datasets.pixels import Pixels, gather

if TYPE_CHECKING:
    from accelerate import Accelerator


class Batch(NamedTuple):
    """A training batch."""

    rgb: Tensor  # the images (B, 3, H, W) in [0, 1]
    gray: Tensor  # the network's input (B, 1, H, W)
    given: Tensor  # (B,) int64: 0 if the input is value, 1 if it is luma
    number: Tensor | None = None  # (B,) int64: the images' numbers in the training set
    hints: Tensor | None = None  # (B, 3, H, W): see datasets/hint_maps.py


def batches(
    pixels: Pixels, config: Config, accelerator: Accelerator, start: int = 0
) -> Iterator[Batch]:
    """This process's share of every batch of a run, from step `start` on.

    Each epoch takes the images in an order of its own; what does not fill a batch is left out.
    """
    steps = len(pixels) // config.batch_size
    for step in range(start, steps * config.epochs):
        epoch, position = divmod(step, steps)
        if position == 0 or step == start:
            order = torch.randperm(len(pixels), generator=generator(config.seed, epoch))
        index = order[position * config.batch_size :][: config.batch_size]
        yield draw_batch(pixels, index, step, config, accelerator)


def draw_batch(
    pixels: Pixels, index: Tensor, step: int, config: Config, accelerator: Accelerator
) -> Batch:
    """This process's share of the images `index` (batch size,), augmented.

    Random numbers are drawn for the whole batch, so they do not depend on the number of processes.
    """
    random, count, device = generator(config.seed, -1, step), len(index), accelerator.device
    share = slice(accelerator.process_index, None, accelerator.num_processes)

    def mine(drawn: Tensor) -> Tensor:
        return drawn[..., share].to(device, non_blocking=True)

    def images(index: Tensor) -> Tensor:
        return gather(pixels, index[share]).to(device, non_blocking=True)

    flip, coin = mine(torch.rand((2, count), generator=random) < 0.5)
    moved = mine(torch.randint(-config.shift, config.shift + 1, (2, count), generator=random))
    scale = mine(config.zoom * (2 * torch.rand((2, count), generator=random) - 1))
    center = mine(2 * torch.rand((2, count), generator=random) - 1)
    rgb = images(index)
    if config.cutmix:
        use = mine(torch.rand(count, generator=random) < config.cutmix)
        side, corner = mine(torch.rand((2, 2, count), generator=random))
        mixed = cutmix(rgb, images(index.roll(1)), side, corner)
        rgb = torch.where(use.view(-1, 1, 1, 1), mixed, rgb)
    rgb = torch.where(flip.view(-1, 1, 1, 1), rgb.flip(-1), rgb)
    if config.shift and not config.crop:
        rgb = shifted(rgb, moved)
    rgb = rgb.float() / 255
    part = torch.stack((scale[0], scale[0] + scale[1] / 2)).exp()
    if config.crop:
        whole = scale.new_tensor([config.crop / side for side in rgb.shape[:1:-1]])[:, None]
        rgb = window(rgb, (whole * part).clamp(max=1), center, config.crop)
    elif config.zoom:
        rgb = window(rgb, part)
    given = coin.long()
    if config.given != "both":
        given.fill_(config.given == "luma")
    gray = torch.where(given.view(-1, 1, 1, 1) == 1, to_gray(rgb, "luma"), to_gray(rgb, "value"))
    if config.sharpen:
        amount, level = 2 * mine(torch.rand((2, count), generator=random))
        noise = torch.randn((count, *gray.shape[1:]), generator=random)[share].to(device)
        noise *= level.view(-1, 1, 1, 1)
        gray = sharpened(gray, config.sharpen * (amount - 1), noise)
    hints = None
    if config.hints:
        squares = draw_hints(count, rgb.shape[2], rgb.shape[3], random)[share]
        hints = reveal(rgb, squares.to(device, non_blocking=True))
    return Batch(rgb, gray, given, index[share], hints)


def generator(*numbers: int) -> torch.Generator:
    """A CPU generator that depends on these numbers alone."""
    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
