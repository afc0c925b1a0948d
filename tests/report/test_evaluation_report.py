"""What notebook 3 shows, against numbers computed here."""

import numpy as np
import pytest
from conftest import drawn, shown

import colorlib as cl
from colorlib import metrics
from colorlib.report import evaluation, evaluation_report, store


def test_raw_auc_is_told_in_lab_units(net, images):
    rows = evaluation.evaluate_systems(evaluation.compared_systems(net, "luma"), images, "luma")
    data = store.data_record("sample", "test", images)
    text = evaluation_report.explained({"rows": rows, "data": data, "config": {"given": "luma"}})
    truth = cl.to_tensor(images)
    gray = cl.luma(truth)
    for rgb, words in (
        (cl.colorize(net, gray, "luma"), "our colour is {:.1f} ab units off"),
        (gray.expand(-1, 3, -1, -1), "Grey is {:.1f} off"),
    ):
        assert words.format(metrics.mean_ab_error(rgb, truth).mean().item()) in text


def test_by_hand_stands_beside_the_library(images):
    truth = cl.to_tensor(images)
    text = evaluation_report.by_hand(truth * 0.9, truth, psnr=12.345)
    assert f"| PSNR, dB | 12.35 | {metrics.evaluate(truth * 0.9, truth)['psnr']:.2f} |" in text


def test_the_gain_is_smaller_on_other_photographs_and_without_duplicates():
    names = evaluation_report.COMMITTED.values()
    found = [store.load_result(name, committed=True) for name in names]
    gains = [r["rows"][2]["psnr"] - r["rows"][0]["psnr"] for r in found]
    assert gains[1] > gains[2] > gains[3] > 0  # what notebook 3 says
    assert 0.35 < gains[3] / gains[1] < 0.65  # "about half as large"
    table, text = evaluation_report.gains(found[1]).split("\n\n")
    assert "| measured here, luma |" in table and len(table.splitlines()) == 7
    for gain, result in zip(gains[1:], found[1:], strict=True):
        assert f"+{gain:.2f} dB" in text
        assert result["rows"][2]["vividness"] == 0 and result["config"]["given"] == "luma"
    assert "1,000 photographs" in text


def test_the_trade_off_has_each_row_in_both_panels():
    rows = store.load_result("cifar-luma", committed=True)["rows"]
    auc, psnr = evaluation_report.trade_off().axes
    assert drawn(auc, "mean colour")[:, 0] == pytest.approx(
        [rows[1]["raw_auc"], rows[1]["rebalanced_auc"]]
    )
    assert drawn(psnr, "ours")[1] == pytest.approx([row["psnr"] for row in rows[2:]])
    assert [a.get_text() for a in psnr.texts] == ["0", "0.25", "0.5", "0.75", "1"]


def test_levels_show_input_predictions_and_truth(net, images):
    figure = evaluation_report.levels(net, images[:2])
    found = shown(figure)
    gray = cl.luma(cl.to_tensor(images[:2]))
    assert np.array_equal(found[0], cl.to_images(gray.expand(-1, 3, -1, -1))[0])
    assert np.array_equal(found[3], cl.to_images(cl.colorize(net, gray, "luma", 0.0))[1])
    assert np.array_equal(found[-1], images[1])


def test_best_and_worst_are_those_of_the_errors(net, images):
    figure = evaluation_report.best_worst(net, images, 2)
    truth = cl.to_tensor(images)
    errors = metrics.mean_ab_error(cl.colorize(net, cl.luma(truth), "luma"), truth).numpy()
    order = errors.argsort()
    expected = images[[*order[:2], *order[-2:]]]
    assert all(np.array_equal(a, b) for a, b in zip(shown(figure)[-4:], expected, strict=True))
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [f"{errors[i]:.1f}" for i in [*order[:2], *order[-2:]]]


def test_classes_are_ranked_by_error_and_by_gain(net, images):
    labels = (np.arange(len(images)) % 3, ["a_b", "c", "d", "none"])
    small, large, gain = evaluation_report.classes(net, images, labels, 2).axes
    truth = cl.to_tensor(images)
    gray = cl.luma(truth)
    ours, grey = (
        [metrics.mean_ab_error(x, truth)[i::3].mean().item() for i in range(3)]
        for x in (cl.colorize(net, gray, "luma"), gray.expand(-1, 3, -1, -1))
    )
    assert [bar.get_width() for bar in small.patches] == pytest.approx(sorted(ours)[:2], rel=1e-5)
    assert [bar.get_width() for bar in large.patches] == pytest.approx(
        sorted(ours)[:0:-1], rel=1e-5
    )
    first = int(np.argmax(np.subtract(grey, ours)))
    assert gain.get_yticklabels()[0].get_text() == ["a b", "c", "d"][first]
    assert drawn(gain, "grey")[0][0] == pytest.approx(grey[first], rel=1e-5)


def test_the_error_of_each_hue_is_drawn_over_its_hue(net, images):
    (axis,) = evaluation_report.hues(net, images).axes
    truth = cl.to_tensor(images)
    expected = evaluation_report.by_hue(cl.luma(truth).expand(-1, 3, -1, -1), truth)
    hues, errors = drawn(axis, "grey")
    assert np.allclose(errors, expected, equal_nan=True)
    assert np.allclose(hues, np.arange(1, 48, 2) / 48)


def test_memorised_is_said_only_of_a_real_difference(net, images, monkeypatch):
    same = evaluation_report.seen_unseen_summary(net, images, images)
    assert "0.00 ± " in same and "no more than chance" in same
    truth = cl.to_tensor(images)

    def knows(model, gray, given, vividness):  # the truth of the first images, grey for the others
        return truth[:32] if cl.luma(truth[:1]).equal(gray[:1]) else gray.expand(-1, 3, -1, -1)

    monkeypatch.setattr(evaluation_report, "colorize", knows)
    text = evaluation_report.seen_unseen_summary(net, images[:32], images[32:])
    assert "memorised" in text and "0.00 dB on 32 test images" in text
