import colorsys
import math

import pytest
import torch
from safetensors.torch import save_file

import colorlib as cl
from colorlib import decoding as m
from colorlib.color import join, rgb_to_lab, to_gray

TINY = {"widths": (8, 8, 16), "down": (1, 1, 1), "up": (1, 1)}


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = cl.ColorNet(**TINY).eval()
    torch.nn.init.normal_(net.head.weight, std=2)
    net.prior.copy_(torch.rand(len(net.cells)).softmax(0))
    return net


def test_output_is_one_logit_per_cell_at_half_resolution(net):
    out = net(torch.rand(2, 1, 32, 48), torch.zeros(2, dtype=torch.long))
    assert out.shape == (2, len(net.cells), 16, 24)


def test_cells_cover_the_disk():
    cells = m.cell_centres(0.2)
    assert len({tuple(c) for c in cells.tolist()}) == len(cells)
    inside = [(i, j) for i in range(-5, 6) for j in range(-5, 6) if math.hypot(i, j) <= 5]
    have = {tuple(round(x / 0.2) for x in c) for c in cells.tolist()}
    assert set(inside) <= have
    lattice = m.cell_lattice(cells, 0.2)
    for number, cell in enumerate(cells):
        i, j = (cell / 0.2).round().long().tolist()
        assert lattice[i + 5, j + 5] == number


@pytest.mark.parametrize("given", ["value", "luma"])
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (50, 32)])
def test_colorize_keeps_gray_at_any_size(net, given, size):
    gray = torch.rand(3, 1, *size)
    for vividness in (0, 0.3, 1):
        rgb = cl.colorize(net, gray, given, vividness)
        assert rgb.shape == (3, 3, *size) and rgb.min() >= 0 and rgb.max() <= 1
        assert torch.allclose(to_gray(rgb, given), gray, atol=1e-5)
    assert rgb.std(1).max() > 0.01


def test_colorize_does_not_depend_on_batches_or_mirroring(net):
    gray = torch.rand(5, 1, 32, 32)
    whole = cl.colorize(net, gray)
    assert torch.allclose(cl.colorize(net, gray, batch=2), whole, atol=1e-5)
    assert torch.allclose(cl.colorize(net, gray.flip(-1)).flip(-1), whole, atol=1e-5)
    assert cl.colorize(net, gray[:0]).shape == (0, 3, 32, 32)


def test_colorize_leaves_the_training_mode_as_it_was(net):
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.train()
    cl.colorize(net, torch.rand(1, 1, 32, 32))
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_decode_is_the_mean_of_the_adjusted_distribution(net):
    net.path = [(0.0, 1.0), (1.0, 0.5)]
    logits = torch.randn(1, len(net.cells), 1, 1)
    for vividness, alpha, temperature in ((0, 0, 1), (0.5, 0.5, 0.75), (1, 1, 0.5)):
        p = [
            math.exp((logit - alpha * math.log(prior)) / temperature)
            for logit, prior in zip(logits.flatten().tolist(), net.prior.tolist(), strict=True)
        ]
        expected = sum(q * c for q, c in zip(p, net.cells, strict=True)) / sum(p)
        chroma = m.decode(
            net, logits, m.path_point(net.path, vividness), torch.zeros(1, 1, 1, 1), "luma"
        )
        assert torch.allclose(chroma.flatten(), expected, atol=1e-5)


def test_value_has_a_path_of_its_own(net, tmp_path):
    net.path, net.value_path = [(0.0, 1.0), (1.0, 0.5)], [(0.5, 0.5), (0.75, 0.25)]
    cl.save_model(net, tmp_path / "net.safetensors")
    loaded = cl.load_model(tmp_path / "net.safetensors")
    assert m.setting_at(loaded, 0.5, "luma") == (0.5, 0.75)
    assert m.setting_at(loaded, 0.5, "value") == (0.625, 0.375)
    loaded.value_path = None
    assert m.setting_at(loaded, 0.5, "value") == (0.5, 0.75)


def test_a_prior_that_knows_the_brightness_is_looked_up_at_each_block(net):
    net.common = torch.rand(2, 3, len(net.cells)).softmax(-1)  # at black, half, white
    logits = torch.randn(1, len(net.cells), 1, 2)
    gray = torch.tensor([[0.0, 0.2, 1.0], [0.0, 0.2, 1.0]]).view(1, 1, 2, 3)  # means 0.1 and 1
    for given, number in (("value", 0), ("luma", 1)):
        likely = m.likelihood(net, logits, (0.5, 0.8), gray, given)
        for column, level in ((0, 0), (1, 2)):
            scores = [
                math.exp((logit - 0.5 * math.log(share)) / 0.8)
                for logit, share in zip(
                    logits[0, :, 0, column].tolist(),
                    net.common[number, level].tolist(),
                    strict=True,
                )
            ]
            expected = torch.tensor(scores) / sum(scores)
            assert torch.allclose(likely[0, :, 0, column], expected, atol=1e-5)


