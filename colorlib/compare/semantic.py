"""Do the colours help a classifier?

The share of recoloured images that it gets right is ECCV16's "semantic interpretability" (Zhang et
al. 2016, section 3.1). The distance of features to those of true images says whether a set looks
natural.
"""

import json

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib.color import luma
from colorlib.compare.classifier import Classifier, accuracy, files, load_classifier
from colorlib.data import to_tensor
from colorlib.datasets.arrays import Labels
from colorlib.model import ColorNet, evaluation_mode
from colorlib.report import store
from colorlib.report.evaluation import VIVIDNESS, System, at_vividness, grey
from colorlib.report.tables import caption, markdown_table, title

MEASURING = {"top1": "classifier", "top1_resnet": "classifier-resnet"}  # column -> classifier


def features(model: Classifier, rgb: Tensor) -> Tensor:
    """A classifier's features (N, F) of images rgb (N, 3, H, W) in [0, 1]."""
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


def measuring() -> dict[str, str]:
    """Those of `MEASURING` that are shipped."""
    return {column: name for column, name in MEASURING.items() if files(name)[0].is_file()}


def classifier_metrics(recolored: Tensor, truth: Tensor, classes: np.ndarray) -> dict[str, float]:
    """Each classifier's top-1 on recoloured images, and the Fréchet distance to the truth."""
    models = {column: load_classifier(name) for column, name in measuring().items()}
    found = {column: accuracy(model, recolored, classes) for column, model in models.items()}
    return found | {"frechet": frechet(models["top1"], recolored, truth)}


def classifier_result(
    model: ColorNet, name: str, source: str, images: np.ndarray, labels: Labels | None
) -> dict:
    """`classifier_rows`, saved as `classifier-NAME` of all test images, else `classifier-quick`.

    The classifiers know CIFAR-100's classes: for another source the result on file is returned.
    """
    if source != "cifar100" or labels is None:
        return store.load_result("classifier-cifar", committed=True)
    used = (*measuring().values(), "classifier-grey")
    networks = {name: model} | {used_name: load_classifier(used_name) for used_name in used}
    config = {"model": name, "given": "luma", "vividness": VIVIDNESS}
    data = store.data_record(source, "test", images)
    result = store.provenance(networks, config, data, notebook="03_evaluation")
    result["rows"] = classifier_rows(model, images, labels[0])
    return store.save_result(f"classifier-{name if len(images) == 10000 else 'quick'}", result)


def classifier_rows(model: ColorNet, images: np.ndarray, classes: np.ndarray) -> list[dict]:
    """Rows for true images, uint8 (N, H, W, 3), of classes (N,), their luma, and that coloured.

    "accuracy_recovered" is the share of the loss of accuracy, from true to grey images, that the
    colours win back. The last row is the control: a classifier of grey images on grey images.
    """
    truth = to_tensor(images)
    gray = luma(truth)
    systems = [System("true_colors", lambda _: truth), System("grey", grey)]
    rows = [
        system.row() | classifier_metrics(system.colorize(gray), truth, classes)
        for system in (*systems, *at_vividness(model, "luma"))
    ]
    best, worst = rows[0]["top1"], rows[1]["top1"]
    for row in rows:
        row["accuracy_recovered"] = (row["top1"] - worst) / (best - worst) if best > worst else 0.0
    control = accuracy(load_classifier("classifier-grey"), grey(gray), classes)
    return [*rows, {"system": "grey_control", "top1": control}]


def classifier_table(result: dict) -> str:
    """The result in Markdown: a table, the classifiers, and what the control means."""
    *rows, control = result["rows"]
    known = {column: name for column, name in MEASURING.items() if column in rows[0]}
    header = ["images", *(f"top-1 of `{name}`" for name in known.values()), "gap closed"]
    lines = [
        [title(row), *(f"{row[c]:.1%}" for c in known), f"{row['accuracy_recovered']:.0%}"]
        for row in rows
    ]
    records = (files(name)[1] for name in (*known.values(), "classifier-grey"))
    made = [json.loads(record.read_text(encoding="utf-8")) for record in records]
    commands = "; ".join(f"`{m['command']}` ({m['test_accuracy']:.1%})" for m in made)
    text = (
        f"A classifier that was trained on grey images is right on {control['top1']:.1%} of the "
        f"grey images. The classifier that was trained on colour is right on "
        f"{rows[1]['top1']:.1%} of them: it has never seen a grey image."
    )
    if control["top1"] > max(row["top1"] for row in rows[2:]):
        text += (
            " So most of what it loses without colour is surprise, not missing information, and no "
            "row of ours reaches the control."
        )
    note = f"*{caption(result)}. Classifiers, accuracy on their own kind of images: {commands}*"
    return "\n\n".join((markdown_table(header, lines), note, text))
