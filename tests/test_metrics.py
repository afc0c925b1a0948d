import numpy as np
import pytest
import skimage.metrics
import torch

import colorlib as cl
from colorlib import metrics
from colorlib.color import rgb_to_lab, to_gray
from colorlib.fast.ssim import ssim
from colorlib.report import bootstrap, evaluation_report

# L a b of two colours and their CIEDE2000: Sharma, Wu, Dalal 2005, table 1
SHARMA = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(6, 3, 32, 32, generator=generator)
    return (truth + 0.2 * torch.randn(truth.shape, generator=generator)).clamp(0, 1), truth


def test_ciede2000_on_sharmas_pairs():
    rows = [[float(x) for x in row.split()] for row in SHARMA.strip().split("\n")]
    table = torch.tensor(rows, dtype=torch.float64)
    assert len(table) == 34
    first, second = (table[:, i : i + 3].view(-1, 3, 1, 1) for i in (0, 3))
    assert torch.allclose(metrics.ciede2000(first, second), table[:, 6], atol=1e-4)


def test_psnr_agrees_with_scikit_image_and_is_capped(pair):
    predicted, truth = pair
    expected = [
        skimage.metrics.peak_signal_noise_ratio(t.numpy(), p.numpy(), data_range=1)
        for p, t in zip(predicted, truth, strict=True)
    ]
    assert np.allclose(metrics.psnr(predicted, truth), expected, atol=1e-4)
    assert torch.allclose(metrics.psnr(truth, truth), torch.full((6,), 40.0))
    assert torch.allclose(metrics.psnr(truth[:1], truth[:1] * 0.9999), torch.tensor(40.0))


