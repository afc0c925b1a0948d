import math

import pytest
import torch
from safetensors.torch import save_file

import colorlib as cl
from colorlib import decoding as m
from colorlib.color import add_chroma, rgb_to_lab, to_gray
from colorlib.compare.recipes import AbCells, ab_cells
from colorlib.model import predict

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
    cells = m.cell_centers(0.2)
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


def test_colorize_does_not_depend_on_batches(net):
    gray = torch.rand(5, 1, 32, 32)
    whole = cl.colorize(net, gray)
    assert torch.allclose(cl.colorize(net, gray, batch=2), whole, atol=1e-5)
    assert cl.colorize(net, gray[:0]).shape == (0, 3, 32, 32)


def test_colorize_leaves_the_training_mode_as_it_was(net):
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.train()
    cl.colorize(net, torch.rand(1, 1, 32, 32))
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_decode_is_the_mean_of_the_adjusted_distribution(net):
    net.schedules = {"luma": [m.DecodeSetting(0.0, 1.0), m.DecodeSetting(1.0, 0.5)]}
    logits = torch.randn(1, len(net.cells), 1, 1)
    for vividness, alpha, temperature in ((0, 0, 1), (0.5, 0.5, 0.75), (1, 1, 0.5)):
        p = [
            math.exp((logit - alpha * math.log(prior)) / temperature)
            for logit, prior in zip(logits.flatten().tolist(), net.prior.tolist(), strict=True)
        ]
        expected = sum(q * c for q, c in zip(p, net.cells, strict=True)) / sum(p)
        chroma = m.decode(
            net, logits, m.setting_at(net, vividness, "luma"), torch.zeros(1, 1, 1, 1), "luma"
        )
        assert torch.allclose(chroma.flatten(), expected, atol=1e-5)


