import math

import pytest
import torch
import torch.nn.functional as F

import colorlib as cl
from colorlib import batches, recipes
from colorlib.color import hsv_to_chroma, rgb_to_lab
from colorlib.compare import nogan
from colorlib.compare.recipes import HueSaturation, Rebalanced, ab_cells
from colorlib.decoding import cell_centers, look_up


def seen(rgb, given=1):
    flags = torch.full((len(rgb),), given)
    gray = cl.luma(rgb) if given else cl.value(rgb)
    return batches.Batch(rgb, gray, flags)


def disk(count):
    generator = torch.Generator().manual_seed(0)
    radius, turns = torch.rand(count, generator=generator).sqrt(), torch.rand(count)
    angle = 2 * math.pi * turns
    edge = [[1, 0], [-1, 0], [0, 1], [0, -1], [0, 0], [0.2, 0.4], [0.7071, 0.7071]]
    points = torch.stack((radius * angle.cos(), radius * angle.sin()), 1)
    return torch.cat((points, torch.tensor(edge)))


@pytest.mark.parametrize("spacing", [0.2, 0.25, 0.15])
def test_soft_targets_are_shares_whose_mean_is_the_true_chroma(spacing):
    points = disk(5000)
    index, share = recipes.Distribution(spacing).encode(points.T.view(1, 2, -1, 1))
    assert index.min() >= 0
    assert share.min() >= -1e-5 and torch.allclose(share.sum(1), torch.ones(1))
    cells = cell_centers(spacing)[index[0, :, :, 0]]  # (4, P, 2)
    mean = (share[0, :, :, 0, None] * cells).sum(0)
    assert torch.allclose(mean, points, atol=1e-5)
    near = (cells - points).abs().amax(-1)
    assert near.max() <= spacing + 1e-5


def test_target_is_the_value_weighted_mean_chroma():
    rgb = torch.rand(2, 3, 8, 8)
    target, weight = recipes.chroma_target(rgb)
    hsv = cl.rgb_to_hsv(rgb)
    chroma = hsv_to_chroma(hsv)
    block = slice(2, 4), slice(4, 6)
    value = hsv[1, 2][block]
    expected = (chroma[1][(slice(None), *block)] * value).sum((1, 2)) / value.sum()
    assert torch.allclose(target[1, :, 1, 2], expected, atol=1e-6)
    assert torch.allclose(weight[1, 0, 1, 2], value.mean())


