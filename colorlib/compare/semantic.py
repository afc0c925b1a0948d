"""What a classifier says of recoloured images, and metrics that need weights from the network.

Colours that fit make an image easier to recognise: the share of recoloured images that a classifier
gets right is ECCV16's "semantic interpretability" (Zhang et al. 2016, section 3.1). The distance
between the features of recoloured and of true images asks whether the set looks natural.
"""

import json

import torch
from torch import Tensor

from colorlib import paths
from colorlib.color import luma
from colorlib.compare.classifier import FOLDER, accuracy, load_classifier
from colorlib.data import to_tensor
from colorlib.model import ColorNet, colorize, evaluating
from colorlib.report.tables import caption


def features(model, rgb: Tensor) -> Tensor:
    """A classifier's features (N, F) of images rgb (N, 3, H, W) in [0, 1]."""
    from tqdm import tqdm

    with evaluating(model) as device:
        parts = tqdm(rgb.split(500), "features", delay=3, leave=False)
        return torch.cat([model.features(part.to(device)).cpu() for part in parts])


def frechet(model, one: Tensor, other: Tensor) -> float:
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


def verdict(recoloured: Tensor, truth: Tensor, numbers) -> dict[str, float]:
    """What the shipped judge says of recoloured images: its top-1, and the Fréchet distance."""
    model = load_classifier("judge")
    return {
        "top1": accuracy(model, recoloured, numbers),
        "frechet": frechet(model, recoloured, truth),
    }


def judged(model: ColorNet, images, numbers, vividness=(0.0, 0.25, 0.5, 0.75, 1.0)) -> list[dict]:
    """Rows for true images, their luma, and that coloured by `model` (uint8 N, H, W, 3; classes N).

    "gap_closed" is the share of the judge's loss of accuracy, from true to grey images, that the
    colours win back. The control, trained on grey images, is shown the grey ones: what colour is
    worth to a classifier at all.
    """
    truth = to_tensor(images)
    gray = luma(truth)
    grey = gray.expand(-1, 3, -1, -1)
    rows = [
        {"system": "true colours"} | verdict(truth, truth, numbers),
        {"system": "grey"} | verdict(grey, truth, numbers),
    ]
    for v in vividness:
        row = {"system": f"ours, vividness {v:g}"}
        rows.append(row | verdict(colorize(model, gray, "luma", v), truth, numbers))
    best, worst = rows[0]["top1"], rows[1]["top1"]
    for row in rows:
        row["gap_closed"] = (row["top1"] - worst) / (best - worst) if best > worst else 0.0
    control = accuracy(load_classifier("judge-grey"), grey, numbers)
    return [*rows, {"system": "grey, to the judge trained on grey", "top1": control}]


def table(result: dict) -> str:
    """What `judged` says as a Markdown table, and how the judges were made."""
    lines = ["| images | judge's top-1 | of the gap closed | Fréchet distance |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    for row in result["rows"]:
        share = f"{row['gap_closed']:.0%}" if "gap_closed" in row else ""
        far = f"{row['frechet']:.3f}" if "frechet" in row else ""
        lines.append(f"| {row['system']} | {row['top1']:.1%} | {share} | {far} |")
    for name in ("judge", "judge-grey"):
        made = json.loads((paths.SHIPPED / FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        text = f"`{made['command']}`: {made['test_accuracy']:.1%} of {made['seen']} test images"
        lines.append(f"\n{text}")
    for name, far in result["perceptual"].items():
        lines.append(f"\n{name}, vividness 0: {far:.3f}")
    return "\n".join([*lines, "", f"*{caption(result)}*"])


def perceptual(recoloured: Tensor, truth: Tensor) -> dict[str, float]:
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
    for part, true in zip(recoloured.split(250), truth.split(250), strict=True):
        lpips.update(part, true)
        fid.update(part, real=False)
        fid.update(true, real=True)
    return {"lpips": lpips.compute().item(), "inception_fid": fid.compute().item()}