@pytest.mark.parametrize("fold", [1, 2, 4])
def test_a_sure_network_gets_its_colour(fold):
    net = cl.ColorNet(**TINY, fold=fold)
    sure = torch.full((1, len(net.cells), 32 // fold, 32 // fold), -1e4)
    number = int((net.cells - torch.tensor([-0.4, 0.6])).norm(dim=1).argmin())
    sure[:, number] = 0
    chroma = m.decode(net, sure, m.DecodeSetting(), torch.rand(1, 1, 31, 30), "value")
    assert chroma.shape == (1, 2, 31, 30)
    assert torch.allclose(chroma, net.cells[number].view(1, 2, 1, 1), atol=1e-4)


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
    found = add_chroma(AbCells().to_chroma(ab, gray, given), gray, given)
    error = (found - rgb).abs().amax(1)
    assert error.median() < 0.005 and (error < 0.02).float().mean() > 0.85


def test_ab_cells_are_those_that_some_colour_is_nearest_to():
    cells = ab_cells()
    rgb = torch.rand(1, 3, 300, 300)
    near = {tuple(x) for x in (rgb_to_lab(rgb)[0, 1:].flatten(1).T / 10).round().tolist()}
    assert near <= {tuple(x) for x in (cells / 10).tolist()}
    assert len(cells) == len(cells.unique(dim=0)) and 250 < len(cells) < 313


def test_hue_saturation_head_decodes_hue_as_a_number():
    net = cl.ColorNet(**TINY, head="hue_saturation")
    expected = torch.tensor([0.25, 0.5]).view(1, 2, 1, 1)
    chroma = m.decode(
        net, expected.logit(), m.DecodeSetting(), torch.full((1, 1, 2, 2), 0.6), "value"
    )
    assert torch.allclose(chroma[0, :, 0, 0], torch.tensor([0.0, 0.5]), atol=1e-6)


def test_value_and_luma_can_be_told_apart(net):
    gray = torch.rand(1, 1, 32, 32)
    torch.nn.init.normal_(net.given.weight)
    value, luma = (net(gray, torch.tensor([i])) for i in (0, 1))
    assert not torch.allclose(value, luma)


@pytest.mark.parametrize("half", [False, True])
def test_saved_models_come_back(net, tmp_path, half):
    path = [m.DecodeSetting(*x) for x in ((0.0, 1.0), (0.5, 0.7), (1.0, 0.4))]
    net.schedules = {"luma": path, "value": path[::-1]}
    cl.save_model(net, tmp_path / "net.safetensors", half)
    loaded = cl.load_model(tmp_path / "net.safetensors")
    assert loaded.schedules == net.schedules and not loaded.training
    assert m.setting_at(loaded, 0.25, "luma") == pytest.approx((0.25, 0.85))
    gray = torch.rand(2, 1, 32, 32)
    for given in ("value", "luma"):
        was, is_now = (cl.colorize(model, gray, given, 0.7) for model in (net, loaded))
        assert (is_now - was).abs().mean() < (0.003 if half else 1e-6)
        if given == "luma" or not half:  # value given, a tie of two channels may fall either way
            assert torch.allclose(is_now, was, atol=0.02 if half else 1e-5)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_bad_weights_are_named(net, tmp_path):
    with pytest.raises(ValueError, match=r"'nothing', expected .* cifar"):
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
    with pytest.raises(ValueError, match="vividness: got '1', expected a number"):
        cl.colorize(net, gray, vividness="1")
    with pytest.raises(ValueError, match="model: got str, expected a ColorNet"):
        cl.colorize("cifar", gray)
    with pytest.raises(ValueError, match=r"model: got '5', expected a \.safetensors file"):
        cl.load_model(5)
    with pytest.raises(ValueError, match="'lightness', expected"):
        cl.colorize(net, gray, "lightness")
    with pytest.raises(ValueError, match="3 widths, 4 down"):
        cl.ColorNet((8, 8, 8), (1, 1, 1, 1), (1, 1))
    with pytest.raises(ValueError, match="head: got 'lab', expected distribution"):
        cl.ColorNet(**TINY, head="lab")


def test_shipped_weights_fit_and_say_how_they_were_made():
    import json

    from colorlib import paths

    for weights in paths.SHIPPED.glob(
        "*.safetensors"
    ):  # the classifiers have a folder of their own
        assert weights.stat().st_size <= 20e6
        made = json.loads(weights.with_suffix(".json").read_text())
        seed = made["config"]["seed"]
        assert made["data"]["training"] and (not seed or f"--seed {seed} " in made["command"])
        model = cl.load_model(weights.stem)
        assert model.config["widths"] == made["config"]["widths"]
        for given, path in model.schedules.items():
            expected = [(p["alpha"], p["temperature"]) for p in made["schedules"][given]]
            assert path == expected
    assert list(paths.SHIPPED.glob("cifar.safetensors"))


def test_weights_that_make_a_black_picture_are_refused(net, tmp_path):
    path = tmp_path / "net.safetensors"
    for settings, said in (([(0.0, 0.0)] * 2, "temperature above 0"), ([], "temperature above 0")):
        net.schedules = {"luma": settings}
        cl.save_model(net, path)
        with pytest.raises(ValueError, match=rf"net\.safetensors: .*{said}"):
            cl.load_model(path)
    net.schedules = {}
    net.head.bias.data[0] = float("nan")
    cl.save_model(net, path)
    with pytest.raises(ValueError, match=r"net\.safetensors: .*numbers that are not finite"):
        cl.load_model(path)


def test_a_mirrored_prediction_does_not_know_left_from_right(net):
    gray = torch.rand(2, 1, 40, 50, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        plain = predict(net, gray)
        both = predict(net, gray, mirror=True)
        padded = torch.nn.functional.pad(
            gray, (0, -50 % net.stride, 0, -40 % net.stride), "replicate"
        )
        again = predict(net, padded.flip(-1), mirror=True).flip(-1)
    assert both.shape == plain.shape
    assert not torch.allclose(plain, both)
    assert torch.allclose(both, again, atol=1e-5)
