"""Structural similarity of many images at once.

It replaces scikit-image's `structural_similarity`, which takes one image at a time.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def ssim(predicted: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity, Gaussian window of sigma 1.5 over 11 x 11, mean over RGB.

    The setting of Wang et al. 2004, as scikit-image's `structural_similarity` with
    gaussian_weights=True, use_sample_covariance=False, data_range=1.
    """
    if min(truth.shape[-2:]) < 11:
        raise ValueError(f"ssim: got {tuple(truth.shape)}, expected H and W from 11")
    taps = torch.exp(-0.5 * (torch.arange(-5, 6, device=truth.device) / 1.5) ** 2)
    taps = taps / taps.sum()

    def blur(x: Tensor) -> Tensor:
        x = F.conv2d(x.flatten(0, 1)[:, None], taps.to(x).view(1, 1, 1, -1))
        return F.conv2d(x, taps.to(x).view(1, 1, -1, 1))

    x, y = predicted.double(), truth.double()
    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    score = (2 * mx * my + 1e-4) * (2 * cov + 9e-4)
    score = score / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    return score.view(len(truth), -1).mean(1)
