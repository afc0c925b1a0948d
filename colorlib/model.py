"""ColorNet: value (or luma) in, a distribution over colours out; saving, loading, colouring.

A small U-Net. Chroma is smooth, so everything runs at half resolution: the input is folded
(`pixel_unshuffle`) and the predicted chroma is upsampled.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib import paths
from colorlib.color import add_chroma, check_given, check_images
from colorlib.decoding import DecodeSetting, decode, get_head, setting_at
from colorlib.fast.attention import Attention
from colorlib.fast.conv3x3 import Conv3


class Convolution(nn.Sequential):
    """3 x 3 convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(Conv3(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """x + f(x), f two convolutions: He et al. 2016, "Deep Residual Learning", section 3."""

    def __init__(self, width: int):
        super().__init__()
        self.first = Convolution(width, width)
        self.second = Conv3(width, width)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)  # each block starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class Network(nn.Module):
    """A network from a first layer `stem` to a last layer `head`, which says how it is trained."""

    stem: nn.Module
    head: nn.Module

    def optimizer_groups(self) -> tuple[list[nn.Parameter], ...]:
        """(hidden kernels, for Muon; kernels of the first and last layer; what does not decay)."""
        kernels = [p for p in self.parameters() if p.ndim == 4]
        ends = {*self.stem.parameters(), *self.head.parameters()}
        rest = [p for p in self.parameters() if p.ndim != 4]
        return [p for p in kernels if p not in ends], [p for p in kernels if p in ends], rest


class ColorNet(Network):
    """gray (B, 1, H, W) -> (B, outputs, H/fold, W/fold), H and W multiples of `self.stride`.

    widths: channels of each level, the first at 1/fold of the image's resolution, each next at half
    of the one before. down, attention, up: residual and attention blocks per level on the way down,
    convolutions per level on the way up. head: what is predicted, see decoding.py; spacing: of the
    chroma disk's cells. hints: the network also takes colours that are known at some places. One
    set of weights serves value and luma; a learned bias says which is given.
    Sources: Ronneberger et al. 2015; of hints Zhang et al. 2017, section 3.1.
    """

    config: dict[str, Any]
    cells: Tensor  # (K, 2), with a head of cells
    prior: Tensor  # (K,): the share of each cell in the training images

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128, 256),
        down: Sequence[int] = (1, 1, 1, 1),
        up: Sequence[int] = (1, 1, 1),
        head: str = "distribution",
        spacing: float = 0.2,
        fold: int = 2,
        attention: Sequence[int] = (),
        hints: bool = False,
    ):
        super().__init__()
        attention = attention or (0,) * len(widths)
        if not (len(widths) == len(down) == len(attention) == len(up) + 1):
            raise ValueError(
                f"ColorNet: got {len(widths)} widths, {len(down)} down, {len(attention)} attention "
                f"and {len(up)} up; expected as many down and attention as widths, and one fewer up"
            )
        self.config = {"widths": list(widths), "down": list(down), "up": list(up)}
        self.config |= {"head": head, "spacing": spacing, "fold": fold}
        self.config |= {"attention": list(attention), "hints": hints}
        cells = get_head(head).cells(spacing)
        if cells is not None:
            self.register_buffer("cells", cells, persistent=False)
            self.register_buffer("prior", torch.full((len(cells),), 1 / len(cells)))
        # for "value" and "luma" the settings at evenly spaced vividness 0 to 1, where tuned
        self.schedules: dict[str, list[DecodeSetting]] = {}
        self.trained_input: str | None = None  # "value", "luma" or "both", if known
        self.fold, self.stride = fold, fold * 2 ** (len(widths) - 1)

        self.stem = Convolution(fold**2 * (4 if hints else 1), widths[0])
        self.given = nn.Embedding(2, widths[0])
        nn.init.zeros_(self.given.weight)
        self.down = nn.ModuleList(
            nn.Sequential(*(Residual(w) for _ in range(n)), *(Attention(w) for _ in range(m)))
            for w, n, m in zip(widths, down, attention, strict=True)
        )
        self.pool = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), Convolution(a, b)) for a, b in pairwise(widths)
        )
        self.lift = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            nn.Sequential(*(Convolution(w, w) for _ in range(n)))
            for w, n in zip(widths, up, strict=False)
        )
        self.head = nn.Conv2d(widths[0], 2 if cells is None else len(cells), 1)
        nn.init.zeros_(self.head.weight)

    def forward(self, gray: Tensor, given: Tensor, hints: Tensor | None = None) -> Tensor:
        """gray (B, 1, H, W) in [0, 1]; given (B,) int64, 0 for value and 1 for luma.

        hints (B, 3, H, W): chroma where it is known, else 0, and 1 where it is known, else 0; None
        for none. Only a network made with `hints` takes them.
        """
        x = gray - 0.5
        if self.config["hints"]:
            none = gray.new_zeros(1).expand(len(x), 3, *x.shape[2:])
            x = torch.cat((x, none if hints is None else hints), 1)
        elif hints is not None:
            raise ValueError("hints: this network was not made to take any; `photo` is")
        x = self.stem(F.pixel_unshuffle(x, self.fold))
        x = x + self.given(given)[:, :, None, None].to(x)  # 16-bit numbers, where x has them
        skips = []
        for blocks, pool in zip(self.down, self.pool, strict=False):
            skips.append(blocks(x))
            x = pool(skips[-1])
        x = self.down[-1](x)
        for i in reversed(range(len(skips))):
            x = self.up[i](skips[i] + F.interpolate(self.lift[i](x), scale_factor=2))
        return self.head(x)


