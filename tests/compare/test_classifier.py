import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

import colorlib as cl
from colorlib import checkpoint, paths
from colorlib.compare import classifier, semantic


def config(name="classifier", **changes):
    return cl.Config(name, given="luma", epochs=2, batch_size=8, validation=0, zoom=0.0, **changes)


def test_stages_and_logits_have_their_shapes():
    model = classifier.Classifier(classes=7)
    maps = model.stages(torch.rand(2, 3, 32, 32))
    assert [tuple(m.shape[1:]) for m in maps] == [(48, 16, 16), (96, 8, 8), (192, 4, 4)]
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 7)


def test_the_second_classifier_is_another_network_and_seed():
    one, other = (classifier.CLASSIFIERS[n] for n in ("classifier", "classifier-resnet"))
    assert one.network is not other.network and one.seed != other.seed
    model = other.network(classes=7).eval()
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 7)
    blocks = [m for m in model.modules() if isinstance(m, classifier.Residual)]
    kernels = [p for p in model.parameters() if p.ndim == 4]
    assert len(blocks) == 6 and len(kernels) == 15  # a convolution a level, two a block


def test_both_classifiers_measure_once_they_are_shipped(images, monkeypatch, tmp_path):
    numbers = np.arange(64) % 4
    model = classifier.train_classifier(
        "classifier-resnet", images, numbers, config("classifier-resnet")
    )
    truth = cl.to_tensor(images)
    monkeypatch.setattr(semantic, "measuring", lambda: semantic.MEASURING)
    loaded = classifier.load_classifier
    monkeypatch.setattr(
        semantic, "load_classifier", lambda n: model if n == "classifier-resnet" else loaded(n)
    )
    found = semantic.classifier_metrics(truth, truth, numbers)
    assert found["top1_resnet"] == classifier.accuracy(model, truth, numbers)


def test_frechet_distance_is_that_of_the_two_gaussians():
    torch.manual_seed(0)
    model = classifier.Classifier((8, 16, 16)).eval()
    one, other = torch.rand(2, 200, 3, 32, 32)
    other = other**2
    a, b = (model.features(x).detach().double().numpy() for x in (one, other))
    root = sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert semantic.frechet(model, one, other) == pytest.approx(expected, rel=1e-3)
    assert semantic.frechet(model, one, one) == pytest.approx(0, abs=1e-4)


def test_accuracy_counts_the_first_guess():
    class Bright(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def forward(self, rgb):
            bright = rgb.mean((1, 2, 3))
            return torch.stack((1 - bright, bright), 1) * self.weight

    rgb = torch.tensor([0.1, 0.9, 0.8, 0.2]).view(4, 1, 1, 1).expand(4, 3, 8, 8)
    assert classifier.accuracy(Bright(), rgb, [0, 1, 0, 0]) == 0.75


def test_classifier_of_grey_images_does_not_see_colour():
    """Red or blue of one luma, at random brightness: only the classifier of colour can tell."""
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2, 256)
    pure = np.array([[200, 40, 40], [40, 82, 245]])[numbers]
    bright = random.uniform(0.4, 1, (256, 1))
    flat = (pure * bright).round().astype(np.uint8)[:, None, None].repeat(32, 1).repeat(32, 2)
    fresh, right = cl.to_tensor(flat[128:]), numbers[128:]
    for name, low, high in (
        ("classifier", 0.95, 1),
        ("classifier-resnet", 0.95, 1),
        ("classifier-grey", 0.3, 0.7),
    ):
        model = classifier.train_classifier(name, flat[:128], numbers[:128], config(name))
        shown = cl.luma(fresh).expand(-1, 3, -1, -1) if "grey" in name else fresh
        assert low <= classifier.accuracy(model, shown, right) <= high


def test_training_goes_on_where_it_stopped(images, monkeypatch):
    numbers = np.arange(64) % 4
    whole = classifier.train_classifier("classifier", images, numbers, config()).state_dict()
    (paths.runs() / "classifier").rename(paths.runs() / "other")
    save = checkpoint.save

    def stopping(folder, step, state):
        save(folder, step, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", stopping)
    with pytest.raises(KeyboardInterrupt):
        classifier.train_classifier("classifier", images, numbers, config())
    monkeypatch.setattr(checkpoint, "save", save)
    again = classifier.train_classifier("classifier", images, numbers, config()).state_dict()
    assert all(torch.equal(whole[key], again[key]) for key in whole)
    with pytest.raises(ValueError, match="weight_decay was"):
        classifier.train_classifier("classifier", images, numbers, config(weight_decay=0.1))


def shipped():
    """The classifiers that are shipped; `classifier-resnet` is not trained yet."""
    names = [n for n in classifier.CLASSIFIERS if classifier.files(n)[0].is_file()]
    assert {"classifier", "classifier-grey", "features"} <= set(names)
    return names


def test_shipped_classifiers_fit_and_say_how_they_were_made():
    import json

    for name in shipped():
        weights, record = classifier.files(name)
        made = json.loads(record.read_text())
        assert weights.stat().st_size <= 3e6 and made["test_images"] == 10000
        assert made["test_accuracy"] > 0.3 and made["command"].endswith(name)
        assert classifier.load_classifier(name).config == made["classifier"]
    with pytest.raises(ValueError, match="got 'nobody', expected classifier or"):
        classifier.load_classifier("nobody")


def test_the_share_of_the_accuracy_that_colours_recover(images, net, monkeypatch):
    truth = cl.to_tensor(images)
    grey = cl.luma(truth).expand(-1, 3, -1, -1)

    def known(recoloured, true, numbers):
        if torch.equal(recoloured, truth):
            return {"top1": 0.6, "frechet": 0.0}
        return {"top1": 0.2 if torch.equal(recoloured, grey) else 0.3, "frechet": 1.0}

    monkeypatch.setattr(semantic, "classifier_metrics", known)
    *rows, control = semantic.classifier_rows(net, images, np.arange(64))
    assert [row["system"] for row in rows] == ["true_colors", "grey", *["ours"] * 5]
    assert [row["vividness"] for row in rows[2:]] == [0, 0.25, 0.5, 0.75, 1]
    assert [row["accuracy_recovered"] for row in rows] == pytest.approx([1, 0, *[0.25] * 5])
    assert set(control) == {"system", "top1"} and 0 <= control["top1"] <= 1


def test_the_truth_has_no_distance_to_itself(images):
    truth = cl.to_tensor(images)
    assert semantic.classifier_metrics(truth, truth, np.arange(64))["frechet"] == pytest.approx(
        0, abs=1e-3
    )


def test_a_source_without_classes_is_named():
    with pytest.raises(ValueError, match="sample has no classes"):
        classifier.make_classifier("classifier", "sample")


@pytest.mark.full
def test_shipped_classifiers_reach_their_accuracy(real_data):
    import json

    rgb = cl.to_tensor(cl.load_images("cifar100", "test"))
    numbers, _ = cl.load_labels("cifar100", "test")
    for name in shipped():
        made = json.loads(classifier.files(name)[1].read_text())
        shown = cl.luma(rgb).expand(-1, 3, -1, -1) if made["seen"] == "grey" else rgb
        found = classifier.accuracy(classifier.load_classifier(name), shown, numbers)
        assert found == pytest.approx(made["test_accuracy"], abs=0.003)