def test_ssim_agrees_with_scikit_image(pair):
    expected = [
        skimage.metrics.structural_similarity(
            t.double().numpy(), p.double().numpy(), data_range=1, channel_axis=0,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
        for p, t in zip(*pair, strict=True)
    ]  # fmt: skip
    assert np.allclose(ssim(*pair), expected, atol=1e-6)


def test_raw_auc_is_the_area_under_the_cumulative_curve(pair):
    predicted, truth = pair
    distance = metrics.ab_distance(rgb_to_lab(predicted), rgb_to_lab(truth)).flatten()
    thresholds = np.linspace(0, 150, 3001)
    shares = [(distance <= t).float().mean().item() for t in thresholds]
    assert cl.evaluate(predicted, truth)["raw_auc"] == pytest.approx(
        np.trapezoid(shares, thresholds) / 150, abs=2e-4
    )


def test_rebalanced_auc_by_the_definition(pair):
    predicted, truth = pair
    prior = torch.rand(22, 22).double() * 1e-3
    prior[3, 4] = 0
    lab_p, lab_t = (rgb_to_lab(x).double().numpy() for x in (predicted, truth))
    weights = total = 0.0
    for image_p, image_t in zip(lab_p, lab_t, strict=True):
        for a_p, b_p, a_t, b_t in zip(
            *(x[i].ravel() for x in (image_p, image_t) for i in (1, 2)), strict=True
        ):
            cell = prior[int((a_t + 110) // 10), int((b_t + 110) // 10)].item()
            weight = 1 / max(cell, 1e-4)
            weights += weight
            total += weight * min(np.hypot(a_p - a_t, b_p - b_t), 150)
    expected = 1 - total / weights / 150
    measured = cl.evaluate(predicted, truth, prior)["rebalanced_auc"]
    assert measured == pytest.approx(expected, abs=1e-4)


def test_colourfulness_by_the_definition(pair):
    expected = []
    for image in pair[0].double().numpy() * 255:
        rg, yb = image[0] - image[1], 0.5 * (image[0] + image[1]) - image[2]
        spread = np.hypot(np.std(rg, ddof=1), np.std(yb, ddof=1))
        expected.append(spread + 0.3 * np.hypot(np.mean(rg), np.mean(yb)))
    assert np.allclose(metrics.colourfulness(pair[0]), expected, atol=1e-6)
    assert metrics.colourfulness(torch.full((1, 3, 8, 8), 0.3)).item() == pytest.approx(0, abs=1e-9)


def test_perfect_and_grey(pair):
    _, truth = pair
    perfect = cl.evaluate(truth, truth)
    assert perfect["psnr"] == pytest.approx(40) and perfect["raw_auc"] == 1
    assert perfect["ssim"] == pytest.approx(1) and perfect["mae"] == 0
    assert perfect["colourfulness_ratio"] == pytest.approx(1)
    grey = cl.evaluate(to_gray(truth, "luma").expand(-1, 3, -1, -1), truth)
    assert grey["colourfulness_ratio"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(3, 4), (0,), (22, 22)])
@pytest.mark.parametrize("share", [torch.nan, torch.inf, -1.0])
def test_a_prior_that_is_none_is_refused(shape, share):
    truth = torch.rand(2, 3, 32, 32)
    with pytest.raises(ValueError, match=r"prior: got shape .*, expected shares \(22, 22\)"):
        cl.evaluate(truth, truth, torch.full(shape, share))


def test_shipped_prior_is_a_distribution():
    prior = metrics.ab_prior()
    assert prior.shape == (22, 22) and prior.sum().item() == pytest.approx(1)
    assert prior.argmax().item() in (11 * 22 + 11, 10 * 22 + 11, 11 * 22 + 10, 10 * 22 + 10)


def test_bootstrap_interval_covers_the_mean_difference_and_narrows():
    random = np.random.default_rng(0)
    truth = torch.from_numpy(random.random((40, 3, 16, 16))).float()
    noisy = (truth + 0.1 * torch.from_numpy(random.normal(size=truth.shape))).float().clamp(0, 1)
    better, worse = metrics.per_image((truth + noisy) / 2, truth), metrics.per_image(noisy, truth)
    low, high = bootstrap.paired_bootstrap(better, worse, 200)["psnr"]
    gain = metrics.summary(better)["psnr"] - metrics.summary(worse)["psnr"]
    assert low < gain < high
    normal = 1.96 * (better["psnr"] - worse["psnr"]).std().item() / 40**0.5
    assert (high - low) / 2 == pytest.approx(normal, rel=0.3)
    assert bootstrap.paired_bootstrap(better, better, 20)["psnr"] == [0, 0]


def test_error_by_hue_and_class():
    hsv = torch.ones(2, 3, 4, 4) * 0.8
    hsv[0, 0], hsv[1, 0] = 0.01, 0.51
    truth = cl.hsv_to_rgb(hsv)
    guess = truth.clone()
    guess[1] = truth[1].flip(0)
    curve = evaluation_report.by_hue(guess, truth, bins=4)
    assert curve[0] == 0 and curve[2] > 20 and np.isnan(curve[[1, 3]]).all()
    errors = metrics.mean_ab_error(guess, truth)
    by_class = evaluation_report.group_means(errors, np.array([1, 0]), 3)
    assert by_class.tolist() == pytest.approx([errors[1].item(), 0, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("predicted", "truth", "said"),
    [
        (torch.rand(2, 3, 32, 32), torch.rand(3, 3, 32, 32), "expected the same"),
        (torch.rand(0, 3, 32, 32), torch.rand(0, 3, 32, 32), "N > 0"),
        (torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32), "predicted: got shape"),
        (torch.rand(2, 3, 32, 32) * 255, torch.rand(2, 3, 32, 32), "predicted: got values"),
    ],
)
def test_bad_pairs_are_named(predicted, truth, said):
    with pytest.raises(ValueError, match=said):
        cl.evaluate(predicted, truth)


@pytest.mark.full
def test_grey_on_the_whole_test_split(real_data):
    truth = cl.to_tensor(cl.load_images("cifar100", "test"))
    for given, psnr in (("value", 19.97), ("luma", 23.28)):
        grey = cl.evaluate(to_gray(truth, given).expand(-1, 3, -1, -1), truth)
        assert round(grey["psnr"], 2) == psnr
        assert round(grey["raw_auc"], 4) == 0.8844
        assert round(grey["rebalanced_auc"], 4) == 0.6422
    assert round(metrics.colourfulness(truth).mean().item(), 2) == 40.09


def test_quick_leaves_out_only_what_is_slow():
    truth, predicted = torch.rand(2, 6, 3, 16, 16)
    whole = metrics.summary(metrics.per_image(predicted, truth))
    quick = metrics.summary(metrics.per_image(predicted, truth, quick=True))
    assert set(whole) - set(quick) == {"ciede2000", "ssim"}
    assert all(whole[name] == value for name, value in quick.items())


def test_bootstrap_interval_is_about_two_standard_errors():
    torch.manual_seed(0)
    truth = torch.rand(400, 3, 12, 12)
    predicted = (truth + 0.2 * torch.rand(400, 1, 1, 1) * torch.randn_like(truth)).clamp(0, 1)
    rows = metrics.per_image(predicted, truth, quick=True)
    low, high = bootstrap.bootstrap(rows)["psnr"]
    error = (rows["psnr"].std() / 400**0.5).item()
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert low < rows["psnr"].mean() < high
