"""Near-duplicates: test images that also occur, slightly shifted or recoloured, in training.

About a tenth of CIFAR-100's test images have such a near-duplicate (Barz and Denzler 2020, "Do We
Train on Test Data? Purging CIFAR of Near-Duplicates"). As there, the candidates are the nearest
neighbours in a classifier's features; here the pixels are then compared, and a sample of the pairs
was looked at.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from colorlib.compare.classifier import Classifier, load_classifier
from colorlib.compare.semantic import features
from colorlib.data import load_images, resolve, to_tensor
from colorlib.model import load_model
from colorlib.report import evaluation, store
from colorlib.report.tables import markdown_table

NEIGHBOURS, REACH = 5, 2  # candidates for each test image; pixels by which a copy may be shifted
SIMILARITY_MIN = 0.4  # pairs from here on count as near-duplicates: below, few are (by eye)


def directions(model: Classifier, images: np.ndarray) -> Tensor:
    """Unit feature vectors (N, F) of uint8 images (N, H, W, 3), summed over the mirrored image."""
    rgb = to_tensor(images)
    return F.normalize(features(model, rgb) + features(model, rgb.flip(-1)))


def nearest(test: Tensor, train: Tensor, count: int = NEIGHBOURS) -> tuple[Tensor, Tensor]:
    """Cosines and indices, each (N, count), of the training features nearest to test (N, F)."""
    found = [(part @ train.T).topk(min(count, len(train)), dim=1) for part in test.split(500)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def detail_similarity(one: Tensor, other: Tensor, reach: int = REACH) -> Tensor:
    """Correlation (N,) of the detail of images (N, 3, H, W), the best over mirroring and shifts.

    Detail is the difference to a 5 x 5 mean: any two skies have the same blue, only copies have the
    same leaves.
    """
    height, width = one.shape[-2:]
    one, other = (x - F.avg_pool2d(x, 5, 1, 2, count_include_pad=False) for x in (one, other))

    def window(x: Tensor, down: int, right: int) -> Tensor:
        part = x[..., reach + down : height - reach + down, reach + right : width - reach + right]
        return F.normalize(part.flatten(1))

    middle = window(one, 0, 0)
    moves = range(-reach, reach + 1)
    scores = [
        (middle * window(copy, down, right)).sum(1)
        for copy in (other, other.flip(-1))
        for down in moves
        for right in moves
    ]
    return torch.stack(scores).amax(0)


def most_similar(test: np.ndarray, train: np.ndarray, neighbours: Tensor) -> tuple[Tensor, Tensor]:
    """For each uint8 test image the index (N,) of its most similar neighbour, and the similarity.

    neighbours: indices (N, n) of training images.
    """
    scores = []
    for start in tqdm(range(0, len(test), 500), "comparing", leave=False):
        part, near = to_tensor(test[start : start + 500]), neighbours[start : start + 500]
        columns = [detail_similarity(part, to_tensor(train[column.numpy()])) for column in near.T]
        scores.append(torch.stack(columns, 1))
    best, position = torch.cat(scores).max(1)
    return neighbours.gather(1, position[:, None])[:, 0], best


def evaluate_without_duplicates(
    source: str = "cifar100", model: str = "cifar", unless_current: bool = False
) -> dict:
    """Find the near-duplicates, evaluate the shipped weights without them; save and return both.

    The result `duplicates` (of other sources under a longer name) holds the "pairs" of test index,
    training index and similarity, the most similar first, and "similarity", the cosine of every
    test image to the nearest training image. `MODEL-luma-without-duplicates` is the evaluation of
    the other test images. unless_current: what is on file and was measured in the same way is
    returned instead.
    """
    source, _ = resolve(source)
    train, test = (load_images(source, split) for split in ("train", "test"))
    classifier, net = load_classifier("features"), load_model(model)
    command = f"python -m colorlib duplicates --source {source}"
    config = {"given": "luma", "neighbours": NEIGHBOURS, "reach": REACH}
    config |= {"similarity_min": SIMILARITY_MIN, "training": len(train)}
    data = store.data_record(source, "test", test)
    found = store.provenance({"features": classifier}, config, data, command=command)
    name = store.name_for_source("duplicates", source)
    kept = store.current_result(name, found) if unless_current else None
    if kept is None:
        began = time.perf_counter()
        pairs, cosines = find_pairs(classifier, test, train)
        found |= {"pairs": pairs, "similarity": cosines}
        kept = store.save_result(name, found | {"seconds": round(time.perf_counter() - began, 1)})
    rest = np.delete(test, [pair[0] for pair in kept["pairs"]], axis=0)
    config = {"model": model, "given": "luma", "vividness": evaluation.VIVIDNESS}
    config |= {"resamples": 1000, "duplicates": kept["config"] | kept["digests"]}
    data = store.data_record(source, "test", rest)
    data["title"] += " without near-duplicates"
    made = store.provenance({model: net}, config, data, command=command)
    name = store.name_for_source(f"{model}-luma-without-duplicates", source)
    evaluated = store.current_result(name, made) if unless_current else None
    if evaluated is None:
        rows = evaluation.evaluate_systems(evaluation.compared_systems(net, "luma"), rest, "luma")
        evaluated = store.save_result(name, made | {"rows": rows})
    return {"duplicates": kept, "evaluation": evaluated}


def find_pairs(
    classifier: Classifier, test: np.ndarray, train: np.ndarray
) -> tuple[list[list], list[float]]:
    """The pairs [test index, training index, similarity], and each test image's largest cosine."""
    cosines, neighbours = nearest(directions(classifier, test), directions(classifier, train))
    index, score = most_similar(test, train, neighbours)
    order = [i for i in score.argsort(descending=True).tolist() if score[i] >= SIMILARITY_MIN]
    pairs = [[i, int(index[i]), round(score[i].item(), 3)] for i in order]
    return pairs, [round(x, 3) for x in cosines[:, 0].tolist()]


def duplicates_table() -> str:
    """How many pairs lie in each range of similarity, and how many of a sample are copies by eye.

    From the results on file; "by eye" one person looked at a random sample of each range.
    """
    found, looked = (store.load_result(f"duplicates{x}", committed=True) for x in ("", "-by-eye"))
    scores = np.array([pair[2] for pair in found["pairs"]])
    limit, rows = found["config"]["similarity_min"], []
    for part in looked["ranges"]:
        low, high = part["from"], part["to"]
        inside = (scores >= low) & (scores < high + (high == 1))
        many = f"{inside.sum():,}" if low >= limit else "kept"
        seen = f"{len(part['duplicates'])} of {len(part['looked_at'])}"
        rows.append([f"{low:g} to {high:g}", many, seen])
    table = markdown_table(["similarity", "test images left out", "the same by eye"], rows)
    return (
        f"{table}\n\n{len(scores):,} of CIFAR-100's {found['data']['count']:,} test images have a "
        f"similarity of {limit:g} or more and are left out (`{found['command']}`)."
    )
