"""The decoding setting at each vividness, chosen on validation images."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib.color import add_chroma, to_gray
from colorlib.data import to_tensor
from colorlib.decoding import DecodeSetting, decode
from colorlib.metrics import colourfulness, per_image, summary
from colorlib.model import ColorNet, evaluation_mode, predict

ALPHAS = tuple(i / 16 for i in range(17))
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.55, 0.4)
SHOWN = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")


def measure_settings(
    model: ColorNet, truth: Tensor, settings: Sequence[DecodeSetting], given: str,
    mirror: bool = False,
) -> list[dict[str, Tensor]]:  # fmt: skip
    """`metrics.per_image`, quick, of each setting on RGB images (N, 3, H, W) in [0, 1].

    The network predicts once for all settings; mirror: see `model.predict`.
    """
    measured: list[list[dict[str, Tensor]]] = [[] for _ in settings]
    with evaluation_mode(model) as device:
        for part in tqdm(truth.split(250), "decoding", delay=3, leave=False):
            part = part.to(device)
            gray = to_gray(part, given)
            logits = predict(model, gray, given, mirror=mirror)
            for setting, rows in zip(settings, measured, strict=True):
                rgb = add_chroma(decode(model, logits, setting, gray, given), gray, given)
                rows.append(per_image(rgb, part, quick=True))
    return [{name: torch.cat([r[name] for r in rows]) for name in rows[0]} for rows in measured]


def tune_path(
    model: ColorNet, images: np.ndarray, points: int = 9, given: str = "luma",
    alphas: Sequence[float] = ALPHAS, by: str = "colourfulness", below_grey: bool = False,
) -> list[dict[str, float]]:  # fmt: skip
    """Choose `model.schedules[given]` on validation `images`, uint8 (N, H, W, 3), and return it.

    On a grid of alpha and temperature, the first setting is the one that gains most over grey in
    PSNR and raw AuC together. by "colourfulness": the last is as colourful as the true images, or
    as its raw AuC allows (below grey's, a picture is further from the truth than no colour at all,
    unless `below_grey`); each evenly spaced level between gets the setting of the highest sum of
    raw and rebalanced AuC that reaches it. by "rebalanced_auc": the last has the highest rebalanced
    AuC, and each level gets the setting of the highest raw AuC.
    """
    truth = to_tensor(images)
    settings = [DecodeSetting(a, t) for a in alphas for t in TEMPERATURES]
    grid = []
    for setting, rows in zip(
        settings, measure_settings(model, truth, settings, given), strict=True
    ):
        found = summary(rows)
        grid.append(setting._asdict() | {name: found[name] for name in SHOWN})
    grey = summary(per_image(to_gray(truth, given).expand_as(truth), truth, quick=True))
    gains = {n: max(max(g[n] for g in grid) - grey[n], 1e-9) for n in ("psnr", "raw_auc")}
    first = max(grid, key=lambda g: sum((g[n] - grey[n]) / gain for n, gain in gains.items()))
    useful = [g for g in grid if below_grey or g["raw_auc"] >= grey["raw_auc"]] or [first]
    end, criteria = max(g[by] for g in useful), ["raw_auc"]
    if by == "colourfulness":
        end, criteria = min(end, colourfulness(truth).mean().item()), ["raw_auc", "rebalanced_auc"]
    chosen = [first]
    levels = np.linspace(first[by], max(end, first[by]), points)
    for level in levels[1:]:
        reach = [g for g in useful if g[by] >= level - 1e-9] or [first]
        if by == "colourfulness":  # without a limit, one good setting would serve several levels
            reach = [g for g in reach if g[by] < level + levels[1] - levels[0]] or reach
        chosen.append(max(reach, key=lambda g: sum(g[name] for name in criteria)))
    model.schedules[given] = [DecodeSetting(g["alpha"], g["temperature"]) for g in chosen]
    return chosen
