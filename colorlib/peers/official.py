"""The published networks with their official weights: `load(name).colorize(gray)`.

Weights are downloaded when first asked for, checked, read without running any code in them, and
kept as safetensors in the data root.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib import paths
from colorlib.color import check_images, lab_to_rgb, lightness, luma
from colorlib.datasets.download import fetch
from colorlib.model import evaluation_mode
from colorlib.peers.deoldify import DeOldifyArtistic, DeOldifyStable
from colorlib.peers.eccv16 import ECCV16
from colorlib.peers.siggraph17 import SIGGRAPH17
from colorlib.report.tables import TITLES

ZHANG = "https://colorizers.s3.us-east-2.amazonaws.com/"
SIDE = 256  # ECCV16 and SIGGRAPH17 see every image at this size, as released
RENDER_FACTOR = 35  # DeOldify's default: it sees a square of 16 times that
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of DeOldify's input
STRIP = 2**22  # pixels joined at a time: bounds the memory that a large photograph takes


def zhang(network: nn.Module, gray: Tensor, hints=()) -> Tensor:
    """ECCV16 and SIGGRAPH17 as released: ab predicted at 256 x 256, joined with the full-size L."""
    small = F.interpolate(gray, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 1)
    level = lightness(small)
    given = place_hints(hints, gray.shape[-2:], level) if len(hints) else ()
    ab = F.interpolate(network(level, *given), gray.shape[-2:], mode="bilinear")
    return in_strips(lambda g, c: lab_to_rgb(torch.cat((lightness(g), c), 1)), gray, ab)


def place_hints(hints, size, level: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (y, x, a, b), in pixels of an image of `size`, as ab and mask on the network's grid.

    A hint covers 7 x 7 of its pixels, in the range of sizes that it was trained on (section 3.2).
    """
    ab, mask = level.new_zeros(1, 2, SIDE, SIDE), level.new_zeros(1, 1, SIDE, SIDE)
    for y, x, a, b in hints:
        if not (0 <= y < size[0] and 0 <= x < size[1]):
            raise ValueError(f"hints: got ({y}, {x}), expected a pixel of {size[0]} x {size[1]}")
        row, column = (int(p * SIDE / full) for p, full in zip((y, x), size, strict=True))
        rows, columns = (slice(max(0, p - 3), p + 4) for p in (row, column))
        ab[0, 0, rows, columns], ab[0, 1, rows, columns] = float(a), float(b)
        mask[..., rows, columns] = 1
    count = len(level)
    return ab.expand(count, -1, -1, -1), mask.expand(count, -1, -1, -1)


def deoldify(network: nn.Module, gray: Tensor, render_factor: int = RENDER_FACTOR) -> Tensor:
    """DeOldify as released: a square picture, stretched back, its luma replaced by the input's."""
    if not 2 <= render_factor <= 64:
        raise ValueError(f"render_factor: got {render_factor}, expected a number from 2 to 64")
    side = 16 * render_factor
    square = F.interpolate(gray, (side, side), mode="bilinear", antialias=True).clamp(0, 1)
    mean, spread = (gray.new_tensor(x).view(3, 1, 1) for x in (MEAN, SPREAD))
    rgb = network((square - mean) / spread) * spread + mean
    rgb = F.interpolate(rgb.clamp(0, 1), gray.shape[-2:], mode="bilinear", antialias=True)
    # replacing Y of YUV, as it does, adds the same to all three channels
    return in_strips(lambda g, c: (c + g - luma(c.clamp(0, 1))).clamp(0, 1), gray, rgb)


