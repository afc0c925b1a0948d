"""The pictures of the browser, drawn with Pillow alone: fast enough to follow a slider."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorlib.color import add_chroma, hsv_to_chroma, rgb_to_hsv, rgb_to_lab, to_gray
from colorlib.datasets.arrays import check_uint8, to_images, to_tensor
from colorlib.decoding import cell_probabilities, decode, setting_at
from colorlib.metrics import ab_distance
from colorlib.model import ColorNet, evaluation_mode, predict

SIDE, MARGIN, TITLE = 192, 12, 26  # pixels of a picture; around it and above it in a sheet
LARGEST_ERROR = 60  # of the error map's scale, in units of ab
HEAT = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)])
DISK, RING, UNIT = 384, 16, 148  # pixels: the drawing of the disk, its hue ring, saturation 1
STEPS = 11  # points on the path of the mean


class Look(NamedTuple):
    """One image and what the network predicts for it."""

    gray: Tensor  # (1, 1, H, W)
    truth: Tensor  # (1, 3, H, W)
    logits: Tensor  # (1, outputs, h, w)


def look(image: np.ndarray, model: ColorNet, given: str) -> Look:
    """What the network predicts for one uint8 image (H, W, 3): the part without vividness."""
    truth = to_tensor(check_uint8(image[None]))
    gray = to_gray(truth, given)
    with evaluation_mode(model) as device:
        return Look(gray, truth, predict(model, gray.to(device), given))


def colored(seen: Look, model: ColorNet, given: str, vividness: float) -> Tensor:
    """The image as RGB (1, 3, H, W) at a vividness."""
    setting = setting_at(model, vividness, given)
    with evaluation_mode(model) as device:
        chroma = decode(model, seen.logits, setting, seen.gray.to(device), given).cpu()
    return add_chroma(chroma, seen.gray, given)


def likely(
    seen: Look, model: ColorNet, given: str, vividness: float, pixel: tuple[int, int]
) -> Tensor:
    """The probability (K,) of each cell at a pixel (row, column), as decoded at a vividness."""
    row, column = (place // model.fold for place in pixel)
    logits = seen.logits[..., row : row + 1, column : column + 1]
    return cell_probabilities(model, logits, setting_at(model, vividness, given)).flatten().cpu()


def error_map(predicted: Tensor, truth: Tensor) -> Tensor:
    """Distance in ab (H, W) of one image (1, 3, H, W) from its truth."""
    return ab_distance(rgb_to_lab(predicted), rgb_to_lab(truth))[0]


def heat(share: Tensor) -> np.ndarray:
    """(H, W) from 0 to 1 as uint8 (H, W, 3), black to yellow."""
    place = share.clamp(0, 1).numpy() * (len(HEAT) - 1)
    ramps = [np.interp(place, range(len(HEAT)), channel) for channel in HEAT.T]
    return np.stack(ramps, -1).round().astype(np.uint8)


def enlarged(image: np.ndarray, pixel: tuple[int, int] | None = None) -> Image.Image:
    """A uint8 image (H, W, 3) at SIDE x SIDE, with a frame around a pixel (row, column)."""
    picture = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    if pixel is not None:
        (row, column), (height, width) = pixel, image.shape[:2]
        box = [column / width, row / height, (column + 1) / width, (row + 1) / height]
        left, top, right, bottom = (round(SIDE * share) for share in box)
        draw = ImageDraw.Draw(picture)
        draw.rectangle([left - 2, top - 2, right + 1, bottom + 1], outline="black")
        draw.rectangle([left - 1, top - 1, right, bottom], outline="white")
    return picture


def disk(
    seen: Look, model: ColorNet, given: str, vividness: float, pixel: tuple[int, int]
) -> Image.Image:
    """A pixel's distribution on the chroma disk, for a network of chroma cells.

    A ring of hues; each cell as a ring and, filled, its probability as an area; the path of the
    mean from vividness 0 (white end) to 1 (black end); a circle at the mean, an x at the truth.
    """
    drawn = empty_disk(tuple(map(tuple, model.cells.tolist()))).copy()
    draw = ImageDraw.Draw(drawn)

    def around(point: Tensor, radius: float) -> list[float]:
        x, y = DISK / 2 + UNIT * point[0].item(), DISK / 2 - UNIT * point[1].item()
        return [x - radius, y - radius, x + radius, y + radius]

    shares = likely(seen, model, given, vividness, pixel)
    for cell, share, color in zip(model.cells.cpu(), shares, cell_colors(model), strict=True):
        if share > 0.002:
            draw.ellipse(around(cell, 52 * share.item() ** 0.5), tuple(color), "#555555")
    path = [
        likely(seen, model, given, at, pixel) @ model.cells.cpu() for at in np.linspace(0, 1, STEPS)
    ]
    centers = [tuple(around(point, 0)[:2]) for point in path]
    draw.line(centers, "white", 6)
    draw.line(centers, "black", 2)
    draw.ellipse(around(path[0], 5), "white", "black")
    draw.ellipse(around(path[-1], 5), "black", "white")
    draw.ellipse(around(shares @ model.cells.cpu(), 9), outline="black", width=3)
    true = hsv_to_chroma(rgb_to_hsv(seen.truth))[0, :, pixel[0], pixel[1]]
    left, top, right, bottom = around(true, 8)
    for line in ([left, top, right, bottom], [left, bottom, right, top]):
        draw.line(line, "white", 7)
        draw.line(line, "black", 3)
    return drawn


@cache
def empty_disk(cells: tuple[tuple[float, float], ...]) -> Image.Image:
    """The ring of hues and the outlines of the cells."""
    reach = DISK / 2
    y, x = np.mgrid[:DISK, :DISK] - (reach - 0.5)
    ring = np.zeros((DISK, DISK, 3), np.uint8)
    ring[..., 0] = np.arctan2(-y, x) / (2 * np.pi) % 1 * 255
    ring[..., 1], ring[..., 2] = 150, 240
    inside = (np.hypot(x, y) > reach - RING) & (np.hypot(x, y) < reach - 2)
    drawn = Image.new("RGB", (DISK, DISK), "white")
    drawn.paste(Image.fromarray(ring, "HSV").convert("RGB"), mask=Image.fromarray(inside))
    draw = ImageDraw.Draw(drawn)
    for first, second in cells:
        at_x, at_y = reach + UNIT * first, reach - UNIT * second
        draw.ellipse([at_x - 3, at_y - 3, at_x + 3, at_y + 3], outline="#cccccc")
    return drawn


def cell_colors(model: ColorNet) -> np.ndarray:
    """The colours of a network's chroma cells, bright, uint8 (K, 3)."""
    cells = model.cells.cpu()
    rgb = add_chroma(cells.T[None, :, :, None], cells.new_full((1, 1, len(cells), 1), 0.92))
    return to_images(rgb)[0, :, 0]


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
