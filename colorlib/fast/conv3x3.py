"""A 3 x 3 convolution that learns faster in bfloat16 on a CPU, where the maps are small."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input, conv2d_weight

SMALL = 8  # pixels of a row, up to which its kernel's gradient is slow to compute


class Conv3(nn.Conv2d):
    """3 x 3 convolution without bias, the size kept. Its backward pass alone is its own."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        slow = x.dtype == torch.bfloat16 and x.device.type == "cpu" and x.shape[-1] <= SMALL
        if slow and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _SideBySide.apply(x, self.weight.to(x))
        return super().forward(x)


class _SideBySide(torch.autograd.Function):
    """The kernel's gradient is found with the images of a batch laid side by side in long rows.

    It sums over every place of every image, and the library goes row by row: rows of 4 pixels
    take it four times as long as the same pixels in one long row.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, kernel: Tensor) -> Tensor:
        context.save_for_backward(x, kernel)
        return F.conv2d(x, kernel, padding=1)

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, kernel = context.saved_tensors
        long, below = side_by_side(x), side_by_side(gradient)
        return (
            conv2d_input(x.shape, kernel, gradient, padding=1),
            conv2d_weight(long, kernel.shape, below, padding=1),
        )


def side_by_side(maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) in N / n rows of n: (N / n, C, H, n (W + 1)), a column of 0 after each."""
    count, channels, height, width = maps.shape
    beside = math.gcd(count, 32)
    rows = maps.new_empty(count // beside, height, beside, width + 1, channels)
    rows[..., :width, :] = maps.permute(0, 2, 3, 1).unflatten(0, (-1, beside)).transpose(1, 2)
    rows[..., width, :] = 0
    return rows.flatten(2, 3).permute(0, 3, 1, 2)
