"""figures/vividness.gif, the picture of the README: six photographs from vividness 0 to 1 and back.

    COLORLIB_DATA=FOLDER python scripts/vividness_gif.py

The photographs are chosen by a rule. Of the first 400 of photos/val96.npy in the data root, those
with colourful true colours are sorted by their error at vividness 0.5. `QUANTILES` of that order
are shown: the first ones succeed, the last one fails.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from publish_readme import write
from torch import Tensor

import colorlib as cl
from colorlib.color import luma
from colorlib.data import to_images, to_tensor
from colorlib.metrics import colourfulness, mean_ab_error
from colorlib.paths import REPOSITORY, data_root

COUNT, COLOURFUL = 400, 35.0  # photographs to choose from; the least colourfulness of the truth
QUANTILES = (0.02, 0.15, 0.3, 0.45, 0.6, 0.97)
SIDE, GAP, LABELS, TOP = 96, 3, 58, 22  # pixels, SIDE that of the photographs
STEPS = 7  # settings of vividness from 0 to 1


def choose(model: cl.ColorNet, truth: Tensor) -> Tensor:
    """The six photographs of truth (N, 3, H, W) that the rule chooses."""
    truth = truth[colourfulness(truth) >= COLOURFUL]
    colored = cl.colorize(model, luma(truth), "luma", 0.5, batch=50)
    order = mean_ab_error(colored, truth).argsort()
    return truth[order[[round(q * (len(order) - 1)) for q in QUANTILES]]]


def frame(rows: list[np.ndarray], vividness: float) -> Image.Image:
    """The three rows (each 6 images) with their labels and a drawn slider."""
    width = LABELS + 6 * (SIDE + GAP)
    picture = Image.new("RGB", (width, TOP + 3 * (SIDE + GAP)), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(12)
    draw.text((LABELS, 3), f"vividness {vividness:.2f}", "black", font)
    left, right = LABELS + 110, width - 12
    draw.line((left, TOP // 2, right, TOP // 2), "#999999", 2)
    at = left + vividness * (right - left)
    draw.ellipse((at - 6, TOP // 2 - 6, at + 6, TOP // 2 + 6), "#1f77b4")
    names = ("grey\ninput", "our\ncolours", "truth")
    for i, (name, row) in enumerate(zip(names, rows, strict=True)):
        y = TOP + i * (SIDE + GAP)
        draw.multiline_text((4, y + SIDE // 2 - 14), name, "black", font)
        for j, image in enumerate(row):
            picture.paste(Image.fromarray(image), (LABELS + j * (SIDE + GAP), y))
    return picture


def animation(model: cl.ColorNet, truth: Tensor) -> bytes:
    """The GIF, in one palette for all frames, so that what stands still is stored once."""
    gray, levels = luma(truth), np.linspace(0, 1, STEPS)
    still = to_images(gray.expand(-1, 3, -1, -1)), to_images(truth)
    frames = []
    for level in levels:
        row = to_images(cl.colorize(model, gray, "luma", float(level)))
        frames.append(frame([still[0], row, still[1]], float(level)))
    ends = Image.fromarray(np.concatenate([np.asarray(frames[i]) for i in (0, STEPS // 2, -1)]))
    palette = ends.quantize(256)
    first, *others = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    others += others[-2::-1]
    times = [1200 if i in (0, STEPS - 1) else 160 for i in range(len(others) + 1)]
    options = {"save_all": True, "append_images": others, "loop": 0, "optimize": False}
    first.save(body := io.BytesIO(), "GIF", duration=times, **options)
    return body.getvalue()


def main() -> None:
    images = np.load(data_root() / "photos" / "val96.npy", mmap_mode="r", allow_pickle=False)
    model = cl.load_model("photo")
    body = animation(model, choose(model, to_tensor(np.array(images[:COUNT]))))
    if len(body) > 1.5e6:
        raise ValueError(f"vividness.gif: got {len(body):,} bytes, expected 1.5 MB: lower STEPS")
    write(REPOSITORY / "figures" / "vividness.gif", body)


if __name__ == "__main__":
    main()
