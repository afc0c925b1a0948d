"""What is done to the images of a training batch, each function from images to images."""

import torch
import torch.nn.functional as F
from torch import Tensor


def sharpened(gray: Tensor, amount: Tensor, noise: Tensor) -> Tensor:
    """Gray (B, 1, H, W) made sharper (amount (B,) above 0) or softer, with noise of 1/255 added.

    Photographs are scaled and compressed in many ways; colours must not depend on which.
    """
    padded = F.pad(gray, (1, 1, 1, 1), mode="replicate")
    detail = gray - F.avg_pool2d(padded, 3, 1)
    return (gray + amount.view(-1, 1, 1, 1) * detail + noise / 255).clamp(0, 1)


def cutmix(rgb: Tensor, other: Tensor, side: Tensor, corner: Tensor) -> Tensor:
    """Images (B, 3, H, W), a rectangle of each replaced by what `other` holds there.

    side (2, B): from 0, a quarter of height and width, to 1, three quarters; corner (2, B): from 0,
    top or left, to 1, as far down or right as it goes. After Yun et al. 2019, "CutMix", section 3;
    every pixel has its own target here, so that none is mixed.
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
    """Images (B, 3, H, W), mirrored at the edges, each moved by its (rows, columns) of (2, B)."""
    count, _, height, width = rgb.shape

    def places(size: int, by: Tensor) -> Tensor:
        at = (torch.arange(size, device=rgb.device) - by[:, None]).abs()
        return torch.where(at >= size, 2 * (size - 1) - at, at)

    rows, columns = places(height, moved[0]), places(width, moved[1])
    rgb = rgb.gather(2, rows.view(count, 1, height, 1).expand(rgb.shape))
    return rgb.gather(3, columns.view(count, 1, 1, width).expand(rgb.shape))


def window(rgb: Tensor, share: Tensor, center: Tensor | float = 0.0, size: int = 0) -> Tensor:
    """Images (B, 3, H, W), each seen through a window: (B, 3, size, size), or of their own size.

    share (2, B): the window's width and height as shares of the image's; above 1, the image is
    mirrored at its edges. center (2, B): its place, from -1 (left, top) to 1 (right, bottom).
    """
    theta = rgb.new_zeros(len(rgb), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = share
    theta[:, :, 2] = ((1 - share) * center).T
    shape = [*rgb.shape[:2], size or rgb.shape[2], size or rgb.shape[3]]
    grid = F.affine_grid(theta, shape, align_corners=False)
    # mirrored here, since Apple's GPUs have no padding_mode="reflection"; none is left to pad
    edge = 1 - 1 / grid.new_tensor(rgb.shape[:1:-1])  # the middle of the last pixel
    grid = (1 - ((grid + 1) % 4 - 2).abs()).clamp(-edge, edge)
    return F.grid_sample(rgb, grid, align_corners=False).clamp(0, 1)