def in_strips(combine, gray: Tensor, colour: Tensor) -> Tensor:
    """combine(gray, colour) a strip of rows at a time."""
    rows = max(1, STRIP // (len(gray) * gray.shape[-1]))
    pairs = zip(gray.split(rows, -2), colour.split(rows, -2), strict=True)
    return torch.cat([combine(*pair) for pair in pairs], -2)


@dataclass(frozen=True)
class Official:
    """A published network: how it is built, how it colours luma, where its weights are."""

    network: Callable[[], nn.Module]
    colorize: Callable[..., Tensor]  # (network, gray (N, 1, H, W), **options) -> RGB (N, 3, H, W)
    url: str
    megabytes: int
    sha256: str | None = None  # None: nobody published one, so the first download is pinned
    option: str | None = None  # that `colorize` takes
    batch: int = 8


_ECCV16 = "9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9"
_SIGGRAPH17 = "df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66"
_ARTISTIC = "https://data.deepai.org/deoldify/ColorizeArtistic_gen.pth"
_STABLE = "https://www.dropbox.com/s/usf7uifrctqw9rl/ColorizeStable_gen.pth?dl=1"
OFFICIAL = {  # DeOldify takes gigabytes an image
    "eccv16": Official(ECCV16, zhang, f"{ZHANG}colorization_release_v2-9b330a0b.pth", 129, _ECCV16),
    "siggraph17": Official(
        SIGGRAPH17, zhang, f"{ZHANG}siggraph17-df00044c.pth", 137, _SIGGRAPH17, "hints"
    ),
    "deoldify-artistic": Official(
        DeOldifyArtistic, deoldify, _ARTISTIC, 255, option="render_factor", batch=1
    ),
    "deoldify-stable": Official(
        DeOldifyStable, deoldify, _STABLE, 874, option="render_factor", batch=1
    ),
}


class Peer:
    """A published network with its official weights."""

    def __init__(self, name: str, network: nn.Module):
        self.name, self.network = name, network

    def colorize(self, gray: Tensor, batch: int | None = None, **options) -> Tensor:
        """Colour luma gray (N, 1, H, W) in [0, 1], any H and W, as RGB (N, 3, H, W) in [0, 1].

        options: for SIGGRAPH17 `hints`, rows (y, x, a, b) in pixels and Lab units, of every image;
        for DeOldify `render_factor`. Raises ValueError for another shape, dtype, range or option.
        """
        official = OFFICIAL[self.name]
        if set(options) - {official.option}:
            raise ValueError(
                f"colorize: {self.name} got {', '.join(options)}, expected "
                f"{official.option or 'no options'}"
            )
        gray = check_images(gray, 1, "colorize").float()
        if gray.ndim != 4:
            raise ValueError(f"colorize: got shape {tuple(gray.shape)}, expected (N, 1, H, W)")
        if not len(gray):
            return gray.expand(-1, 3, -1, -1)
        with evaluation_mode(self.network) as device:
            parts = [
                official.colorize(self.network, part.to(device), **options).cpu()
                for part in gray.split(batch or official.batch)
            ]
        return torch.cat(parts).to(gray.device)


def load(name: str, device="cpu") -> Peer:
    """One of `OFFICIAL`, its weights downloaded (the size is printed) if they are not there yet.

    Raises ValueError for another name and for a file that does not fit, OSError in one sentence
    when the weights cannot be had.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save

    if name not in OFFICIAL:
        raise ValueError(f"peers: got {name!r}, expected {', '.join(OFFICIAL)}")
    network, path = OFFICIAL[name].network(), weights_path(name)
    if path.is_file():
        try:
            network.load_state_dict(load_file(path))
        except (SafetensorError, RuntimeError) as error:
            raise ValueError(
                f"{path} is damaged ({type(error).__name__}): delete it, and ask again"
            ) from None
    else:
        download(name, network)
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        with paths.replacing(path) as part:
            part.write_bytes(save(state))
    return Peer(name, network.eval().to(device))


def weights_path(name: str) -> Path:
    """Where the weights of one of `OFFICIAL` are kept once they are there."""
    return paths.data_root() / "peers" / "weights" / f"{name}.safetensors"


def download(name: str, network: nn.Module) -> None:
    """Read the published file into the network, its SHA-256 checked.

    If nobody published a checksum, that of the first download that fits is kept beside the weights.
    """
    official, pinned = OFFICIAL[name], weights_path(name).with_suffix(".sha256")
    print(f"{TITLES[name]}: fetching its official weights, about {official.megabytes} MB")
    known = official.sha256
    if known is None and pinned.is_file():
        known = pinned.read_text(encoding="utf-8").strip()
    if known is None:
        print(
            "Nobody has published a checksum of this file. The first download is trusted, "
            "and its checksum is kept, so that later downloads must be the same file. It is "
            "read as plain numbers; no code in it is run."
        )
    raw = fetch(official.url, known and f"sha256:{known}", pinned.parent, f"{name}.pth")
    try:
        read_into(network, raw)
        if known is None:
            with paths.replacing(pinned) as part:
                digest = hashlib.sha256(raw.read_bytes()).hexdigest()
                part.write_text(digest + "\n", encoding="utf-8")
    finally:
        raw.unlink(missing_ok=True)


def read_into(network: nn.Module, raw: Path) -> None:
    """Load a published state dict strictly, without running code that the file may hold."""
    try:
        state = torch.load(raw, map_location="cpu", weights_only=True)
    except Exception as error:  # what a broken or hostile pickle raises could be anything
        raise ValueError(
            f"{raw.name} is not a plain file of weights ({type(error).__name__})"
        ) from None
    state = state.get("model", state) if isinstance(state, dict) else state
    expected = network.state_dict()
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"{raw.name}: expected tensors by name, got something else")
    faults = [f"{key} is missing" for key in expected if key not in state]
    faults += [f"{key} is not expected" for key in state if key not in expected]
    faults += [
        f"{key} has shape {tuple(state[key].shape)}, expected {tuple(value.shape)}"
        for key, value in expected.items()
        if key in state and state[key].shape != value.shape
    ]
    if faults:
        raise ValueError(f"{raw.name} does not fit: {'; '.join(faults[:3])}")
    network.load_state_dict(state)
