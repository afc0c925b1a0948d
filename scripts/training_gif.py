"""figures/training.gif: predictions on validation images during the training of `cifar`."""

import io

import numpy as np
from PIL import Image
from publish_readme import write

from colorlib.paths import REPOSITORY, SHIPPED
from colorlib.report import pictures

COUNT, SCALE, GAP = 6, 4, 4  # images, magnification, pixels between
EPOCHS = (1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 33, 40)


def frames(strip: np.ndarray) -> list[Image.Image]:
    """Top: the input; middle: the prediction after one epoch; bottom: the original."""
    truth, gray, *epochs = strip[:, :COUNT]
    chosen = sorted({min(epoch, len(epochs)) for epoch in (*EPOCHS, len(epochs))})
    made = []
    for epoch in chosen:
        rows = np.stack((gray, epochs[epoch - 1], truth)).repeat(SCALE, 2).repeat(SCALE, 3)
        rows = np.pad(rows, ((0, 0), (0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
        sheet = np.concatenate([np.concatenate(row, 1) for row in rows])
        made.append(Image.fromarray(sheet[:-GAP, :-GAP]))
    return made


def main() -> None:
    made = frames(pictures.read_strip(SHIPPED / "cifar-strip.png"))
    body = io.BytesIO()
    times = [350] * (len(made) - 1) + [2500]
    made[0].save(body, "GIF", save_all=True, append_images=made[1:], duration=times, loop=0)
    write(REPOSITORY / "figures" / "training.gif", body.getvalue())


if __name__ == "__main__":
    main()