def test_contrast_plays_down_what_is_likely_nearby(net, monkeypatch):
    monkeypatch.setattr(m, "NEARBY", 3)
    logits, gray = torch.randn(1, len(net.cells), 4, 5), torch.zeros(1, 1, 8, 10)
    chances = logits[0].softmax(0).tolist()
    likely = m.likelihood(net, logits, (0.0, 0.8, 0.6), gray, "luma")
    for row, column in ((0, 0), (2, 3), (3, 4)):
        near = [
            (i, j)
            for i in range(max(0, row - 1), min(4, row + 2))
            for j in range(max(0, column - 1), min(5, column + 2))
        ]
        scores = []
        for logit, cell in zip(logits[0, :, row, column].tolist(), chances, strict=True):
            mean = sum(cell[i][j] for i, j in near) / len(near)
            scores.append(math.exp((logit - 0.6 * math.log(mean + 1e-3)) / 0.8))
        expected = torch.tensor(scores) / sum(scores)
        assert torch.allclose(likely[0, :, row, column], expected, atol=1e-5)


def test_with_a_contrast_colours_come_to_full_size_along_the_edges(net):
    gray = torch.full((1, 1, 31, 30), 0.2)
    gray[..., 15:] = 0.9  # in the middle of a block
    left = torch.arange(15).view(1, 1, 1, 15) < 7.5
    logits = torch.full((1, len(net.cells), 16, 15), -1e4)
    red, blue = (
        int((net.cells - torch.tensor(c)).norm(dim=1).argmin()) for c in ((0.8, 0), (-0.4, -0.6))
    )
    logits[:, red], logits[:, blue] = torch.where(left, 0.0, -1e4), torch.where(left, -1e4, 0.0)
    plain, along = (m.decode(net, logits, s, gray, "luma") for s in ((0.0, 1.0), (0.0, 1.0, 0.0)))
    assert along.shape == plain.shape == (1, 2, 31, 30)
    wanted = torch.where(
        gray < 0.5, net.cells[red].view(1, 2, 1, 1), net.cells[blue].view(1, 2, 1, 1)
    )
    assert (along - wanted).abs().mean() < 0.5 * (plain - wanted).abs().mean()


