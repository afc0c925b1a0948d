"""DeOldify (J. Antic 2019): its two generators, U-Nets of fastai 1 on a ResNet.

Parameter names and shapes are those of the published files. Artistic: ResNet-34 and a deep decoder;
stable: ResNet-101 and a wide one. Normalised RGB of a grey image in, normalised RGB out. Spectral
norm (Miyato et al. 2018), self-attention (Zhang et al. 2018), pixel shuffle with blur (Shi et al.
2016; Sugawara et al. 2019).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm
from torchvision.models import ResNet, resnet34, resnet101

LOW, HIGH = -3.0, 3.0  # of the output, in ImageNet's standard deviations


def spectral(inputs: int, outputs: int, size: int, bias: bool = False) -> nn.Module:
    """A convolution whose kernel is divided by its largest singular value."""
    return spectral_norm(nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias))


class WeightNorm(nn.Module):
    """A 1 x 1 convolution, its kernel of norm g in the direction v (Salimans, Kingma 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.weight_g = nn.Parameter(torch.ones(outputs, 1, 1, 1))
        self.weight_v = nn.Parameter(torch.zeros(outputs, inputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        length = self.weight_v.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return F.conv2d(x, self.weight_g * self.weight_v / length, self.bias)


class Attention(nn.Module):
    """x + gamma times a mixture, for each pixel, of all pixels' values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = spectral_norm(nn.Conv1d(width, width // 8, 1, bias=False))
        self.key = spectral_norm(nn.Conv1d(width, width // 8, 1, bias=False))
        self.value = spectral_norm(nn.Conv1d(width, width, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        share = (self.query(flat).mT @ self.key(flat)).softmax(1)
        return (self.gamma * (self.value(flat) @ share) + flat).view_as(x)


def convolution(inputs: int, outputs: int, attention: bool = False) -> nn.Sequential:
    layers = [spectral(inputs, outputs, 3), nn.ReLU(), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([Attention(outputs)] if attention else []))


class Shuffle(nn.Module):
    """Twice the size: pixels out of channels, then a 2 x 2 mean."""

    def __init__(self, conv: nn.Sequential):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        x = F.pixel_shuffle(F.relu(self.conv(x)), 2)
        return F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, 1)


class Block(nn.Module):
    """One level up: the level below doubled, beside the encoder's own; then the convolutions."""

    def __init__(self, below: int, raised: int, beside: int, **convolutions: nn.Sequential):
        super().__init__()
        conv = nn.Sequential(spectral(below, 4 * raised, 1), nn.BatchNorm2d(4 * raised))
        self.shuf = Shuffle(conv)
        self.bn = nn.BatchNorm2d(beside)
        for name, layer in convolutions.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        x = F.interpolate(self.shuf(x), beside.shape[-2:])
        x = F.relu(torch.cat((x, self.bn(beside)), 1))
        for layer in list(self.children())[2:]:  # after shuf and bn
            x = layer(x)
        return x


def deep(below: int, beside: int, last: bool, attention: bool) -> tuple[Block, int]:
    """A block of the artistic decoder, and its width: two convolutions."""
    raised = below // 2
    joined = raised + beside
    width = int((joined // 2 if last else joined) * 1.5)
    first, second = convolution(joined, width), convolution(width, width, attention)
    return Block(below, raised, beside, conv1=first, conv2=second), width


def wide(below: int, beside: int, last: bool, attention: bool) -> tuple[Block, int]:
    """A block of the stable decoder, and its width: one convolution."""
    width = 256 if last else 512
    return Block(below, width, beside, conv=convolution(width + beside, width, attention)), width


class Refine(nn.Module):
    """x + f(x), f two convolutions with ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        pairs = ((spectral(width, width, 3, bias=True), nn.ReLU()) for _ in range(2))
        self.layers = nn.Sequential(*(nn.Sequential(*pair) for pair in pairs))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Generator(nn.Module):
    """Normalised grey RGB (N, 3, H, W) -> normalised RGB of the same size, H and W from 32."""

    def __init__(self, resnet: ResNet, beside: tuple[int, ...], block: Callable) -> None:
        super().__init__()
        encoder = nn.Sequential(*list(resnet.children())[:-2])
        width = resnet.fc.in_features
        middle = nn.Sequential(convolution(width, 2 * width), convolution(2 * width, width))
        blocks = []
        for number, channels in enumerate(beside):
            level, width = block(width, channels, number == 3, number == 1)
            blocks.append(level)
        shuffle = Shuffle(nn.Sequential(WeightNorm(width, 4 * width)))
        norm = nn.BatchNorm2d(resnet.fc.in_features)
        last = nn.Sequential(spectral(width + 3, 3, 1, bias=True))
        self.layers = nn.ModuleList([encoder, norm, nn.ReLU(), middle, *blocks, shuffle])
        self.layers += [nn.Identity(), Refine(width + 3), last]  # fastai joins the input here

    def forward(self, image: Tensor) -> Tensor:
        x, kept = image, []
        for number, layer in enumerate(self.layers[0]):
            x = layer(x)
            if number in (2, 4, 5, 6):  # the last of each size
                kept.append(x)
        x = self.layers[3](F.relu(self.layers[1](x)))
        for block, beside in zip(self.layers[4:8], reversed(kept), strict=True):
            x = block(x, beside)
        x = torch.cat((self.layers[8](x), image), 1)
        x = self.layers[11](self.layers[10](x))
        return LOW + (HIGH - LOW) * x.sigmoid()


class DeOldifyArtistic(Generator):
    def __init__(self) -> None:
        super().__init__(resnet34(), (256, 128, 64, 64), deep)


class DeOldifyStable(Generator):
    def __init__(self) -> None:
        super().__init__(resnet101(), (1024, 512, 256, 64), wide)