def predict(
    model: ColorNet, gray: Tensor, given: str = "value", hints: Tensor | None = None,
    mirror: bool = False,
) -> Tensor:  # fmt: skip
    """The network's output for gray (N, 1, H, W) of any size; hints (N, 3, H, W) or None.

    mirror: the mean with the output for the mirror image, at twice the time.
    """
    edges = (0, -gray.shape[-1] % model.stride, 0, -gray.shape[-2] % model.stride)
    padded = F.pad(gray, edges, mode="replicate")
    hints = None if hints is None else F.pad(hints, edges)
    flag = torch.full((len(gray),), int(given == "luma"), device=gray.device)
    output = model(padded, flag, hints)
    if mirror:
        hints = None if hints is None else hints.flip(-1)
        output = (output + model(padded.flip(-1), flag, hints).flip(-1)) / 2
    return output


def colorize(
    model: ColorNet, gray: Tensor, given: str = "value", vividness: float = 0.0, batch: int = 500
) -> Tensor:
    """Colour gray (N, 1, H, W) in [0, 1], H and W from 32, as RGB (N, 3, H, W) in [0, 1].

    given: "value" keeps max(R, G, B) equal to gray, "luma" keeps the luma equal to gray. vividness:
    0 is the most faithful decoding, close to the expected colour, 1 the most colourful plausible
    one. Raises ValueError for another shape, dtype or range.
    """
    check_given(given)
    if not isinstance(model, ColorNet):
        raise ValueError(f"model: got {type(model).__name__}, expected a ColorNet (load_model)")
    gray = check_images(gray, 1, "gray").float()
    if gray.ndim != 4 or min(gray.shape[-2:]) < 32:
        found = f"got shape {tuple(gray.shape)}"
        raise ValueError(f"gray: {found}, expected (N, 1, H, W) with H and W from 32")
    if not len(gray):
        return gray.expand(-1, 3, -1, -1)
    parts, setting = [], setting_at(model, vividness, given)
    with evaluation_mode(model) as device:
        for part in gray.split(batch):
            part = part.to(device)
            chroma = decode(model, predict(model, part, given), setting, part, given)
            parts.append(add_chroma(chroma, part, given))
    return torch.cat(parts).to(gray.device)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[torch.device]:
    """The model's device, the model in evaluation mode and no gradients; as it was afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield next(model.parameters()).device
    finally:
        model.train(was_training)


def save_model(model: ColorNet, path: str | Path, half: bool = False) -> None:
    """Write weights and architecture to one .safetensors file; `half` stores 16-bit floats."""
    about = model.config | {"schedules": model.schedules, "trained_input": model.trained_input}
    paths.write_weights(model.state_dict(), path, {"colornet": json.dumps(about)}, half)


def load_model(name_or_path: str | Path, device: str | torch.device = "cpu") -> ColorNet:
    """A shipped network by name ("cifar"), or any file that `save_model` wrote, ready to colour.

    Raises ValueError that names the file, or lists the names there are.
    """
    from safetensors import SafetensorError

    path = Path(str(name_or_path))
    if path.suffix != ".safetensors":
        path = paths.SHIPPED / f"{name_or_path}.safetensors"
    if not path.is_file():
        names = sorted(p.stem for p in paths.SHIPPED.glob("*.safetensors"))
        wish = f"a .safetensors file or a shipped name: {', '.join(names)}"
        raise ValueError(f"model: got {str(name_or_path)!r}, expected {wish}")
    try:
        state, metadata = paths.read_weights(path)
        config = json.loads(metadata["colornet"])
        schedules = {
            given: [DecodeSetting(*setting) for setting in settings]
            for given, settings in config.pop("schedules").items()
        }
        trained_input = config.pop("trained_input", None)
        points = torch.tensor([setting for path in schedules.values() for setting in path])
        if not all(schedules.values()) or (points.view(-1, 2)[:, 1] <= 0).any():
            raise ValueError("schedules: expected settings of a temperature above 0")
        if not all(torch.isfinite(numbers).all() for numbers in (points, *state.values())):
            raise ValueError("it holds numbers that are not finite")
        model = ColorNet(**config)
        model.load_state_dict(state)
    except (SafetensorError, KeyError, TypeError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path}: not a ColorNet that save_model wrote ({error})") from error
    model.schedules, model.trained_input = schedules, trained_input
    return model.eval().to(device).to(memory_format=torch.channels_last)