@pytest.mark.parametrize("fold", [1, 2, 4])
def test_given_value_a_sure_network_gets_its_colour(fold):
    """Where one cell has all the likelihood, nothing is to be raised."""
    net = cl.ColorNet(**TINY, fold=fold)
    sure = torch.full((1, len(net.cells), 32 // fold, 32 // fold), -1e4)
    number = int((net.cells - torch.tensor([-0.4, 0.6])).norm(dim=1).argmin())
    sure[:, number] = 0
    chroma = m.decode(net, sure, (0.0, 1.0), torch.rand(1, 1, 31, 30), "value")
    assert chroma.shape == (1, 2, 31, 30)
    assert torch.allclose(chroma, net.cells[number].view(1, 2, 1, 1), atol=1e-4)


def test_given_value_the_least_squared_error_is_the_raised_mean(net, monkeypatch):
    """Against all colours with a channel of 1, tried one by one."""
    monkeypatch.setattr(m, "RAISED", 1.0)
    logits = 3 * torch.randn(1, len(net.cells), 1, 1)
    gray = torch.full((1, 1, 32, 32), 0.5)
    chroma = m.decode(net, logits.expand(-1, -1, 16, 16), (0.0, 1.0), gray, "value")
    found = join(chroma, torch.ones_like(gray), "value")[0, :, 9, 9]
    cells = [
        colorsys.hsv_to_rgb(math.atan2(y, x) / math.tau % 1, min(1, math.hypot(x, y)), 1)
        for x, y in net.cells.tolist()
    ]
    likely, cells = logits.flatten().softmax(0), torch.tensor(cells)
    step = torch.linspace(0, 1, 101)
    two = torch.cartesian_prod(step, step)
    red_is_one = torch.stack((torch.ones(len(two)), *two.T), 1)
    tried = torch.cat([red_is_one.roll(i, 1) for i in range(3)])
    errors = torch.cdist(torch.cat((found[None], tried)), cells).square() @ likely
    assert errors[0] <= errors[1:].min() + 1e-5
    assert errors[1:].max() > errors[0] + 0.1


@pytest.mark.parametrize("head", ["ab", "chroma", "hue_saturation"])
@pytest.mark.parametrize("given", ["value", "luma"])
def test_every_head_keeps_gray(head, given):
    torch.manual_seed(0)
    net = cl.ColorNet(**TINY, head=head).eval()
    torch.nn.init.normal_(net.head.weight)
    gray = torch.rand(2, 1, 33, 40)
    rgb = cl.colorize(net, gray, given)
    assert torch.allclose(to_gray(rgb, given), gray, atol=1e-5)
    assert rgb.std(1).max() > 0.01


@pytest.mark.parametrize("given", ["value", "luma"])
def test_ab_and_gray_give_the_colour_back(given):
    rgb = torch.rand(1, 3, 40, 50) * 0.9 + 0.05
    ab, gray = rgb_to_lab(rgb)[:, 1:], to_gray(rgb, given)
    found = join(m.ab_to_chroma(ab, gray, given), gray, given)
    error = (found - rgb).abs().amax(1)
    assert error.median() < 0.005 and (error < 0.02).float().mean() > 0.85


def test_ab_cells_are_those_that_some_colour_is_nearest_to():
    cells = m.ab_cells()
    rgb = torch.rand(1, 3, 300, 300)
    near = {tuple(x) for x in (rgb_to_lab(rgb)[0, 1:].flatten(1).T / 10).round().tolist()}
    assert near <= {tuple(x) for x in (cells / 10).tolist()}
    assert len(cells) == len(cells.unique(dim=0)) and 250 < len(cells) < 313


def test_hue_saturation_head_decodes_hue_as_a_number():
    net = cl.ColorNet(**TINY, head="hue_saturation")
    wanted = torch.tensor([0.25, 0.5]).view(1, 2, 1, 1)
    chroma = m.decode(net, wanted.logit(), (0.0, 1.0), torch.full((1, 1, 2, 2), 0.6), "value")
    assert torch.allclose(chroma[0, :, 0, 0], torch.tensor([0.0, 0.5]), atol=1e-6)


def test_value_and_luma_can_be_told_apart(net):
    gray = torch.rand(1, 1, 32, 32)
    torch.nn.init.normal_(net.given.weight)
    value, luma = (net(gray, torch.tensor([i])) for i in (0, 1))
    assert not torch.allclose(value, luma)


@pytest.mark.parametrize("half", [False, True])
def test_saved_models_come_back(net, tmp_path, half):
    net.path = [(0.0, 1.0), (0.5, 0.7), (1.0, 0.4)]
    net.common = torch.rand(2, 33, len(net.cells)).softmax(-1)
    cl.save_model(net, tmp_path / "net.safetensors", half)
    loaded = cl.load_model(tmp_path / "net.safetensors")
    assert loaded.path == net.path and loaded.value_path is None and not loaded.training
    assert (
        torch.allclose(loaded.common, net.common, rtol=1e-3) and loaded.common.dtype == torch.float
    )
    gray = torch.rand(2, 1, 32, 32)
    for given in ("value", "luma"):
        was, is_now = (cl.colorize(model, gray, given, 0.7) for model in (net, loaded))
        assert (is_now - was).abs().mean() < (0.003 if half else 1e-6)
        if given == "luma" or not half:  # value given, a tie of two channels may fall either way
            assert torch.allclose(is_now, was, atol=0.02 if half else 1e-5)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_bad_weights_are_named(net, tmp_path):
    with pytest.raises(ValueError, match=r"'nothing', wanted .* cifar"):
        cl.load_model("nothing")
    path = tmp_path / "net.safetensors"
    cl.save_model(net, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"net\.safetensors: not a ColorNet"):
        cl.load_model(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"net\.safetensors: not a ColorNet"):
        cl.load_model(path)


@pytest.mark.parametrize(
    ("gray", "said"),
    [
        (torch.rand(2, 3, 32, 32), "(2, 3, 32, 32)"),
        (torch.rand(1, 32, 32), "(1, 32, 32)"),
        (torch.rand(2, 1, 31, 32), "H and W from 32"),
        (torch.zeros(2, 1, 32, 32, dtype=torch.uint8), "uint8"),
        (torch.full((2, 1, 32, 32), 255.0), "255"),
    ],
)
def test_bad_gray_is_named(net, gray, said):
    with pytest.raises(ValueError) as caught:
        cl.colorize(net, gray)
    assert said in str(caught.value)


def test_bad_settings_are_named(net):
    gray = torch.rand(1, 1, 32, 32)
    with pytest.raises(ValueError, match=r"vividness: got 1\.5"):
        cl.colorize(net, gray, vividness=1.5)
    with pytest.raises(ValueError, match="'lightness', wanted"):
        cl.colorize(net, gray, "lightness")
    with pytest.raises(ValueError, match="3 widths, 4 down"):
        cl.ColorNet((8, 8, 8), (1, 1, 1, 1), (1, 1))
    with pytest.raises(ValueError, match="head: got 'lab', wanted distribution"):
        cl.ColorNet(**TINY, head="lab")


def test_shipped_weights_fit_and_say_how_they_were_made():
    import json

    from colorlib import paths

    for weights in paths.SHIPPED.glob("*.safetensors"):  # the judges have a folder of their own
        assert weights.stat().st_size <= 6e6
        made = json.loads(weights.with_suffix(".json").read_text())
        assert made["minutes"] <= (90 if weights.stem == "photo" else 60)
        assert {"cpu", "cores", "gpu"} <= set(made["machine"])
        assert made["data"]["training"] and made["config"]["seed"] == 0
        model = cl.load_model(weights.stem)
        assert model.config["widths"] == made["config"]["widths"]
        names = ("alpha", "T", "contrast")
        for path, kept in ((model.path, "vividness_path"), (model.value_path, "value_path")):
            points = [tuple(p[name] for name in names if name in p) for p in made.get(kept) or []]
            assert (path or []) == points
    assert list(paths.SHIPPED.glob("cifar.safetensors"))
