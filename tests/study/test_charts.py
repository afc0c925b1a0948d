"""The figures of notebook 5 show what they are given."""

import numpy as np
import pytest
import torch
from conftest import shown

import colorlib as cl
from colorlib.color import rgb_to_lab
from colorlib.compare.recipes import Rebalanced
from colorlib.study import calibration, charts, failures


def test_entropy_goes_from_the_surest_image_to_the_least_sure(net, images):
    figure = charts.entropy_figure(net, images, count=3)
    mean = calibration.entropy(calibration.distribution(net, cl.luma(cl.to_tensor(images)))).mean(
        (1, 2)
    )
    titles = [axis.get_title() for axis in figure.axes[:3]]
    assert titles[0] == f"{mean.min():.1f}" and titles[2] == f"{mean.max():.1f}"
    assert np.array_equal(shown(figure)[-3], images[int(mean.argmin())])


def test_failures_are_the_worst_of_each_cause(net, images):
    errors = torch.arange(64.0)
    found = {"error": errors, "cause": torch.arange(64) % 2}
    figure = charts.failures_figure(net, images, found, count=2)
    pictures = shown(figure)
    assert [np.array_equal(pictures[i], images[n]) for i, n in ((1, 62), (3, 60), (5, 63))] == (
        [True] * 3
    )
    labels = [axis.get_ylabel().replace("\n", " ") for axis in figure.axes if axis.get_ylabel()]
    assert labels == [title for title, _ in list(failures.CAUSES.values())[:2]]


def test_the_colourful_pixel_is_found_and_encoded(images):
    image, (row, column), ab = charts.colourful_pixel(images)
    lab = rgb_to_lab(cl.to_tensor(image[None]))[0, 1:]
    assert torch.allclose(lab[:, row, column], ab)
    assert lab[:, 4:-4, 4:-4].norm(dim=0).max() == pytest.approx(ab.norm().item(), rel=1e-5)
    recipe, model = Rebalanced(), cl.ColorNet(head="ab")
    recipe.setup(model, torch.from_numpy(images).permute(0, 3, 1, 2))
    index, share = (x[0, :, 0, 0] for x in recipe.encode(ab.view(1, 2, 1, 1)))
    figure = charts.soft_encoding(image, (row, column), ab, model.cells, (index, share))
    texts = [text.get_text() for text in figure.axes[2].texts]
    assert texts == [f"{part:.0%}" for part in share.tolist()]
    # notebook 5 computes the same weights by hand
    distance, nearest = (model.cells - ab).norm(dim=1).topk(5, largest=False)
    assert set(nearest.tolist()) == set(index.tolist())
    assert torch.allclose((-(distance**2) / 50).softmax(0), share, atol=1e-4)
    weight = 1 / (0.5 * recipe.smooth + 0.5 / len(model.cells))
    assert torch.allclose(weight / (weight * recipe.smooth).sum(), recipe.weight, rtol=1e-4)


def test_rebalancing_draws_each_cell_in_its_place(images):
    recipe, model = Rebalanced(), cl.ColorNet(head="ab")
    recipe.setup(model, torch.from_numpy(images).permute(0, 3, 1, 2))
    steps = model.prior, recipe.smooth, recipe.weight
    figure = charts.rebalancing(steps, model.cells, images[0], torch.ones(16, 16))
    picture, extent = figure.axes[2].images[0], figure.axes[2].images[0].get_extent()
    values = np.ma.filled(picture.get_array().astype(float), np.nan)  # (b, a)
    for number in (0, len(model.cells) // 2):
        a, b = ((x - extent[0]) // 10 for x in model.cells[number].tolist())
        assert values[int(b), int(a)] == pytest.approx(recipe.weight[number].item(), rel=1e-5)
