"""Every number that the report prints, pinned: small choices here move results more than models do.

All functions take predicted and true RGB (N, 3, H, W) in [0, 1] and give one number an image (N,);
`evaluate` means them over a set; report/bootstrap.py says how sure a difference is.
"""

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from colorlib import paths
from colorlib.color import check_images, rgb_to_lab
from colorlib.fast.ssim import ssim

AB_CELLS, AB_WIDTH, AB_LOW = 22, 10.0, -110.0
PRIOR_FLOOR = 1e-4  # keeps one percent of the images from deciding the rebalanced result
MAX_PSNR, MAX_AB = 40.0, 150.0
NAMES = {
    "psnr": "PSNR, dB",
    "raw_auc": "raw AuC",
    "rebalanced_auc": "rebalanced AuC",
    "ciede2000": "CIEDE2000",
    "ssim": "SSIM",
    "mae": "mean abs. error",
    "colourfulness": "colourfulness",
    "colourfulness_ratio": "colourfulness, of the truth's",
}


def evaluate(predicted: Tensor, truth: Tensor, prior: Tensor | None = None) -> dict[str, float]:
    """All metrics of predicted against true RGB, both (N, 3, H, W) in [0, 1].

    prior: shares (22, 22) of the ab cells in natural images, `ab_prior()` (CIFAR-100's) by default.
    Raises ValueError for other shapes or ranges, or where the two sets differ in shape.
    """
    return summary(per_image(predicted, truth, prior))


def per_image(
    predicted: Tensor, truth: Tensor, prior: Tensor | None = None, batch: int = 500,
    quick: bool = False,
) -> dict[str, Tensor]:  # fmt: skip
    """What `summary` needs, one number an image each (N,): see `evaluate`.

    quick: without CIEDE2000 and SSIM, which take most of the time.
    """
    from tqdm import tqdm

    check_pair(predicted, truth)
    prior = ab_prior() if prior is None else torch.as_tensor(prior, dtype=torch.float64)
    if prior.shape != (AB_CELLS, AB_CELLS) or not 0 <= prior.min() <= prior.max() < torch.inf:
        found = f"shape {tuple(prior.shape)}, sum {prior.sum():.3g}"
        raise ValueError(f"prior: got {found}, expected shares (22, 22), finite and none below 0")
    parts = []
    pairs = list(zip(predicted.split(batch), truth.split(batch), strict=True))
    for p, t in tqdm(pairs, "measuring", delay=3, leave=False):
        lab_p, lab_t = rgb_to_lab(p.float()), rgb_to_lab(t.float())
        distance = ab_distance(lab_p, lab_t)
        weight = 1 / prior.clamp(min=PRIOR_FLOOR).to(distance)[ab_cell(lab_t)]
        slow = {} if quick else {"ciede2000": ciede2000(lab_p, lab_t), "ssim": ssim(p, t)}
        fast = {
            "psnr": psnr(p, t),
            "ab_error": distance.flatten(1).mean(1),
            "rebalanced_error": (weight * distance).flatten(1).sum(1),
            "rebalanced_weight": weight.flatten(1).sum(1),
            "mae": (p - t).abs().flatten(1).mean(1),
            "colourfulness": colourfulness(p),
            "true_colourfulness": colourfulness(t),
        }
        parts.append(slow | fast)
    return {name: torch.cat([part[name] for part in parts]).double().cpu() for name in parts[0]}


def summary(rows: dict[str, Tensor]) -> dict[str, float]:
    """The means of `per_image`'s numbers, as the tables print them."""
    return {name: float(value) for name, value in averages(rows).items()}


def averages(rows: Mapping[str, Any]) -> dict[str, Any]:
    """`summary` of tensors or arrays (..., N), the last axis being the images: the same (...)."""
    mean = {name: values.mean(-1) for name, values in rows.items()}
    rebalanced = rows["rebalanced_error"].sum(-1) / rows["rebalanced_weight"].sum(-1)
    made = mean | {
        "raw_auc": 1 - mean["ab_error"] / MAX_AB,
        "rebalanced_auc": 1 - rebalanced / MAX_AB,
        "colourfulness_ratio": mean["colourfulness"] / mean["true_colourfulness"].clip(min=1e-9),
    }
    return {name: made[name] for name in NAMES if name in made}


def check_pair(predicted: Tensor, truth: Tensor) -> None:
    check_images(predicted, 3, "predicted")
    check_images(truth, 3, "truth")
    if predicted.shape != truth.shape or truth.ndim != 4 or len(truth) == 0:
        found = f"got predicted {tuple(predicted.shape)} and truth {tuple(truth.shape)}"
        raise ValueError(f"{found}, expected the same (N, 3, H, W) with N > 0")


def psnr(predicted: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB over RGB, capped at 40 so that no image is infinite."""
    error = (predicted - truth).square().flatten(1).mean(1)
    return -10 * error.clamp(min=10 ** (-MAX_PSNR / 10)).log10()


def ab_distance(lab_p: Tensor, lab_t: Tensor) -> Tensor:
    """Distance (N, H, W) in the ab plane, capped at 150.

    1 - mean / 150 is the closed form of ECCV16's area under the cumulative error curve (Zhang,
    Isola, Efros 2016, section 3.1).
    """
    return (lab_p - lab_t)[:, 1:].square().sum(1).sqrt().clamp(max=MAX_AB)


def ab_cell(lab: Tensor) -> tuple[Tensor, Tensor]:
    """The ab cell, of 22 x 22 of width 10 from -110, that each pixel's colour lies in."""
    cell = ((lab[:, 1:] - AB_LOW) / AB_WIDTH).floor().long().clamp(0, AB_CELLS - 1)
    return cell[:, 0], cell[:, 1]


def ab_prior() -> Tensor:
    """Share (22, 22) of each ab cell among all pixels of CIFAR-100's training images, shipped."""
    counts = json.loads((paths.SHIPPED / "ab_prior.json").read_text(encoding="utf-8"))["counts"]
    counts = torch.tensor(counts, dtype=torch.float64)
    return counts / counts.sum()


def ciede2000(lab_p: Tensor, lab_t: Tensor) -> Tensor:
    """Mean CIEDE2000 difference of an image, by scikit-image."""
    from skimage.color import deltaE_ciede2000

    p, t = (lab.movedim(1, -1).cpu().double().numpy() for lab in (lab_p, lab_t))
    return torch.from_numpy(deltaE_ciede2000(p, t)).flatten(1).mean(1)


def colourfulness(rgb: Tensor) -> Tensor:
    """Colourfulness M3 of Hasler and Süsstrunk 2003, 0 to 255 scale, deviations over n - 1."""
    red, green, blue = (255 * rgb.double()).flatten(2).unbind(1)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = (rg.var(1) + yb.var(1)).sqrt()
    return spread + 0.3 * (rg.mean(1).square() + yb.mean(1).square()).sqrt()


def ab_distances(predicted: Tensor, truth: Tensor, batch: int = 500) -> Tensor:
    """`ab_distance` (N, H, W) of predicted and true RGB (N, 3, H, W), a batch at a time."""
    check_pair(predicted, truth)
    pairs = zip(predicted.split(batch), truth.split(batch), strict=True)
    return torch.cat([ab_distance(rgb_to_lab(p), rgb_to_lab(t)) for p, t in pairs])


def mean_ab_error(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean ab distance (N,) of each image, the part of `per_image` that needs no CIEDE2000."""
    return ab_distances(predicted, truth).flatten(1).mean(1)
