"""The setting of decoding at each vividness, chosen on validation images."""

import numpy as np
import torch

from colorlib.color import join, rgb_to_lab, to_gray
from colorlib.data import to_tensor
from colorlib.decoding import decode
from colorlib.metrics import MAX_AB, PRIOR_FLOOR, ab_cell, ab_distance, ab_prior, psnr
from colorlib.model import ColorNet, evaluating, predict

ALPHAS = tuple(i / 16 for i in range(17))
BELOW = (-1 / 8, -1 / 16)  # more common colours still: value given, both measures gain
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.55, 0.4)
# alpha, T and contrast in the middle of the way: of some fifty settings tried, where the judge of
# classifier.py recognises coloured images best: CIFAR-100's last 1,000 training ones, new to it too
CLEAREST = 0.05, 0.4, 0.45
FINER = (*TEMPERATURES, 0.75)  # of what is shipped; what is compared and studied keeps to its grid


def measured(model: ColorNet, images, settings, given: str) -> tuple[list[dict], dict]:
    """PSNR, raw and rebalanced AuC of images (uint8, N H W 3) at each setting; and of grey ones."""
    sums = {setting: np.zeros(3) for setting in settings}
    pixels = weights = grey = plain = 0.0
    shares = ab_prior().clamp(min=PRIOR_FLOOR).float()
    for truth in to_tensor(images).split(250):
        with evaluating(model) as device:
            truth = truth.to(device)
            gray, lab = to_gray(truth, given), rgb_to_lab(truth)
            weight = 1 / shares.to(device)[ab_cell(lab)]
            pixels, weights = pixels + weight.numel(), weights + weight.sum().item()
            grey += ab_distance(torch.zeros_like(lab), lab).sum().item()
            plain += psnr(gray.expand_as(truth), truth).sum().item()
            output = predict(model, gray, given)
            for setting in settings:
                rgb = join(decode(model, output, setting, gray, given), gray, given)
                distance = ab_distance(rgb_to_lab(rgb), lab)
                sums[setting] += (
                    distance.sum().item(),
                    (weight * distance).sum().item(),
                    psnr(rgb, truth).sum().item(),
                )
    rows = [
        dict(zip(("alpha", "T", "contrast"), setting, strict=False))
        | {
            "raw_auc": 1 - sums[setting][0] / pixels / MAX_AB,
            "rebalanced_auc": 1 - sums[setting][1] / weights / MAX_AB,
            "psnr": sums[setting][2] / len(images),
        }
        for setting in settings
    ]
    return rows, {"psnr": plain / len(images), "raw_auc": 1 - grey / pixels / MAX_AB}


def tune_path(
    model: ColorNet,
    images,
    points: int = 9,
    given: str = "luma",
    alphas=ALPHAS,
    below_grey=False,
    temperatures=TEMPERATURES,
    alike=False,
) -> list[dict]:
    """Choose (alpha, T) for evenly spaced vividness on validation `images` (uint8, N H W 3).

    Measures PSNR, raw and rebalanced AuC on a grid of alpha and T; then walks from the setting of
    highest PSNR, the most faithful, to that of highest rebalanced AuC whose raw AuC is not below
    grey's (a bolder picture is further from the truth than no colour at all), taking at each of
    evenly spaced levels of rebalanced AuC the setting that reaches it with the highest raw AuC.
    below_grey: walk on to the highest rebalanced AuC of all. alike: the most faithful setting is
    the one that gains most over grey in PSNR and raw AuC alike.
    """
    grid, without = measured(model, images, [(a, t) for a in alphas for t in temperatures], given)
    most = {n: max(max(g[n] for g in grid) - base, 1e-9) for n, base in without.items()}
    counted = without if alike else ["psnr"]
    first = max(grid, key=lambda g: sum((g[n] - without[n]) / most[n] for n in counted))
    floor = -1 if below_grey else without["raw_auc"]
    useful = [g for g in grid if g["raw_auc"] >= floor]
    last = max(useful or [first], key=lambda g: g["rebalanced_auc"])
    chosen = [first]
    for level in np.linspace(first["rebalanced_auc"], last["rebalanced_auc"], points)[1:-1]:
        reach = [g for g in grid if g["rebalanced_auc"] >= level]
        chosen.append(max(reach, key=lambda g: g["raw_auc"]))
    chosen.append(last)
    model.path = [(g["alpha"], g["T"]) for g in chosen]
    return chosen


def with_contrast(path: list) -> list[tuple]:
    """A path of (alpha, T) bent to pass through `CLEAREST`, as (alpha, T, contrast).

    Up to the middle all three go evenly from the faithful end to `CLEAREST`. Beyond, alpha and T
    are the path's own again, and contrast falls to 0 at the bold end.
    """
    end = len(path) - 1
    bend = end / 2
    points = []
    for i, (alpha, t) in enumerate(path):
        if i <= bend:
            ends = zip((*path[0], 0.0), CLEAREST, strict=True)
            points.append(tuple(a + i / bend * (b - a) for a, b in ends))
        else:
            points.append((alpha, t, CLEAREST[2] * (end - i) / (end - bend)))
    return points
