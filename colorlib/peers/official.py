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

SIDE = 256  # ECCV16 and SIGGRAPH17 see every image at this size, as released
RENDER_FACTOR = 35  # DeOldify's default: it sees a square of 16 times that
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of DeOldify's input
STRIP = 2**22  # pixels joined at a time: bounds the memory that a large photograph takes


def zhang(network: nn.Module, gray: Tensor) -> Tensor:
    """ECCV16 and SIGGRAPH17 as released: ab predicted at 256 x 256, joined with the full-size L."""
    small = F.interpolate(gray, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 1)
    ab = F.interpolate(network(lightness(small)), gray.shape[-2:], mode="bilinear")
    return in_strips(lambda g, c: lab_to_rgb(torch.cat((lightness(g), c), 1)), gray, ab)


def deoldify(network: nn.Module, gray: Tensor) -> Tensor:
    """DeOldify as released: a square picture, stretched back, its luma replaced by the input's."""
    side = 16 * RENDER_FACTOR
    square = F.interpolate(gray, (side, side), mode="bilinear", antialias=True).clamp(0, 1)
    mean, spread = (gray.new_tensor(x).view(3, 1, 1) for x in (MEAN, SPREAD))
    rgb = network((square - mean) / spread) * spread + mean
    rgb = F.interpolate(rgb.clamp(0, 1), gray.shape[-2:], mode="bilinear", antialias=True)
    # replacing Y of YUV, as it does, adds the same to all three channels
    return in_strips(lambda g, c: (c + g - luma(c.clamp(0, 1))).clamp(0, 1), gray, rgb)


def in_strips(combine: Callable[[Tensor, Tensor], Tensor], gray: Tensor, colour: Tensor) -> Tensor:
    """combine(gray, colour) a strip of rows at a time."""
    rows = max(1, STRIP // (len(gray) * gray.shape[-1]))
    pairs = zip(gray.split(rows, -2), colour.split(rows, -2), strict=True)
    return torch.cat([combine(*pair) for pair in pairs], -2)


@dataclass(frozen=True)
class Official:
    """A published network: how it is built, how it colours luma, where its weights are."""

    network: Callable[[], nn.Module]
    colorize: Callable[[nn.Module, Tensor], Tensor]  # gray (N, 1, H, W) -> RGB (N, 3, H, W)
    url: str
    megabytes: int
    sha256: str | None = None  # None: nobody published one, so the first download is pinned
    batch: int = 8


ZHANG = "https://colorizers.s3.us-east-2.amazonaws.com/"
_ECCV16 = "9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9"
_SIGGRAPH17 = "df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66"
_ARTISTIC = "https://data.deepai.org/deoldify/ColorizeArtistic_gen.pth"
_STABLE = "https://www.dropbox.com/s/usf7uifrctqw9rl/ColorizeStable_gen.pth?dl=1"
OFFICIAL = {  # DeOldify takes gigabytes an image
    "eccv16": Official(ECCV16, zhang, f"{ZHANG}colorization_release_v2-9b330a0b.pth", 129, _ECCV16),
    "siggraph17": Official(SIGGRAPH17, zhang, f"{ZHANG}siggraph17-df00044c.pth", 137, _SIGGRAPH17),
    "deoldify-artistic": Official(DeOldifyArtistic, deoldify, _ARTISTIC, 255, batch=1),
    "deoldify-stable": Official(DeOldifyStable, deoldify, _STABLE, 874, batch=1),
}


@dataclass(frozen=True)
class Peer:
    """A published network with its official weights."""

    name: str
    network: nn.Module

    def colorize(self, gray: Tensor) -> Tensor:
        """Colour luma gray (N, 1, H, W) in [0, 1], any H and W, as RGB (N, 3, H, W) in [0, 1].

        Raises ValueError for another shape, dtype or range.
        """
        if gray.ndim != 4:
            raise ValueError(f"colorize: got shape {tuple(gray.shape)}, expected (N, 1, H, W)")
        official, colored = OFFICIAL[self.name], []
        with evaluation_mode(self.network) as device:
            for part in check_images(gray, 1, "colorize").float().split(official.batch):
                colored.append(official.colorize(self.network, part.to(device)).to(gray.device))
        return torch.cat(colored)


def load(name: str, device: str | torch.device = "cpu") -> Peer:
    """One of `OFFICIAL`, its weights downloaded (the size is printed) if they are not there yet.

    Raises ValueError for another name and for a file that does not fit, OSError in one sentence
    when the weights cannot be had.
    """
    from safetensors import SafetensorError

    if name not in OFFICIAL:
        raise ValueError(f"peers: got {name!r}, expected {', '.join(OFFICIAL)}")
    network, path = OFFICIAL[name].network(), weights_path(name)
    if not path.is_file():
        download(name, network)
        paths.write_weights(network.state_dict(), path, {}, half=False)
    try:
        network.load_state_dict(paths.read_weights(path)[0])
    except (SafetensorError, RuntimeError) as error:
        kind = type(error).__name__
        raise ValueError(f"{path} is damaged ({kind}): delete it, and ask again") from None
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
            "Nobody has published a checksum of this file. The first download is trusted, and its "
            "checksum is kept for later ones. No code in the file is run."
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
        kind = type(error).__name__
        raise ValueError(f"{raw.name} is not a plain file of weights ({kind})") from None
    if not isinstance(state, dict):
        raise ValueError(f"{raw.name}: expected tensors by name, got {type(state).__name__}")
    try:
        network.load_state_dict(state.get("model", state))
    except (AttributeError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{raw.name} does not fit: {reason}") from None
