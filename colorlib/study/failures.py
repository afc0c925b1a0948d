"""Why an image is coloured wrongly, and how colours fade on unfamiliar images.

A rule finds the cause from the predicted distribution; some images have more than one.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import add_chroma, hsv_to_chroma, luma, rgb_to_hsv
from colorlib.data import to_tensor
from colorlib.datasets.arrays import Labels
from colorlib.metrics import colourfulness, mean_ab_error
from colorlib.model import ColorNet, colorize
from colorlib.report import store
from colorlib.report.evaluation_report import colored
from colorlib.report.tables import caption, markdown_table
from colorlib.study.calibration import distance, distribution, save_study, soft_target

CAUSES = {  # key -> title, meaning
    "sharp_edge": ("sharp colour edge", "the true colours change within a few pixels"),
    "ambiguous_object": ("ambiguous object", "the error is what the network expected"),
    "unusual_color": ("unusual colour", "the network was overconfident"),
}
BLUR = 0.5  # share of an image's colour error that 4 x 4 blocks of true colour would leave


def causes(model: ColorNet, images: np.ndarray) -> dict[str, Tensor]:
    """The "error" (mean ab error) and the "cause", both (N,), of uint8 images (N, H, W, 3).

    Luma is the input. The cause is the index of one of `CAUSES`: a sharp colour edge if the true
    colours, averaged over 4 x 4 blocks, have at least `BLUR` times the prediction's error; else an
    ambiguous object if the mean of the distribution is no further off than twice what the
    distribution itself expects; else an unusual colour.
    """
    errors, found = [], []
    for truth in to_tensor(images).split(250):
        gray = luma(truth)
        error = mean_ab_error(colorize(model, gray, "luma"), truth)
        blocks = F.avg_pool2d(hsv_to_chroma(rgb_to_hsv(truth)), 4)
        blocks = F.interpolate(blocks, truth.shape[-2:], mode="bilinear")
        edge = mean_ab_error(add_chroma(blocks, gray, "luma"), truth) > BLUR * error
        probabilities, (true, weight) = distribution(model, gray), soft_target(model, truth)
        actual, expected = (
            (weight[:, 0] * distance(probabilities, drawn, model.cells.cpu())).sum((1, 2))
            for drawn in (true, probabilities)
        )
        found.append(torch.where(edge, 0, torch.where(actual <= 2 * expected, 1, 2)))
        errors.append(error)
    return {"error": torch.cat(errors), "cause": torch.cat(found)}


def failures_result(
    model: ColorNet, name: str, source: str, images: np.ndarray, labels: Labels | None, found: dict
) -> dict:
    """The causes (see `causes`) of the worst twentieth of the images, saved as `failures`."""
    order = found["error"].argsort(descending=True)
    worst = order[: max(10, len(order) // 20)]
    classes, names = labels or (np.zeros(0, int), [])
    rows = []
    for number, cause in enumerate(CAUSES):
        chosen = worst[found["cause"][worst] == number].numpy()
        counts = np.bincount(classes[chosen] if names else [], minlength=len(names))
        often = [names[i].replace("_", " ") for i in counts.argsort()[::-1][:5]]
        rows.append({"cause": cause, "images": len(chosen), "of": len(worst), "classes": often})
    return save_study("failures", model, name, source, images, {"rows": rows}, blur=BLUR)


def failures_table(result: dict) -> str:
    """The causes as a Markdown table."""
    rows = []
    for row in result["rows"]:
        share, classes = f"{row['images'] / row['of']:.0%}", ", ".join(row["classes"])
        rows.append([": ".join(CAUSES[row["cause"]]), share, classes])
    header = ["cause", "share of the worst twentieth", "classes most often behind it"]
    return f"{markdown_table(header, rows, 'lrl')}\n\n*{caption(result)}*"


def fading(
    model: ColorNet, images: np.ndarray, similarity: Tensor, parts: int = 10
) -> list[dict[str, float]]:
    """How colours fade: rows of equally many uint8 images, the least familiar first.

    similarity: (N,), here the cosine to the nearest training image. Each row: its mean, the images'
    mean colourfulness as a share of the truth's, and the mean ab error, ours and grey's.
    """
    truth, gray, ours = colored(model, images)
    measured = {"similarity": similarity, "colourfulness": colourfulness(ours)}
    measured |= {"error": mean_ab_error(ours, truth), "grey_error": mean_ab_error(gray, truth)}
    true = colourfulness(truth)
    rows = []
    for part in similarity.argsort().tensor_split(parts):
        row = {name: values[part].double().mean().item() for name, values in measured.items()}
        rows.append(row | {"share": row["colourfulness"] / true[part].mean().item()})
    return rows


def fading_result(model: ColorNet, name: str, source: str, images: np.ndarray) -> dict:
    """`fading` of shipped weights, saved; the result on file where no similarities are known."""
    if source != "cifar100":
        return store.load_result("fading", committed=True)
    similarity = store.load_result("duplicates", committed=True)["similarity"][: len(images)]
    rows = fading(model, images, torch.tensor(similarity))
    return save_study("fading", model, name, source, images, {"rows": rows}, parts=len(rows))


def fading_summary(result: dict) -> str:
    """Sentences on the least and the most familiar tenth of the test images."""
    least, most = result["rows"][0], result["rows"][-1]
    return (
        f"The least familiar tenth gets {least['share']:.0%} of its true colourfulness, the most "
        f"familiar tenth {most['share']:.0%}. Our ab error is "
        f"{least['error'] / least['grey_error']:.0%} of grey's on the least familiar tenth and "
        f"{most['error'] / most['grey_error']:.0%} on the most familiar one."
    )
