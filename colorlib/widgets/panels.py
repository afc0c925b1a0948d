"""What the browser shows, drawn with Pillow alone: fast enough to follow a slider."""

import io
import re
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from colorlib import paths
from colorlib.color import add_chroma, rgb_to_lab, to_gray
from colorlib.datasets.arrays import check_uint8, to_images, to_tensor
from colorlib.decoding import CELL_HEADS, cell_probabilities, decode, setting_at
from colorlib.environment import offer
from colorlib.metrics import ab_distance, psnr
from colorlib.model import ColorNet, evaluation_mode, predict
from colorlib.recipes import chroma_target

PANEL, MARGIN, TITLE = 160, 8, 20
LARGEST_ERROR = 60  # of the error map's scale, in units of ab
HEAT = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)])


class Look(NamedTuple):
    """One image through the network."""

    gray: Tensor  # (1, 1, H, W)
    rgb: Tensor  # what it was coloured as (1, 3, H, W)
    truth: Tensor  # (1, 3, H, W)
    likely: Tensor | None  # (K, H/2, W/2): how likely each cell is, as decoded; None without cells


def look(image: np.ndarray, model: ColorNet, given: str, vividness: float) -> Look:
    """Colour one uint8 image (H, W, 3), and keep the distribution that its colours came from."""
    truth = to_tensor(check_uint8(image[None]))
    gray = to_gray(truth, given)
    setting = setting_at(model, vividness, given)
    with evaluation_mode(model) as device:
        shown = gray.to(device)
        output = predict(model, shown, given)
        chroma = decode(model, output, setting, shown, given).cpu()
        likely = None
        if model.config["head"] in CELL_HEADS:
            likely = cell_probabilities(model, output, setting)[0].cpu()
    return Look(gray, add_chroma(chroma, gray, given), truth, likely)


def panels(
    image: np.ndarray, model: ColorNet, given="value", vividness=0.0, name="", pixel=None
) -> Image.Image:
    """Input, prediction, original and error of one uint8 image (H, W, 3), with a caption.

    pixel: (row, column) whose predicted distribution is drawn beside them, where there is one.
    """
    seen = look(image, model, given, vividness)
    error = ab_distance(rgb_to_lab(seen.rgb), rgb_to_lab(seen.truth))[0]
    pictures = [to_images(seen.gray.expand(-1, 3, -1, -1))[0], to_images(seen.rgb)[0], image]
    pictures.append(heat(error / LARGEST_ERROR))
    titles = [f"input: {given}", f"prediction, vividness {vividness:.2f}", "original"]
    titles.append(f"error in ab, 0 to {LARGEST_ERROR}")
    scaled = [Image.fromarray(p).resize((PANEL, PANEL), Image.Resampling.NEAREST) for p in pictures]
    if pixel is not None and seen.likely is not None:
        for picture in scaled:
            mark_pixel(picture, pixel, image.shape)
        scaled.append(disk_of(seen, model, pixel))
        titles.append("this pixel: how likely?")
    text = f"{name}   PSNR {psnr(seen.rgb, seen.truth).item():.1f} dB, mean ab error "
    text += f"{error.mean().item():.1f}"
    below = [text.strip(), "", "", "", "o mean   [] likeliest   x true"]
    return in_a_row(scaled, titles, below[: len(scaled)])


def in_a_row(pictures: list[Image.Image], titles, below=()) -> Image.Image:
    """Pictures side by side, a title above each, and a line below it."""
    high = TITLE + max(p.height for p in pictures)
    wide = MARGIN + sum(p.width + MARGIN for p in pictures)
    sheet = Image.new("RGB", (wide, high + (TITLE if below else 0) + MARGIN), "white")
    draw, font, left = ImageDraw.Draw(sheet), ImageFont.load_default(size=12), MARGIN
    for i, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        sheet.paste(picture, (left, TITLE))
        draw.text((left, 2), title, "black", font)
        draw.text((left, high + 4), below[i] if below else "", "black", font)
        left += picture.width + MARGIN
    return sheet


def pixel_at(x: float, y: float, shape) -> tuple[int, int] | None:
    """The (row, column) of an image of `shape` under a point of the sheet; None beside the images.

    x, y: in the sheet's own pixels.
    """
    column, inside = divmod(x - MARGIN, PANEL + MARGIN)
    if not (0 <= column < 4 and inside < PANEL and 0 <= y - TITLE < PANEL):
        return None
    return int((y - TITLE) / PANEL * shape[0]), int(inside / PANEL * shape[1])


