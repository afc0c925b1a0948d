import numpy as np
import pytest
import torch
from scipy import stats

import colorlib as cl
from colorlib.recipes import Distribution
from colorlib.study import calibration


@pytest.fixture
def likely():
    torch.manual_seed(0)
    return torch.randn(3, 109, 4, 4).mul(2).softmax(1)


def test_entropy_is_scipys(likely):
    expected = stats.entropy(likely.double().numpy(), axis=1)
    assert np.allclose(calibration.entropy(likely).numpy(), expected, atol=1e-4)


def test_expected_error_is_the_mean_distance_of_draws(likely):
    cells = cl.ColorNet().cells
    got = calibration.distance(likely, likely, cells)[1, 2, 3]
    p = likely[1, :, 2, 3]
    mean = (p[:, None] * cells).sum(0)
    drawn = cells[torch.multinomial(p, 200_000, replacement=True)]
    assert got == pytest.approx((drawn - mean).norm(dim=1).mean().item(), rel=0.01)
    sure = torch.zeros_like(likely).index_fill(1, torch.tensor(7), 1.0)
    off = calibration.distance(likely, sure, cells)[1, 2, 3]
    assert off == pytest.approx((cells[7] - mean).norm().item(), rel=1e-4)


def test_a_network_that_knows_is_calibrated_and_one_that_does_not_is_not(net, images, monkeypatch):
    recipe = Distribution()

    def known(model, gray):  # the truth itself, for the images in turn
        truth = cl.to_tensor(images[: len(gray)])
        index, share, _ = recipe.target(truth)
        return torch.zeros(len(gray), 109, 16, 16).scatter_add_(1, index, share)

    monkeypatch.setattr(calibration, "distribution", known)
    found = calibration.measure_calibration(net, images[:8])
    for row in (*found["cells"], *found["mode"]):
        assert row["predicted"] == pytest.approx(row["true"], abs=1e-4)
    assert found["mode_error"] < 1e-4
    for row in found["distance"]:
        assert row["true"] == pytest.approx(row["predicted"], abs=1e-4)
    assert found["correlation"] == pytest.approx(1, abs=1e-4)

    def sure(model, gray):  # always says grey
        cells = torch.zeros(len(gray), 109, 16, 16)
        cells[:, net.cells.norm(dim=1).argmin()] = 1
        return cells

    monkeypatch.setattr(calibration, "distribution", sure)
    found = calibration.measure_calibration(net, images[:8])
    truth = cl.to_tensor(images[:8])
    index, share, weight = recipe.target(truth)
    grey = (share * (index == net.cells.norm(dim=1).argmin())).sum(1, keepdim=True)
    came = ((grey * weight).sum() / weight.sum()).item()
    assert found["mode_error"] == pytest.approx(1 - came, abs=1e-4)
    assert [row["predicted"] for row in found["mode"]] == [1.0]
    assert found["entropy"] == pytest.approx(0, abs=1e-6)


def test_rows_are_sorted_tenths(net, images):
    found = calibration.measure_calibration(net, images)
    expected = [row["predicted"] for row in found["distance"]]
    assert len(expected) == 10 and expected == sorted(expected)
    total = sum(row["weight"] for row in found["mode"])
    value = cl.value(cl.to_tensor(images))
    assert total == pytest.approx(value.mean().item() * len(images) * 256, rel=1e-4)
