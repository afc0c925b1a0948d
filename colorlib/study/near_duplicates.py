"""Near-duplicates: test images that also occur, slightly shifted or recoloured, in training.

As in Barz and Denzler 2020, "Do We Train on Test Data? Purging CIFAR of Near-Duplicates", the
candidates are the nearest neighbours in a classifier's features; here the pixels are then compared.
"""

from shlex import quote

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


def nearest(test: Tensor, train: Tensor, count: int = NEIGHBOURS) -> tuple[Tensor, Tensor]:
    """Cosines and indices, each (N, count), of the training features nearest to test (N, F)."""
    found = [(part @ train.T).topk(min(count, len(train)), dim=1) for part in test.split(500)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def detail_similarity(one: Tensor, other: Tensor) -> Tensor:
    """Correlation (N,) of the detail of images (N, 3, H, W), the best over mirroring and shifts.

    Detail is the difference to a 5 x 5 mean: any two skies are equally blue, only copies have the
    same leaves.
    """
    one, other = (x - F.avg_pool2d(x, 5, 1, 2, count_include_pad=False) for x in (one, other))
    height, width = (side - 2 * REACH for side in one.shape[-2:])
    middle = F.normalize(one[..., REACH:-REACH, REACH:-REACH].flatten(1))
    best = []
    for copy in (other, other.flip(-1)):
        shifted = copy.unfold(2, height, 1).unfold(3, width, 1)  # (N, 3, shifts, shifts, h, w)
        windows = F.normalize(shifted.permute(2, 3, 0, 1, 4, 5).flatten(3), dim=-1)
        best.append((windows * middle).sum(-1).amax((0, 1)))
    return torch.maximum(*best)


def most_similar(test: np.ndarray, train: np.ndarray, neighbours: Tensor) -> tuple[Tensor, Tensor]:
    """For each uint8 test image the most similar of its training `neighbours`, indices (N, n): the
    index (N,) and the similarity (N,)."""
    scores = []
    batches = zip(to_tensor(test).split(500), neighbours.split(500), strict=True)
    for part, near in tqdm(list(batches), "comparing", leave=False):
        columns = [detail_similarity(part, to_tensor(train[column.numpy()])) for column in near.T]
        scores.append(torch.stack(columns, 1))
    best, position = torch.cat(scores).max(1)
    return neighbours.gather(1, position[:, None])[:, 0], best


def evaluate_without_duplicates(
    source: str = "cifar100", model: str = "cifar", unless_current: bool = False
) -> dict:
    """Find the near-duplicates, evaluate the shipped weights without them; save and return both.

    The results are `duplicates`, see `find_pairs`, and MODEL-luma-without-duplicates, of the other
    test images; of other sources under longer names. unless_current: see `store.measured`.
    """
    source, _ = resolve(source)
    train, test = (load_images(source, split) for split in ("train", "test"))
    classifier, net = load_classifier("features"), load_model(model)
    command = f"python -m colorlib duplicates --source {quote(source)}"
    config = {"given": "luma", "neighbours": NEIGHBOURS, "reach": REACH}
    config |= {"similarity_min": SIMILARITY_MIN, "training": len(train)}
    data = store.data_record(source, "test", test, train)
    made = store.provenance({"features": classifier}, config, data, command=command)
    name = store.name_for_source("duplicates", source)
    kept = store.measured(name, made, lambda: find_pairs(classifier, test, train), unless_current)
    rest = np.delete(test, [pair[0] for pair in kept["pairs"]], axis=0)
    config = {"model": model, "given": "luma", "vividness": evaluation.VIVIDNESS}
    config |= {"resamples": 1000, "duplicates": kept["config"] | kept["digests"]}
    data = store.data_record(source, "test", rest)
    data["title"] += " without near-duplicates"
    made = store.provenance({model: net}, config, data, command=command)

    def evaluate() -> dict:
        systems = evaluation.compared_systems(net, "luma")
        return {"rows": evaluation.evaluate_systems(systems, rest, "luma")}

    name = store.name_for_source(f"{model}-luma-without-duplicates", source)
    evaluated = store.measured(name, made, evaluate, unless_current)
    return {"duplicates": kept, "evaluation": evaluated}


def find_pairs(classifier: Classifier, test: np.ndarray, train: np.ndarray) -> dict:
    """The "pairs" of test index, training index and similarity, the most similar first, and
    "similarity", the cosine of every test image to the nearest training image."""
    directions = [  # the sum over an image and its mirror image does not depend on the side
        F.normalize(features(classifier, rgb) + features(classifier, rgb.flip(-1)))
        for rgb in map(to_tensor, (test, train))
    ]
    cosines, neighbours = nearest(*directions)
    index, score = most_similar(test, train, neighbours)
    order = [i for i in score.argsort(descending=True).tolist() if score[i] >= SIMILARITY_MIN]
    pairs = [[i, int(index[i]), round(score[i].item(), 3)] for i in order]
    return {"pairs": pairs, "similarity": [round(x, 3) for x in cosines[:, 0].tolist()]}


def duplicates_table() -> str:
    """How many pairs on file lie in each range of similarity, and of how many a person who looked
    at a random sample said that they are copies."""
    found, looked = (store.load_result(f"duplicates{x}", committed=True) for x in ("", "-by-eye"))
    scores = np.array([pair[2] for pair in found["pairs"]])
    limit, rows = found["config"]["similarity_min"], []
    for part in looked["ranges"]:
        low, high = part["from"], part["to"]
        many = ((scores >= low) & (scores < high + (high == 1))).sum()
        seen = f"{len(part['duplicates'])} of {len(part['looked_at'])}"
        rows.append([f"{low:g} to {high:g}", f"{many:,}" if low >= limit else "kept", seen])
    table = markdown_table(["similarity", "test images left out", "the same by eye"], rows)
    return (
        f"{table}\n\n{len(scores):,} of CIFAR-100's {found['data']['count']:,} test images have a "
        f"similarity of {limit:g} or more and are left out (`{found['command']}`)."
    )
