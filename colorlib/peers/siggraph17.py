"""SIGGRAPH17: Zhang, Zhu, Isola and others 2017, "Real-Time User-Guided Image Colorization".

Parameter names and shapes are those of the published file; the layers follow the paper's figure 2.
Without hints it colours by itself; a hint is the ab of some pixels, and a mask that says which.
"""

import torch
from torch import Tensor, nn

from colorlib.peers.eccv16 import convolutions


class SIGGRAPH17(nn.Module):
    """L (N, 1, H, W) in [0, 100] and hints -> ab (N, 2, H, W) in Lab units, H, W multiples of 8.

    hints: ab (N, 2, H, W) in Lab units, 0 where there is none; mask (N, 1, H, W): 1 where there is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model1 = convolutions(4, 64, 2)
        self.model2 = convolutions(64, 128, 2)
        self.model3 = convolutions(128, 256, 3)
        self.model4 = convolutions(256, 512, 3)
        self.model5 = convolutions(512, 512, 3, dilation=2)
        self.model6 = convolutions(512, 512, 3, dilation=2)
        self.model7 = convolutions(512, 512, 3)
        self.model8up = nn.Sequential(nn.ConvTranspose2d(512, 256, 4, 2, 1))
        self.model3short8 = nn.Sequential(nn.Conv2d(256, 256, 3, padding=1))
        self.model8 = nn.Sequential(nn.ReLU(), *convolutions(256, 256, 2))
        self.model9up = nn.Sequential(nn.ConvTranspose2d(256, 128, 4, 2, 1))
        self.model2short9 = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1))
        self.model9 = nn.Sequential(nn.ReLU(), *convolutions(128, 128, 1))
        self.model10up = nn.Sequential(nn.ConvTranspose2d(128, 128, 4, 2, 1))
        self.model1short10 = nn.Sequential(nn.Conv2d(64, 128, 3, padding=1))
        last = nn.Conv2d(128, 128, 3, padding=1)
        self.model10 = nn.Sequential(nn.ReLU(), last, nn.LeakyReLU(0.2))
        self.model_class = nn.Sequential(nn.Conv2d(256, 529, 1))  # only its training used it
        self.model_out = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())

    def forward(
        self, lightness: Tensor, hints: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        mask = torch.zeros_like(lightness) if mask is None else mask
        hints = torch.zeros_like(lightness).expand(-1, 2, -1, -1) if hints is None else hints
        full = self.model1(torch.cat(((lightness - 50) / 100, hints / 110, mask), 1))
        half = self.model2(full[..., ::2, ::2])
        quarter = self.model3(half[..., ::2, ::2])
        x = quarter[..., ::2, ::2]
        for number in range(4, 8):
            x = getattr(self, f"model{number}")(x)
        x = self.model8(self.model8up(x) + self.model3short8(quarter))
        x = self.model9(self.model9up(x) + self.model2short9(half))
        x = self.model10(self.model10up(x) + self.model1short10(full))
        return 110 * self.model_out(x)
