"""A photograph at the size of a page: recoloured at once, and a line of code for its full size.

What the network predicts is kept, so that vividness only decodes anew.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from colorlib.color import apply_relative_chroma, relative_chroma
from colorlib.datasets.arrays import to_images
from colorlib.model import ColorNet
from colorlib.photos.colorize_photo import (
    INNER,
    find_logits,
    has_colors,
    logits_chroma,
    network_view,
    photo_luma,
)
from colorlib.photos.hints import Hint, check_hints, hint_maps, palette
from colorlib.photos.upsampling import joint_bilateral, shrink, to_working_size

SIDE = 480  # pixels of the preview's longer side
KEPT = 6  # predictions


class Settings(NamedTuple):
    """What `colorize_photo` takes beside the photograph and the network."""

    vividness: float = 0.5
    size: int = INNER
    hints: tuple[Hint, ...] = ()
    seed: int | None = None


class Preview:
    """A photograph, at most `SIDE` pixels wide and high, with the colours of its full size.

    The network sees the same pixels as in `colorize_photo`; only the upsampling is smaller.
    """

    def __init__(self, image: Image.Image, model: ColorNet):
        pixels = np.asarray(image.convert("RGB"))
        self.model, self.photo = model, pixels.shape[:2]
        self.own_colors = has_colors(pixels)
        self.middle, _ = to_working_size(photo_luma(pixels))
        share = min(1, SIDE / max(self.photo))
        self.gray = shrink(self.middle, tuple(max(1, round(side * share)) for side in self.photo))
        self.gray.clamp_(0, 1)
        self.predicted = lru_cache(KEPT)(self._predict)

    def _predict(
        self, size: int, hints: tuple[Hint, ...], seed: int | None
    ) -> tuple[Tensor, Tensor]:
        """The network's output, and the luma that it saw."""
        small = network_view(self.middle, self.photo, size)
        known = check_hints(hints, self.photo[1], self.photo[0])
        maps = hint_maps(*known, self.photo, small.shape[-2:])
        return find_logits(self.model, small, maps, seed), small

    def colored(self, settings: Settings) -> Image.Image:
        """The photograph in colour, at the preview's size."""
        logits, small = self.predicted(*settings[1:])
        chroma = logits_chroma(self.model, logits, small, settings.vividness)
        tints = relative_chroma(joint_bilateral(chroma, small, self.gray))
        return Image.fromarray(to_images(apply_relative_chroma(tints, self.gray))[0])

    def input(self) -> Image.Image:
        """The photograph in grey, at the preview's size."""
        return Image.fromarray(to_images(self.gray)[0, ..., 0])

    def palette(
        self, x: int, y: int, size: int, hints: tuple[Hint, ...] = ()
    ) -> list[tuple[str, float]]:
        """The likeliest colours at a pixel of the photograph: ("#RRGGBB", probability) each.

        hints: those that are known elsewhere.
        """
        (height, width), (logits, small) = self.photo, self.predicted(size, hints, None)
        return palette(self.model, logits, small, (x + 0.5) / width, (y + 0.5) / height)


def code_line(source: str, settings: Settings, model: str | None = None) -> str:
    """The call that makes the full-size picture, as Python code.

    source, model: Python code for the photograph and the network; no model for the default.
    """
    words = [source] + ([f"model={model}"] if model else [])
    words.append(f"vividness={settings.vividness:g}")
    if settings.size != INNER:
        words.append(f"size={settings.size}")
    if settings.hints:
        hints = ", ".join(f'({x:g}, {y:g}, "{color}")' for x, y, color in settings.hints)
        words.append(f"hints=[{hints}]")
    if settings.seed is not None:
        words.append(f"seed={settings.seed}")
    return f"cl.colorize_photo({', '.join(words)})"
