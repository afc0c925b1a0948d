"""ECCV16: Zhang, Isola, Efros 2016, "Colorful Image Colorization"; the network as released in 2020.

Parameter names and shapes are those of the published file; the layers follow the paper's figure 2
and table 4. Lightness L in [0, 100] in, ab in Lab units out.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def convolutions(
    inputs: int, outputs: int, count: int, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """`count` 3 x 3 convolutions with ReLU, the last one with the stride; then a normalisation."""
    layers: list[nn.Module] = []
    for number in range(count):
        step = stride if number == count - 1 else 1
        layers += [nn.Conv2d(inputs, outputs, 3, step, dilation, dilation), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs))


class ECCV16(nn.Module):
    """L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W) in Lab units, H and W multiples of 8.

    313 logits a pixel of the quarter-size grid; the softmax's mean (section 2.3, with the annealed
    temperature folded into the released weights) is upsampled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model1 = convolutions(1, 64, 2, stride=2)
        self.model2 = convolutions(64, 128, 2, stride=2)
        self.model3 = convolutions(128, 256, 3, stride=2)
        self.model4 = convolutions(256, 512, 3)
        self.model5 = convolutions(512, 512, 3, dilation=2)
        self.model6 = convolutions(512, 512, 3, dilation=2)
        self.model7 = convolutions(512, 512, 3)
        up, last = nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.Conv2d(256, 313, 1)
        self.model8 = nn.Sequential(up, nn.ReLU(), *convolutions(256, 256, 2)[:-1], last)
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)

    def forward(self, lightness: Tensor) -> Tensor:
        x = (lightness - 50) / 100
        for number in range(1, 9):
            x = getattr(self, f"model{number}")(x)
        ab = self.model_out(x.softmax(1))
        return 110 * F.interpolate(ab, scale_factor=4, mode="bilinear")