def heat(share: Tensor) -> np.ndarray:
    """(H, W) from 0 to 1 as uint8 (H, W, 3), black to yellow."""
    place = share.clamp(0, 1).numpy() * (len(HEAT) - 1)
    low = place.astype(int).clip(max=len(HEAT) - 2)
    part = (place - low)[..., None]
    return (HEAT[low] * (1 - part) + HEAT[low + 1] * part).round().astype(np.uint8)


def mark_pixel(picture: Image.Image, pixel, shape) -> None:
    """Frame the pixel on a picture of PANEL x PANEL."""
    (row, column), (height, width) = pixel, shape[:2]
    box = [column / width, row / height, (column + 1) / width, (row + 1) / height]
    box = [round(PANEL * share) for share in box]
    draw = ImageDraw.Draw(picture)
    draw.rectangle([box[0] - 2, box[1] - 2, box[2] + 1, box[3] + 1], outline="black")
    draw.rectangle([box[0] - 1, box[1] - 1, box[2], box[3]], outline="white")


def disk_of(seen: Look, model: ColorNet, pixel) -> Image.Image:
    """The distribution of a pixel on the plane of its cells: dots by area, mean, mode and truth."""
    row, column = (place // model.fold for place in pixel)
    likely = seen.likely[:, row, column]
    cells = model.cells.cpu()
    reach = cells.norm(dim=1).max().item() * 1.1
    draw_on = Image.new("RGB", (PANEL, PANEL), "white")
    draw = ImageDraw.Draw(draw_on)

    def at(point) -> tuple[float, float]:  # the plane's second axis points up
        return PANEL / 2 * (1 + point[0] / reach), PANEL / 2 * (1 - point[1] / reach)

    disk = model.config["head"] == "distribution"
    if disk:
        (left, top), (right, bottom) = at((-1, 1)), at((1, -1))
        draw.ellipse([left, top, right, bottom], outline="#bbbbbb")
    colours = cell_colours(cells) if disk else np.full((len(cells), 3), 130)
    for point, share, colour in zip(cells.tolist(), likely.tolist(), colours, strict=True):
        radius = 0.35 * PANEL * share**0.5
        x, y = at(point)
        if radius > 0.5:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], tuple(colour))
    marks = {"mean": likely @ cells, "mode": cells[likely.argmax()]}
    if disk:
        marks["truth"] = chroma_target(seen.truth, model.fold)[0][0, :, row, column]
    for kind, point in marks.items():
        x, y = at(point.tolist())
        box = [x - 4, y - 4, x + 4, y + 4]
        if kind == "mean":
            draw.ellipse(box, outline="black", width=2)
        elif kind == "mode":
            draw.rectangle([x - 6, y - 6, x + 6, y + 6], outline="black")
        else:
            draw.line(box, "black", 2)
            draw.line([box[0], box[3], box[2], box[1]], "black", 2)
    return draw_on


def cell_colours(cells: Tensor) -> np.ndarray:
    """The colours of chroma cells (K, 2), bright, uint8 (K, 3)."""
    rgb = add_chroma(cells.T[None, :, :, None], cells.new_full((1, 1, len(cells), 1), 0.92))
    return to_images(rgb)[0, :, 0]


def png(image: Image.Image) -> bytes:
    """An image as PNG, packed quickly: for what is only shown."""
    body = io.BytesIO()
    image.save(body, "PNG", compress_level=1)
    return body.getvalue()


def safe_name(name: str) -> str:
    """A name from outside as a file name: without folders, and without what means more in HTML."""
    return re.sub(r"[^\w.() -]+", "-", name).lstrip(".")


def keep_figure(image: Image.Image, name: str) -> str:
    """Save what a widget shows as figures/NAME.png; a sentence says how that went."""
    path = paths.figures() / f"{safe_name(name)}.png"
    try:
        with paths.replacing(path) as part:
            image.save(part, "PNG")
    except OSError as error:
        return f"Not saved: {error.strerror}"
    offer(path)
    return f"Saved {path.parent.name}/{path.name}"