def test_without_folding_every_pixel_has_its_own_target():
    rgb = torch.rand(2, 3, 8, 8)
    target, weight = recipes.chroma_target(rgb, 1)
    assert torch.allclose(target, hsv_to_chroma(cl.rgb_to_hsv(rgb)), atol=1e-6)
    assert torch.equal(weight, rgb.amax(1, keepdim=True))
    for fold in (1, 2, 4):
        for name in ("distribution", "regression", "original", "eccv16"):
            config = cl.Config(recipe=name, fold=fold, widths=(8, 8), down=(0, 0), up=(0,))
            model, recipe = cl.build(config)
            output = model(cl.luma(rgb), torch.ones(2).long())
            assert output.shape[-2:] == (8 // fold, 8 // fold)
            assert torch.isfinite(recipe.loss(output, seen(rgb)))
            rgb32 = torch.rand(1, 1, 33, 40)  # sides that no fold divides
            assert cl.colorize(model, rgb32, "luma").shape == (1, 3, 33, 40)


def test_black_images_have_a_target():
    target, weight = recipes.chroma_target(torch.zeros(1, 3, 4, 4))
    assert torch.equal(target, torch.zeros(1, 2, 2, 2)) and weight.sum() == 0
    white = torch.ones(1, 3, 4, 4)
    loss = recipes.Distribution().loss(torch.zeros(1, 109, 2, 2), seen(white))
    assert torch.isfinite(loss)
    black = recipes.Distribution().loss(torch.zeros(1, 109, 2, 2), seen(0 * white))
    assert torch.isfinite(black)


def test_loss_and_gradient_are_those_of_cross_entropy_against_dense_targets():
    torch.manual_seed(0)
    rgb, recipe = torch.rand(2, 3, 8, 8), recipes.Distribution()
    output = torch.randn(2, len(cell_centers(0.2)), 4, 4).mul(5).requires_grad_()
    target, weight = recipes.chroma_target(rgb)
    index, share = recipe.encode(target)
    dense = torch.zeros_like(output).scatter_add_(1, index, share)
    entropy = F.cross_entropy(output, dense, reduction="none")
    expected = (entropy * weight[:, 0]).sum() / weight.sum()
    loss = recipe.loss(output, seen(rgb))
    assert torch.allclose(loss, expected, atol=1e-5)
    (expected,), (got,) = (torch.autograd.grad(x, output) for x in (expected, loss))
    assert expected.abs().max() > 1e-3 and torch.allclose(got, expected, atol=1e-6)


def test_prior_is_the_mean_target(images):
    model, recipe = cl.ColorNet((8, 8), (0, 0), (0,)), recipes.Distribution()
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
    recipe.setup(model, pixels)
    assert torch.allclose(model.prior.sum(), torch.tensor(1.0), atol=1e-3)
    target, weight = recipes.chroma_target(pixels.float() / 255)
    mean = (target * weight).sum((0, 2, 3)) / weight.sum()
    assert torch.allclose(model.prior @ model.cells, mean, atol=1e-3)


def test_regression_is_least_at_the_truth():
    rgb, recipe = torch.rand(2, 3, 8, 8), recipes.ChromaRegression()
    target, _ = recipes.chroma_target(rgb)
    assert recipe.loss(target, seen(rgb)) == 0
    assert recipe.loss(target + 0.1, seen(rgb)) > 0


def test_a_black_batch_has_a_finite_loss():
    zero = torch.zeros(1, 3, 8, 8)
    assert torch.isfinite(recipes.ChromaRegression().loss(torch.zeros(1, 2, 4, 4), seen(zero)))


def test_original_is_least_at_the_true_hue_and_saturation():
    rgb = F.interpolate(torch.rand(2, 3, 1, 1), (8, 8)).clamp(0.1, 0.9)
    expected = F.avg_pool2d(cl.rgb_to_hsv(rgb)[:, :2], 2).clamp(1e-6, 1 - 1e-6).logit()
    recipe = HueSaturation()
    assert recipe.loss(expected, seen(rgb)) < 1e-9
    assert recipe.loss(expected + 1, seen(rgb)) > 1e-3


def test_eccv16_encodes_on_the_five_nearest_cells():
    rgb = torch.rand(1, 3, 40, 40)
    ab = rgb_to_lab(rgb)[:, 1:]
    index, share = Rebalanced().encode(ab)
    cells = ab_cells()
    points = ab[0].flatten(1).T
    distance, near = torch.cdist(points, cells).topk(5, largest=False)
    weight = torch.exp(-distance.square() / 50)
    expected = torch.zeros(len(points), len(cells)).scatter_add_(1, near, weight)
    expected = expected / expected.sum(1, keepdim=True)
    got = torch.zeros_like(expected)
    got.scatter_add_(1, index[0].flatten(1).T, share[0].flatten(1).T)
    agree = (got - expected).abs().amax(1) < 1e-3  # ties between far cells may go either way
    assert agree.float().mean() > 0.99 and torch.allclose(got.sum(1), torch.ones(1), atol=1e-5)


def test_eccv16_weighs_rare_colours_up_and_one_on_average(images):
    model, recipe = cl.ColorNet((8, 8), (0, 0), (0,), head="ab"), Rebalanced()
    recipe.setup(model, torch.from_numpy(images).permute(0, 3, 1, 2))
    first = recipe.weight.clone()
    recipe.setup(model, torch.from_numpy(images).permute(0, 3, 1, 2))  # as when fit is called again
    assert torch.equal(recipe.weight, first)
    assert recipe.weight[model.prior.argmax()] < recipe.weight[model.prior.argmin()]
    assert recipe.weight.max() / recipe.weight.min() > 2
    near = torch.exp(-torch.cdist(model.cells, model.cells).square() / 50)
    smooth = (near / near.sum(0)) @ model.prior
    assert (recipe.weight * smooth).sum() == pytest.approx(1, abs=1e-4)
    # equation 4, up to its scale: with lambda 0.5 the inverse of a mix with the uniform
    mixed = 1 / (0.5 * smooth + 0.5 / len(smooth))
    assert torch.allclose(recipe.weight / recipe.weight[0], mixed / mixed[0], rtol=1e-4)


@pytest.mark.parametrize("given", [0, 1])
def test_picture_of_the_true_chroma_is_the_image(given):
    rgb = F.interpolate(torch.rand(3, 3, 1, 1) * 0.9, (8, 8))
    target, _ = recipes.chroma_target(rgb)
    assert torch.allclose(nogan.to_picture(target, seen(rgb, given)), rgb, atol=1e-3)


def test_feature_loss_is_least_at_the_truth_and_leaves_the_classifier_alone():
    recipe = nogan.FeatureLoss()
    recipe.setup(cl.ColorNet((8, 8), (0, 0), (0,), head="chroma"), torch.zeros(0, 3, 32, 32))
    rgb = F.interpolate(torch.rand(2, 3, 1, 1), (32, 32)).clamp(0.1, 0.9)
    target, _ = recipes.chroma_target(rgb)
    output = (target + 0.2).requires_grad_()
    assert recipe.loss(target, seen(rgb)) < 0.01 < recipe.loss(output, seen(rgb))
    recipe.loss(output, seen(rgb)).backward()
    assert output.grad.abs().max() > 0
    assert all(p.grad is None for p in recipe.classifier.parameters())


def test_the_table_of_recipes_names_each_class_by_its_own_name(monkeypatch):
    for name in recipes.RECIPES:
        assert look_up(recipes.RECIPES, name, "recipe").name == name
    with pytest.raises(ValueError, match="recipe: got 'none', expected distribution or"):
        cl.build(cl.Config(recipe="none"))

    class Mine(recipes.Recipe):
        name = "mine"

    monkeypatch.setitem(recipes.RECIPES, "mine", Mine)
    assert isinstance(cl.build(cl.Config(recipe="mine"))[1], Mine)
