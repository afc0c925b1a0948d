"""Do the colours help a classifier? And metrics that need weights from the network.

Colours that fit make an image easier to recognise: the share of recoloured images that a classifier
gets right is ECCV16's "semantic interpretability" (Zhang et al. 2016, section 3.1). The distance
between the features of recoloured and of true images says whether the set looks natural.
"""

import json
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from colorlib import paths
from colorlib.color import luma
from colorlib.compare.classifier import FOLDER, Classifier, accuracy, load_classifier
from colorlib.data import to_tensor
from colorlib.model import ColorNet, colorize, evaluation_mode
from colorlib.report import store
from colorlib.report.evaluation import VIVIDNESS, System, at_vividness, grey
from colorlib.report.tables import caption, markdown_table, title


def features(model: Classifier, rgb: Tensor) -> Tensor:
    """A classifier's features (N, F) of images rgb (N, 3, H, W) in [0, 1]."""
    from tqdm import tqdm

    with evaluation_mode(model) as device:
        parts = tqdm(rgb.split(500), "features", delay=3, leave=False)
        return torch.cat([model.features(part.to(device)).cpu() for part in parts])


def frechet(model: Classifier, one: Tensor, other: Tensor) -> float:
    """Fréchet distance of the features of two sets of images (N, 3, H, W); 0 for the same set.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) for means m and covariances C (Heusel et al. 2017,
    section 1), in this classifier's features: not comparable with an Inception FID.
    """
    sets = (features(model, rgb).double() for rgb in (one, other))
    (m1, c1), (m2, c2) = ((x.mean(0), torch.cov(x.T)) for x in sets)
    values, vectors = torch.linalg.eigh(c1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    product = torch.linalg.eigvalsh(root @ c2 @ root).clamp(min=0).sqrt().sum()
    distance = (m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * product
    return max(0.0, distance.item())


def classifier_metrics(recolored: Tensor, truth: Tensor, classes: np.ndarray) -> dict[str, float]:
    """The classifier's top-1 on recoloured images, and their Fréchet distance to the truth."""
    model = load_classifier("classifier")
    return {
        "top1": accuracy(model, recolored, classes),
        "frechet": frechet(model, recolored, truth),
    }


def classifier_result(
    model: ColorNet, name: str, source: str, images: np.ndarray, classes: np.ndarray
) -> dict:
    """`classifier_rows` and `perceptual` of shipped weights or a run, saved as a result.

    source: resolved; the result is `classifier-NAME` of all test images, else `classifier-quick`.
    """
    networks = {name: model} | {n: load_classifier(n) for n in ("classifier", "classifier-grey")}
    config = {"model": name, "given": "luma", "vividness": VIVIDNESS}
    data = store.data_record(source, "test", images)
    truth, whole = to_tensor(images), len(images) == 10000
    result = store.provenance(networks, config, data, notebook="03_evaluation")
    result["rows"] = classifier_rows(model, images, classes)
    result["perceptual"] = perceptual(colorize(model, luma(truth), "luma"), truth)
    return store.save_result(f"classifier-{name}" if whole else "classifier-quick", result)


def classifier_rows(
    model: ColorNet,
    images: np.ndarray,
    classes: np.ndarray,
    vividness: Iterable[float] = VIVIDNESS,
) -> list[dict]:
    """Rows for true images, their luma, and that coloured by `model` (uint8 N, H, W, 3; classes N).

    "accuracy_recovered" is the share of the loss of accuracy, from true to grey images, that
    the colours win back. The last row is the control, a classifier trained on grey images, on grey
    images: it says what colour is worth to a classifier at all.
    """
    truth = to_tensor(images)
    gray = luma(truth)
    systems = [System("true_colors", lambda _: truth), System("grey", grey)]
    rows = [
        system.row() | classifier_metrics(system.colorize(gray), truth, classes)
        for system in (*systems, *at_vividness(model, "luma", vividness))
    ]
    best, worst = rows[0]["top1"], rows[1]["top1"]
    for row in rows:
        row["accuracy_recovered"] = (row["top1"] - worst) / (best - worst) if best > worst else 0.0
    control = accuracy(load_classifier("classifier-grey"), grey(gray), classes)
    return [*rows, {"system": "grey_control", "top1": control}]


def classifier_table(result: dict) -> str:
    """`classifier_rows` as a Markdown table, and how the classifiers were made."""
    rows = []
    for row in result["rows"]:
        share = f"{row['accuracy_recovered']:.0%}" if "accuracy_recovered" in row else ""
        distance = f"{row['frechet']:.3f}" if "frechet" in row else ""
        rows.append([title(row), f"{row['top1']:.1%}", share, distance])
    header = ["images", "classifier's top-1", "of the gap closed", "Fréchet distance"]
    parts = [markdown_table(header, rows)]
    for name in ("classifier", "classifier-grey"):
        made = json.loads((paths.SHIPPED / FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        parts.append(
            f"`{made['command']}`: {made['test_accuracy']:.1%} of {made['seen']} test images"
        )
    for name, distance in result["perceptual"].items():
        parts.append(f"{name}, vividness 0: {distance:.3f}")
    return "\n\n".join([*parts, f"*{caption(result)}*"])


def perceptual(recolored: Tensor, truth: Tensor) -> dict[str, float]:
    """LPIPS (AlexNet) and Inception FID by torchmetrics, on (N, 3, H, W) in [0, 1].

    {} and a printed sentence where torchmetrics or its official weights cannot be had. Sources:
    Zhang et al. 2018; Heusel et al. 2017.
    """
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        lpips = LearnedPerceptualImagePatchSimilarity("alex", normalize=True)
        fid = FrechetInceptionDistance(normalize=True)
    except (ImportError, OSError) as error:
        print(
            "LPIPS and Inception FID are left out: they need `pip install torchmetrics[image]` and "
            f"weights from the network ({type(error).__name__})."
        )
        return {}
    for part, true in zip(recolored.split(250), truth.split(250), strict=True):
        lpips.update(part, true)
        fid.update(part, real=False)
        fid.update(true, real=True)
    return {"lpips": lpips.compute().item(), "inception_fid": fid.compute().item()}
