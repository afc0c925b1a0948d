"""Why an image is coloured wrongly, and how colours fade on what the network does not know.

The cause comes from what the network itself said of the image. It is a rule, not a verdict: some
images have more than one cause.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import hsv_to_chroma, join, luma, rgb_to_hsv
from colorlib.data import to_tensor
from colorlib.metrics import colourfulness, mean_ab_error
from colorlib.model import ColorNet, colorize
from colorlib.study.calibration import distance, distribution, soft_target

CAUSES = {
    "tiny detail": "colours change within a few pixels",
    "ambiguous object": "the network held many colours possible, and said so",
    "unusual colour": "the network was surer than it should have been",
}
DETAIL = 0.5  # share of an image's colour error that 4 x 4 blocks of true colour would leave


def causes(model: ColorNet, images) -> dict[str, Tensor]:
    """Of uint8 images (N, H, W, 3), luma given, numbers (N,): "error", mean ab error; "cause".

    cause, the number of one of `CAUSES`: a tiny detail where the true colours, averaged over 4 x 4
    blocks, would still be `DETAIL` times as wrong as ours are; else ambiguous where the mean of the
    distribution is no further off than twice what the distribution itself expects; else unusual.
    """
    errors, found = [], []
    for truth in to_tensor(images).split(250):
        gray = luma(truth)
        error = mean_ab_error(colorize(model, gray, "luma"), truth)
        blocks = F.avg_pool2d(hsv_to_chroma(rgb_to_hsv(truth)), 4)
        blocks = F.interpolate(blocks, truth.shape[-2:], mode="bilinear")
        detail = mean_ab_error(join(blocks, gray, "luma"), truth) > DETAIL * error
        likely, cells = distribution(model, gray), model.cells.cpu()
        true, weight = soft_target(model, truth)
        actual, expected = (
            (weight[:, 0] * distance(likely, drawn, cells)).sum((1, 2)) for drawn in (true, likely)
        )
        cause = torch.where(detail, 0, torch.where(actual <= 2 * expected, 1, 2))
        errors.append(error)
        found.append(cause)
    return {"error": torch.cat(errors), "cause": torch.cat(found)}


def fading(model: ColorNet, images, familiar: Tensor, parts: int = 10) -> list[dict]:
    """How colours fade: rows of equally many uint8 images, the least familiar first.

    familiar: (N,), here the cosine to the nearest training image. Each row: the mean of it, the
    images' mean colourfulness as a share of the truth's, and the mean ab error, ours and grey's.
    """
    truth = to_tensor(images)
    gray = luma(truth)
    ours = colorize(model, gray, "luma")
    measured = {
        "familiar": familiar,
        "colourful": colourfulness(ours),
        "true_colourful": colourfulness(truth),
        "error": mean_ab_error(ours, truth),
        "grey_error": mean_ab_error(gray.expand(-1, 3, -1, -1), truth),
    }
    rows = []
    for chosen in np.array_split(familiar.argsort().numpy(), parts):
        row = {name: float(x[chosen].double().mean()) for name, x in measured.items()}
        rows.append(row | {"share": row["colourful"] / row.pop("true_colourful")})
    return rows


def people(model: ColorNet, images, labels, names=("baby", "boy", "girl", "man", "woman")) -> dict:
    """True and predicted mean chroma (2,) and colourfulness of the images of people, and of all.

    labels: (numbers, names) of uint8 images. Only the middle half of each side is looked at, where
    faces mostly are; "pale" is the predicted length of the mean chroma as a share of the true one.
    """
    numbers, classes = labels
    chosen = np.isin(numbers, [classes.index(name) for name in names if name in classes])
    rows = {}
    for title, part in (("people", images[chosen]), ("everything else", images[~chosen])):
        if not len(part):
            continue
        truth = to_tensor(part)
        ours = colorize(model, luma(truth), "luma")
        quarter = truth.shape[-1] // 4
        middle = slice(quarter, -quarter)
        mean = [
            hsv_to_chroma(rgb_to_hsv(x[..., middle, middle])).mean((0, 2, 3)) for x in (truth, ours)
        ]
        rows[title] = {
            "images": len(part),
            "true": mean[0].tolist(),
            "ours": mean[1].tolist(),
            "pale": (mean[1].norm() / mean[0].norm()).item(),
            "share": (colourfulness(ours).mean() / colourfulness(truth).mean()).item(),
        }
    return rows
