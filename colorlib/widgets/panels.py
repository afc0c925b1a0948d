"""The pictures of the browser, drawn with Pillow alone: fast enough to follow a slider."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorlib.color import add_chroma, hsv_to_chroma, rgb_to_hsv, rgb_to_lab, to_gray
from colorlib.datasets.arrays import to_images, to_tensor
from colorlib.decoding import cell_probabilities, decode, setting_at
from colorlib.metrics import ab_distance
from colorlib.model import ColorNet, evaluation_mode, predict

SIDE, MARGIN, TITLE = 192, 12, 26  # pixels of a picture; around it and above it in a sheet
LARGEST_ERROR = 60  # of the error map's scale, in units of ab
HEAT = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)])
DISK, RING, UNIT = 384, 16, 148  # pixels: the drawing of the disk, its hue ring, saturation 1
STEPS = 11  # points on the path of the mean


class Look:
    """One uint8 image (H, W, 3) and what the network predicts for it: the part without vividness.

    gray (1, 1, H, W), truth (1, 3, H, W), logits (1, outputs, h, w).
    """

    def __init__(self, image: np.ndarray, model: ColorNet, given: str):
        self.model, self.given, self.truth = model, given, to_tensor(image[None])
        self.gray = to_gray(self.truth, given)
        with evaluation_mode(model) as device:
            self.logits = predict(model, self.gray.to(device), given)

    def colored(self, vividness: float) -> Tensor:
        """The image as RGB (1, 3, H, W) at a vividness."""
        setting = setting_at(self.model, vividness, self.given)
        with evaluation_mode(self.model) as device:
            gray = self.gray.to(device)
            chroma = decode(self.model, self.logits, setting, gray, self.given).cpu()
        return add_chroma(chroma, self.gray, self.given)

    def error(self, predicted: Tensor) -> Tensor:
        """Distance in ab (H, W) of RGB (1, 3, H, W) from the truth."""
        return ab_distance(rgb_to_lab(predicted), rgb_to_lab(self.truth))[0]

    def likely(self, vividness: float, pixel: tuple[int, int]) -> Tensor:
        """The probability (K,) of each cell at a pixel (row, column), as decoded at a vividness."""
        row, column = (place // self.model.fold for place in pixel)
        logits = self.logits[..., row : row + 1, column : column + 1]
        setting = setting_at(self.model, vividness, self.given)
        return cell_probabilities(self.model, logits, setting).flatten().cpu()

    def disk(self, vividness: float, pixel: tuple[int, int]) -> Image.Image:
        """A pixel's distribution on the chroma disk, for a network of chroma cells.

        A ring of hues; each cell as a ring and, filled, its probability as an area; the path of the
        mean from vividness 0 (white end) to 1 (black end); a circle at the mean, an x at the truth.
        """
        cells, shares = self.model.cells.cpu(), self.likely(vividness, pixel)
        drawn = empty_disk(tuple(map(tuple, cells.tolist()))).copy()
        draw = ImageDraw.Draw(drawn)
        for cell, share, color in zip(cells, shares, cell_colors(self.model), strict=True):
            if share > 0.002:
                draw.ellipse(_around(cell, 52 * share.item() ** 0.5), tuple(color), "#555555")
        path = [self.likely(at, pixel) @ cells for at in np.linspace(0, 1, STEPS)]
        centers = [tuple(_around(point, 0)[:2]) for point in path]
        draw.line(centers, "white", 6)
        draw.line(centers, "black", 2)
        draw.ellipse(_around(path[0], 5), "white", "black")
        draw.ellipse(_around(path[-1], 5), "black", "white")
        draw.ellipse(_around(shares @ cells, 9), outline="black", width=3)
        left, top, right, bottom = _around(hsv_to_chroma(rgb_to_hsv(self.truth))[0, :, *pixel], 8)
        for line in ([left, top, right, bottom], [left, bottom, right, top]):
            draw.line(line, "white", 7)
            draw.line(line, "black", 3)
        return drawn


def _around(point: Sequence[float] | Tensor, radius: float) -> list[float]:
    """The box around a point of the chroma disk, as Pillow takes it."""
    x, y = DISK / 2 + UNIT * float(point[0]), DISK / 2 - UNIT * float(point[1])
    return [x - radius, y - radius, x + radius, y + radius]


@cache
def empty_disk(cells: tuple[tuple[float, float], ...]) -> Image.Image:
    """The ring of hues and the outlines of the cells."""
    y, x = np.mgrid[:DISK, :DISK] - (DISK - 1) / 2
    hue = np.arctan2(-y, x) / (2 * np.pi) % 1 * 255
    ring = np.stack((hue, np.full_like(hue, 150), np.full_like(hue, 240)), -1).astype(np.uint8)
    away = np.hypot(x, y)
    inside = (away > DISK / 2 - RING) & (away < DISK / 2 - 2)
    drawn = Image.new("RGB", (DISK, DISK), "white")
    drawn.paste(Image.fromarray(ring, "HSV").convert("RGB"), mask=Image.fromarray(inside))
    draw = ImageDraw.Draw(drawn)
    for cell in cells:
        draw.ellipse(_around(cell, 3), outline="#cccccc")
    return drawn


def cell_colors(model: ColorNet) -> np.ndarray:
    """The colours of a network's chroma cells, bright, uint8 (K, 3)."""
    cells = model.cells.cpu()
    rgb = add_chroma(cells.T[None, :, :, None], cells.new_full((1, 1, len(cells), 1), 0.92))
    return to_images(rgb)[0, :, 0]


def heat(share: Tensor) -> np.ndarray:
    """(H, W) from 0 to 1 as uint8 (H, W, 3), black to yellow."""
    place = share.clamp(0, 1).numpy() * (len(HEAT) - 1)
    ramps = [np.interp(place, range(len(HEAT)), channel) for channel in HEAT.T]
    return np.stack(ramps, -1).round().astype(np.uint8)


def enlarged(image: np.ndarray, pixel: tuple[int, int]) -> Image.Image:
    """A uint8 image (H, W, 3) at SIDE x SIDE, with a frame around a pixel (row, column)."""
    picture = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    (row, column), (height, width) = pixel, image.shape[:2]
    box = [column / width, row / height, (column + 1) / width, (row + 1) / height]
    left, top, right, bottom = (round(SIDE * share) for share in box)
    draw = ImageDraw.Draw(picture)
    draw.rectangle([left - 2, top - 2, right + 1, bottom + 1], outline="black")
    draw.rectangle([left - 1, top - 1, right, bottom], outline="white")
    return picture


def sheet(pictures: Sequence[Image.Image], titles: Sequence[str], caption: str) -> Image.Image:
    """Pictures side by side, a title above each, and a caption below: what is saved."""
    side = 2 * SIDE
    wide = MARGIN + len(pictures) * (side + MARGIN)
    drawn = Image.new("RGB", (wide, side + 2 * TITLE + MARGIN), "white")
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(size=18)
    for number, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        left = MARGIN + number * (side + MARGIN)
        drawn.paste(picture.resize((side, side), Image.Resampling.NEAREST), (left, TITLE))
        draw.text((left, 2), title, "black", font)
    draw.text((MARGIN, side + TITLE + 4), caption, "black", font)
    return drawn
