"""Test images that stand in the training set too, moved, cropped or re-coloured a little.

About a tenth of CIFAR-100's test images have such a near-duplicate (Barz and Denzler 2020, "Do We
Train on Test Data? Purging CIFAR of Near-Duplicates"). Found as there: nearest neighbours in a
classifier's features, then a look; between them a comparison of the pixels themselves sorts the
pairs.
"""

from datetime import date

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from colorlib import paths
from colorlib.compare.classifier import Classifier, load_classifier
from colorlib.compare.semantic import features
from colorlib.data import describe, load_images, resolve, to_tensor
from colorlib.model import load_model, mark
from colorlib.report import evaluation, store

NEIGHBOURS, REACH = 5, 2  # training images looked at for each test image; pixels a copy may move
ALIKE = 0.4  # from this likeness on a pair is left out: below, few are copies (by eye)


def directions(model: Classifier, images) -> Tensor:
    """Unit feature vectors (N, F) of uint8 images (N, H, W, 3), summed over the mirrored image."""
    rgb = to_tensor(images)
    return F.normalize(features(model, rgb) + features(model, rgb.flip(-1)))


def nearest(test: Tensor, train: Tensor, count: int = NEIGHBOURS) -> tuple[Tensor, Tensor]:
    """Cosines and numbers, each (N, count), of the training features nearest to test (N, F)."""
    found = [(part @ train.T).topk(min(count, len(train)), dim=1) for part in test.split(500)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def likeness(one: Tensor, other: Tensor, reach: int = REACH) -> Tensor:
    """Correlation (N,) of the detail of images (N, 3, H, W), the best over mirroring and shifts.

    Detail is what a 5 x 5 mean leaves: two skies are alike in their blue, a copy in its leaves too.
    """
    height, width = one.shape[-2:]
    one, other = (x - F.avg_pool2d(x, 5, 1, 2, count_include_pad=False) for x in (one, other))

    def window(x: Tensor, down: int, right: int) -> Tensor:
        part = x[..., reach + down : height - reach + down, reach + right : width - reach + right]
        return F.normalize(part.flatten(1))

    middle = window(one, 0, 0)
    moves = range(-reach, reach + 1)
    scores = [
        (middle * window(seen, down, right)).sum(1)
        for seen in (other, other.flip(-1))
        for down in moves
        for right in moves
    ]
    return torch.stack(scores).amax(0)


def most_alike(test, train, neighbours: Tensor) -> tuple[Tensor, Tensor]:
    """For each uint8 test image the number (N,) of its most alike neighbour, and the likeness (N,).

    neighbours: numbers (N, n) of training images.
    """
    scores = []
    for start in tqdm(range(0, len(test), 500), "likeness", leave=False):
        part, near = to_tensor(test[start : start + 500]), neighbours[start : start + 500]
        columns = [likeness(part, to_tensor(train[column.numpy()])) for column in near.T]
        scores.append(torch.stack(columns, 1))
    best, place = torch.cat(scores).max(1)
    return neighbours.gather(1, place[:, None])[:, 0], best


def purge(source: str = "cifar100", model: str = "cifar") -> dict:
    """Find the near-duplicates, measure the shipped weights without them, keep both as results.

    duplicates.json (of other sources under a longer name): "pairs" of test number, training number
    and likeness, most alike first;
    "familiar", the cosine of every test image to the nearest training image.
    MODEL-luma-without-duplicates.json: the evaluation of the other test images.
    """
    source, _ = resolve(source)
    train, test = (load_images(source, split) for split in ("train", "test"))
    classifier = load_classifier("features")
    cosines, neighbours = nearest(directions(classifier, test), directions(classifier, train))
    place, score = most_alike(test, train, neighbours)
    order = [i for i in score.argsort(descending=True).tolist() if score[i] >= ALIKE]
    command, machine = f"python -m colorlib duplicates --source {source}", paths.machine()
    about = {"command": command, "machine": machine, "date": date.today().isoformat(), "seed": 0}
    found = {
        "pairs": [[i, int(place[i]), round(score[i].item(), 3)] for i in order],
        "familiar": [round(x, 3) for x in cosines[:, 0].tolist()],
        "alike": ALIKE,
        "data": {"source": describe(source), "split": "test", "count": len(test)},
        "among": len(train),
    }
    store.save_result(store.of_source("duplicates", source), found | about)
    rest = np.delete(test, order, axis=0)
    net = load_model(model)
    rows = evaluation.evaluate_systems(evaluation.systems_of(net, "luma"), rest, "luma")
    data = {"source": f"{describe(source)} without near-duplicates", "split": "test"}
    kept = {
        "model": model,
        "weights": mark(net),
        "given": "luma",
        "data": data | {"count": len(rest)},
        "rows": rows,
    }
    name = store.of_source(f"{model}-luma-without-duplicates", source)
    store.save_result(name, kept | about)
    return found
