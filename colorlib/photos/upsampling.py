"""Colours found at a small size, brought up to a photograph's along the photograph's own edges.

Up to `WORKING` pixels by a joint bilateral filter: a pixel takes its colour from the small pixels
around it that are as bright as it is (Kopf et al. 2007, "Joint bilateral upsampling"), and what
that loses is put back once. Beyond, colour is a line of brightness in every small neighbourhood
(He and Sun 2015, "Fast guided filter"): two numbers a pixel of the working size.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import relative_chroma

WORKING = 2**18  # pixels
STRIP = 2**17  # pixels of the photograph in hand at a time
SPREAD = 0.6  # of the filter, in small pixels
ALIKE = 0.5, 0.01  # as bright: within this share of the brightness's local spread, and a little
FLOOR = 1e-6  # where nothing near is as bright, the nearest counts
EPSILON = 1e-3  # variance of brightness below which colour follows none of it


def to_working_size(gray: Tensor) -> tuple[Tensor, int]:
    """gray (N, 1, H, W) shrunk by a whole factor to `WORKING` pixels or fewer; and that factor."""
    factor = math.ceil((gray.shape[-2] * gray.shape[-1] / WORKING) ** 0.5)
    if factor <= 1:
        return gray, 1
    return F.avg_pool2d(gray, factor, ceil_mode=True, count_include_pad=False), factor


def shrink(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (N, C, H, W) at another size, each pixel the mean of those that it stands for."""
    if images.shape[-2] >= size[0] and images.shape[-1] >= size[1]:
        return F.interpolate(images, size, mode="area")
    return F.interpolate(images, size, mode="bilinear", antialias=True)


def joint_bilateral(colour: Tensor, small: Tensor, gray: Tensor) -> Tensor:
    """colour (N, C, h, w), found for small (N, 1, h, w), at the size of gray (N, 1, H, W)."""
    size, inner = gray.shape[-2:], small.shape[-2:]
    if size[0] <= inner[0] or size[1] <= inner[1]:
        return F.interpolate(colour, size, mode="bilinear", antialias=True)
    weights = list(_weights(small, gray))
    total = sum(weights)

    def spread(picture: Tensor) -> Tensor:
        mixed = picture.new_zeros(*picture.shape[:2], *size)
        for weight, near in zip(weights, neighbours(picture), strict=True):
            mixed.addcmul_(weight, F.interpolate(near, size, mode="nearest-exact"))
        return mixed.div_(total)

    full = spread(colour)
    return full + spread(colour - shrink(full, inner))


def neighbours(picture: Tensor) -> Iterator[Tensor]:
    """The picture moved by one pixel to each of the nine sides, its edges repeated."""
    height, width = picture.shape[-2:]
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    for y in range(3):
        for x in range(3):
            yield padded[..., y : y + height, x : x + width]


def _weights(small: Tensor, gray: Tensor) -> Iterator[Tensor]:
    """How much each pixel of gray takes from each of the nine small pixels around it."""
    size = gray.shape[-2:]

    def away(inner: int, full: int) -> list[Tensor]:
        place = (torch.arange(full, device=gray.device) + 0.5) * inner / full
        inside = place - place.floor() - 0.5
        return [torch.exp(-((step - inside) ** 2) / (2 * SPREAD**2)) for step in (-1, 0, 1)]

    rows, columns = map(away, small.shape[-2:], size)
    around = torch.stack(list(neighbours(small))) - small
    local = (around.square().mean(0) - around.mean(0).square()).clamp(min=0).sqrt()  # deviation
    local = F.interpolate(ALIKE[0] * local + ALIKE[1], size, mode="bilinear")
    narrow = -0.5 / local.square()
    for i, near in enumerate(neighbours(small)):
        near = F.interpolate(near, size, mode="nearest-exact")
        alike = (near - gray).square_().mul_(narrow).exp_().add_(FLOOR)
        yield alike.mul_(rows[i // 3][:, None] * columns[i % 3])


def lines(colour: Tensor, gray: Tensor) -> Tensor:
    """Slope and offset (N, 2 C, H, W): colour (N, C, H, W) as a line of gray, pixel by pixel."""

    def around(x: Tensor) -> Tensor:
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = (x[..., :-2, :] + x[..., 1:-1, :]).add_(x[..., 2:, :])
        return (x[..., :-2] + x[..., 1:-1]).add_(x[..., 2:]).div_(9)

    mean_gray, mean_colour = around(gray), around(colour)
    variance = around(gray * gray) - mean_gray**2
    slope = (around(gray * colour) - mean_gray * mean_colour) / (variance + EPSILON)
    return around(torch.cat((slope, mean_colour - slope * mean_gray), 1))


def strips(
    chroma: Tensor, small: Tensor, gray: Tensor, middle: Tensor, factor: int
) -> Iterator[tuple[slice, Tensor]]:
    """Relative chroma at gray's size (N, 1, H, W), strip by strip, and of which rows.

    chroma (N, 2, h, w): found for small (N, 1, h, w). middle, factor: `to_working_size(gray)`.
    """
    height, width = gray.shape[-2:]
    tints = relative_chroma(joint_bilateral(chroma, small, middle))
    if factor == 1:
        yield slice(0, height), tints
        return
    line = F.pad(lines(tints, middle), (0, 0, 1, 1), mode="replicate")
    # Between two rows of the working size lie `factor` rows of the photograph. The first of these
    # gaps begins above the picture's edge, by half a gap; the last may end below it.
    share = ((torch.arange(factor, device=gray.device) + (1 - factor % 2) / 2) / factor)[:, None]
    above = factor - factor // 2
    count = max(1, STRIP // (factor * width * len(gray)))
    for first in range(0, math.ceil((height + above) / factor), count):
        near = line[..., first : first + count + 1, :]
        wide = (near.shape[-2], factor * near.shape[-1])
        near = F.interpolate(near, wide, mode="bilinear")[..., None, :width]
        between = near[..., :-1, :, :].lerp(near[..., 1:, :, :], share).flatten(-3, -2)
        start = first * factor - above
        rows = slice(max(start, 0), min(start + between.shape[-2], height))
        slope, offset = between[..., rows.start - start : rows.stop - start, :].chunk(2, 1)
        yield rows, offset.addcmul_(slope, gray[..., rows, :])
