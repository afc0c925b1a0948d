"""Training batches: the set as 8-bit integers, gathered and augmented a batch at a time.

No worker processes (after `CifarLoader` of cifar10-airbench): gathering and augmenting a batch
costs a few percent of a training step. A set that does not fit into memory is read from disk,
memory-mapped, and one that does not fit onto the GPU stays beside it.
"""

import hashlib
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import to_gray
from colorlib.config import Config
from colorlib.datasets.pixels import Pixels, gather


class Batch(NamedTuple):
    """What a step learns from."""

    rgb: Tensor  # the images (B, 3, H, W) in [0, 1]
    gray: Tensor  # what the network was given of them (B, 1, H, W)
    given: Tensor  # (B,) int64: 0 where that is value, 1 where it is luma
    chosen: Tensor | None = None  # (B,) int64: which of the training images they are


def check_pixels(pixels: Pixels, config: Config, stride: int) -> None:
    """Raise ValueError where the training pixels do not go with the config."""
    count, (height, width) = len(pixels), gather(pixels, torch.arange(1)).shape[-2:]
    if config.crop > min(height, width):
        raise ValueError(f"crop: got {config.crop}, but the images are {height} x {width} pixels")
    if config.crop:
        height = width = config.crop
    if config.count is not None and config.count > count:
        raise ValueError(f"count: got {config.count}, but there are {count} training images")
    if (config.count or count) < config.batch_size:
        raise ValueError(
            f"{config.count or count} training images are too few: a batch is {config.batch_size}"
        )
    if min(height, width) < 32 or height % stride or width % stride:
        raise ValueError(
            f"images: got {height} x {width} pixels, wanted sides from 32 that are multiples of "
            f"{stride} for this network"
        )


def batch(pixels: Pixels, order: Tensor, step: int, steps: int, config: Config, accelerator):
    """This process's share of a step's batch, a `Batch`.

    All is drawn for the whole batch and then shared out, so any number of processes sees the same.
    """
    size, at = config.batch_size, step % steps
    random = generator(config.seed, -1, step)
    chosen = order[at * size : (at + 1) * size]
    flip, coin = torch.rand((2, size), generator=random) < 0.5
    moved = torch.randint(-config.shift, config.shift + 1, (2, size), generator=random)
    scale = config.zoom * (2 * torch.rand((2, size), generator=random) - 1)
    centre = 2 * torch.rand((2, size), generator=random) - 1
    mine = slice(accelerator.process_index, None, accelerator.num_processes)
    device = accelerator.device
    rgb = gather(pixels, chosen[mine]).to(device, non_blocking=True)
    drawn = flip, coin, moved, scale, centre
    flip, coin, moved, scale, centre = (x[..., mine].to(device) for x in drawn)
    if config.paste:
        use = torch.rand(size, generator=random) < config.paste
        side, corner = torch.rand((2, 2, size), generator=random)
        other = gather(pixels, chosen.roll(1)[mine]).to(device, non_blocking=True)
        use, side, corner = (x[..., mine].to(device) for x in (use, side, corner))
        rgb = torch.where(use.view(-1, 1, 1, 1), pasted(rgb, other, side, corner), rgb)
    rgb = torch.where(flip.view(-1, 1, 1, 1), rgb.flip(-1), rgb)
    if config.shift and not config.crop:
        rgb = shifted(rgb, moved)
    rgb = rgb.float() / 255
    share = torch.stack((scale[0], scale[0] + scale[1] / 2)).exp()
    if config.crop:
        whole = scale.new_tensor([config.crop / side for side in rgb.shape[:1:-1]])[:, None]
        rgb = window(rgb, (whole * share).clamp(max=1), centre, config.crop)
    elif config.zoom:
        rgb = window(rgb, share)
    given = coin.long() if config.given == "both" else (coin >= 0).long() * (config.given == "luma")
    gray = torch.where(given.view(-1, 1, 1, 1) == 1, to_gray(rgb, "luma"), to_gray(rgb, "value"))
    return Batch(rgb, gray, given, chosen[mine])


def pasted(rgb: Tensor, other: Tensor, side: Tensor, corner: Tensor) -> Tensor:
    """Images (B, 3, H, W), a rectangle of each replaced by what `other` holds there.

    side (2, B): from 0, a quarter of height and width, to 1, three quarters; corner (2, B): from 0,
    top or left, to 1, as far down or right as it goes. The colours stay right everywhere, and it
    is harder to know an image by heart. After Yun et al. 2019, "CutMix", section 3; height and
    width are drawn apart here, and every pixel has its own target, so that none is mixed.
    """
    inside = []
    for size, share, at in zip(rgb.shape[-2:], side, corner, strict=True):
        length = (size * (0.25 + share / 2)).round()
        start = ((size - length) * at).round()
        pixel = torch.arange(size, device=rgb.device)
        inside.append((pixel >= start[:, None]) & (pixel < (start + length)[:, None]))
    rows, columns = inside
    return torch.where((rows[:, :, None] & columns[:, None])[:, None], other, rgb)


def shifted(rgb: Tensor, moved: Tensor) -> Tensor:
    """Images (B, 3, H, W), each moved by its own whole (rows, columns) of moved (2, B).

    What comes in at the edges is the image mirrored.
    """
    count, _, height, width = rgb.shape

    def places(size: int, by: Tensor) -> Tensor:
        at = (torch.arange(size, device=rgb.device) - by[:, None]).abs()
        return torch.where(at >= size, 2 * (size - 1) - at, at)

    rows, columns = places(height, moved[0]), places(width, moved[1])
    rgb = rgb.gather(2, rows.view(count, 1, height, 1).expand(rgb.shape))
    return rgb.gather(3, columns.view(count, 1, 1, width).expand(rgb.shape))


def window(rgb: Tensor, share: Tensor, centre: Tensor | float = 0.0, size: int = 0) -> Tensor:
    """Images (B, 3, H, W), each seen through a window: (B, 3, size, size), or of their own size.

    share (2, B): the window's width and height as shares of the image's; above 1, the image is
    mirrored at its edges. centre (2, B): its place, from -1 (left, top) to 1 (right, bottom).
    """
    theta = rgb.new_zeros(len(rgb), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = share
    theta[:, :, 2] = ((1 - share) * centre).T
    shape = (*rgb.shape[:2], size or rgb.shape[2], size or rgb.shape[3])
    grid = F.affine_grid(theta, shape, align_corners=False)
    return F.grid_sample(rgb, grid, padding_mode="reflection", align_corners=False).clamp(0, 1)


def generator(*numbers: int) -> torch.Generator:
    """A CPU generator that depends on these numbers alone."""
    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
