"""The decoding setting at each vividness, chosen on validation images."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib.color import join, to_gray
from colorlib.data import to_tensor
from colorlib.decoding import DecodeSetting, decode
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, evaluating, predict

ALPHAS = tuple(i / 16 for i in range(17))
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.55, 0.4)
SHOWN = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")


def measure_settings(
    model: ColorNet, truth: Tensor, settings: Iterable[DecodeSetting], given: str
) -> list[dict[str, Tensor]]:
    """`metrics.per_image`, quick, of each setting on RGB images (N, 3, H, W) in [0, 1].

    The network predicts once for all settings.
    """
    measured: list[list[dict[str, Tensor]]] = [[] for _ in settings]
    with evaluating(model) as device:
        for part in tqdm(truth.split(250), "decoding", delay=3, leave=False):
            part = part.to(device)
            gray = to_gray(part, given)
            logits = predict(model, gray, given)
            for setting, rows in zip(settings, measured, strict=True):
                rgb = join(decode(model, logits, setting, gray, given), gray, given)
                rows.append(per_image(rgb, part, quick=True))
    return [{name: torch.cat([r[name] for r in rows]) for name in rows[0]} for rows in measured]


def tune_path(
    model: ColorNet,
    images: np.ndarray,
    points: int = 9,
    given: str = "luma",
    alphas: Sequence[float] = ALPHAS,
    temperatures: Sequence[float] = TEMPERATURES,
    below_grey: bool = False,
) -> list[dict[str, float]]:
    """Choose the setting at evenly spaced vividness on validation `images` (uint8, N H W 3).

    On a grid of alpha and temperature, the first setting is the one that gains most over grey in
    PSNR and raw AuC together; the last has the highest rebalanced AuC of those whose raw AuC is not
    below grey's (a bolder picture is further from the truth than no colour at all). Between them,
    each evenly spaced level of rebalanced AuC gets the setting of highest raw AuC that reaches it.
    below_grey: the last setting may lie below grey. The result becomes `model.schedules[given]`.
    """
    truth = to_tensor(images)
    gray = to_gray(truth, given).expand_as(truth)
    settings = [DecodeSetting(a, t) for a in alphas for t in temperatures]
    grid = [
        setting._asdict() | {name: found[name] for name in SHOWN}
        for setting, found in zip(
            settings, map(summary, measure_settings(model, truth, settings, given)), strict=True
        )
    ]
    grey = summary(per_image(gray, truth, quick=True))
    gains = {n: max(max(g[n] for g in grid) - grey[n], 1e-9) for n in ("psnr", "raw_auc")}
    first = max(grid, key=lambda g: sum((g[n] - grey[n]) / gain for n, gain in gains.items()))
    useful = [g for g in grid if below_grey or g["raw_auc"] >= grey["raw_auc"]]
    last = max(useful or [first], key=lambda g: g["rebalanced_auc"])
    chosen = [first]
    for level in np.linspace(first["rebalanced_auc"], last["rebalanced_auc"], points)[1:-1]:
        reach = [g for g in grid if g["rebalanced_auc"] >= level]
        chosen.append(max(reach, key=lambda g: g["raw_auc"]))
    chosen.append(last)
    model.schedules[given] = [DecodeSetting(g["alpha"], g["temperature"]) for g in chosen]
    return chosen
