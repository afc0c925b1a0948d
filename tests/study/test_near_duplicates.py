import numpy as np
import torch
from PIL import Image

import colorlib as cl
from colorlib import paths
from colorlib.report import store
from colorlib.study import near_duplicates


def test_similarity_finds_moved_mirrored_and_brightened_copies():
    torch.manual_seed(0)
    one = torch.rand(4, 3, 32, 32)
    moved = one.roll((2, -1), (-2, -1))
    assert near_duplicates.detail_similarity(one, one).min() > 0.999
    assert near_duplicates.detail_similarity(one, moved).min() > 0.95
    assert near_duplicates.detail_similarity(one, moved.flip(-1)).min() > 0.95
    assert near_duplicates.detail_similarity(one, 0.3 + 0.5 * one).min() > 0.999
    assert near_duplicates.detail_similarity(one, torch.rand(4, 3, 32, 32)).max() < 0.3


def test_two_smooth_pictures_are_not_alike_for_being_smooth():
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    sky, sea = (ramp + 0.02 * torch.rand(1, 3, 32, 32) for _ in range(2))
    assert torch.corrcoef(torch.stack((sky.flatten(), sea.flatten())))[0, 1] > 0.95
    assert near_duplicates.detail_similarity(sky, sea).item() < 0.3


def test_nearest_is_brute_force():
    torch.manual_seed(0)
    test, train = (torch.nn.functional.normalize(torch.randn(n, 8)) for n in (7, 30))
    cosines, numbers = near_duplicates.nearest(test, train, 3)
    for i in range(7):
        every = torch.tensor([float(test[i] @ row) for row in train])
        assert numbers[i].tolist() == every.argsort(descending=True)[:3].tolist()
        assert torch.allclose(cosines[i], every[numbers[i]], atol=1e-6)


def test_most_similar_takes_the_best_of_the_neighbours(images):
    neighbours = torch.tensor([[3, 0, 5], [4, 2, 1]])
    place, score = near_duplicates.most_similar(images[:2], images, neighbours)
    assert place.tolist() == [0, 1] and score.min() > 0.999


def test_copies_are_left_out_of_the_table(images, tmp_path):
    for split, chosen in (("train", images[:8]), ("test", images[6:16])):
        (tmp_path / split).mkdir()
        for i, image in enumerate(chosen):
            Image.fromarray(image).save(tmp_path / split / f"{i}.png")
    found = near_duplicates.evaluate_without_duplicates(str(tmp_path))["duplicates"]
    test, train = (cl.load_images(str(tmp_path), split) for split in ("test", "train"))
    same = {(i, j) for i, a in enumerate(test) for j, b in enumerate(train) if np.array_equal(a, b)}
    assert len(same) == 2 and same <= {(i, j) for i, j, _ in found["pairs"]}
    (file,) = paths.results().glob("cifar-luma-without-duplicates-*.json")
    rest = store.load_result(file.stem)
    assert rest["data"]["count"] == 10 - len(found["pairs"])
    assert found["data"]["training_sha256"] == store.images_digest(train)
    (file,) = paths.results().glob("duplicates-*.json")
    assert store.load_result(file.stem)["similarity"] == found["similarity"]
