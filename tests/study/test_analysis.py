"""What notebook 5 says of the runs: of a made-up study with known answers, of the committed one."""

import numpy as np
import pytest

from colorlib import decoding
from colorlib.report import store
from colorlib.study import analysis, charts
from colorlib.study.runs import RUNS


def made(psnr, rebalanced=None):
    row = {"psnr": psnr, "raw_auc": 0.88 + psnr / 1000, "colourfulness": 18.0}
    row["rebalanced_auc"] = 0.66 + psnr / 1000
    run = {"mean": row, "grey": row, "history": {"seconds": 200.0}}
    if rebalanced:
        run["adjusted"] = row | {"rebalanced_auc": rebalanced}
        run["sharpened"] = row | {"rebalanced_auc": rebalanced - 0.02}
    return run


@pytest.fixture
def runs():
    seeds = zip(analysis.SEEDS, (-0.01, 0.0, 0.01), strict=True)
    found = {name: made(24 + off, 0.72 + off / 10) for name, off in seeds}
    found |= {"hard": made(24.04, 0.72), "no-shift": made(23.5, 0.7), "regression": made(23.9)}
    found |= {"images-11250": made(23.01, 0.7), "half-width": made(23.8, 0.7)}
    data = {"count": 4000, "title": "CIFAR-100", "split": "validation"}
    return {"runs": found, "data": data, "config": {"given": "luma"}}


def test_limits_are_those_of_the_textbook(runs):
    rows = {row["title"]: row for row in analysis.ablation(runs)}
    t = 4.302653  # 97.5 %, two degrees of freedom
    off, limit = rows["hard targets"]["psnr"]
    assert off == pytest.approx(0.04) and limit == pytest.approx(t * 0.01 * np.sqrt(4 / 3), 1e-5)
    # other decoding of the same networks: paired, the same for each seed
    assert rows["no logit adjustment"]["rebalanced_auc"] == pytest.approx((-0.02, 0), abs=1e-9)
    assert "psnr" not in rows["no logit adjustment"]
    assert "ours, seed 1" not in rows and "half the width" not in rows


def test_what_a_seed_explains_is_said_to_be_so(runs):
    line = next(x for x in analysis.ablation_summary(runs).split("\n") if x.startswith("- **PSNR"))
    outside, inside = line.split("Inside it:")
    assert "no random shifts −0.50 dB" in outside and "one colour" in outside
    assert "hard targets +0.04 dB" in inside and "no random shifts" not in inside
    assert "PSNR 23.99 to 24.01 dB" in analysis.ablation_summary(runs)


def test_runs_are_sorted_by_group_and_called_as_in_the_figure(runs):
    lines = analysis.runs_table(runs).split("\n\n")[0].split("\n")[2:]
    titles = [line.split(" | ")[1] for line in lines]
    assert titles[:4] == ["ours, seed 2", "ours, seed 1", "ours", "hard targets"]
    rows = {row["title"] for row in analysis.ablation(runs)}
    assert rows - {"no logit adjustment"} <= set(titles)
    fig = charts.ablation_figure(runs)
    drawn = [label.get_text() for label in fig.axes[0].get_yticklabels()]
    assert set(drawn) == rows
    assert fig.get_suptitle().startswith("1 of 3 changes")


def test_gains_are_those_of_the_line(runs):
    images, weights = analysis.scaling(runs)  # one number of epochs alone is no line
    assert images["x"] == (11_250, 45_000) and len(weights["x"]) == 2
    assert images["gain"] == pytest.approx((23.99 - 23.01) / 2)
    assert len(charts.scaling_figure(runs).axes) == 2
    assert "training images +0.49 dB" in analysis.scaling_summary(runs)


def test_the_committed_study_has_all_that_the_notebook_draws():
    kept = store.load_result("study", committed=True)
    if any(run["decoding"] != decoding.VERSION for run in kept["runs"].values()):
        pytest.xfail("measured with an earlier decoding")
    assert set(kept["runs"]) == set(RUNS)
    for run in kept["runs"].values():
        assert run["images"] == 4000 and run["mean"]["psnr"] > 20
    assert [len(panel["x"]) for panel in analysis.scaling(kept)] == [3, 2, 2]


def test_what_notebook_5_says():
    kept = store.load_result("calibration", committed=True)
    assert kept["correlation"] > 0.3
    true = [row["true"] for row in kept["distance"]]
    assert true[-1] > 2 * true[0] and np.all(np.diff(true) > -0.01)
    rows = store.load_result("fading", committed=True)["rows"]
    assert rows[-1]["share"] > rows[0]["share"]
    assert rows[-1]["error"] / rows[-1]["grey_error"] < rows[0]["error"] / rows[0]["grey_error"]
    assert store.load_result("duplicates", committed=True)["data"]["count"] == 10000
    by_title = {row["title"]: row for row in analysis.ablation(store.load_result("study", True))}
    worst = by_title.pop(RUNS["original"].title)
    for metric in analysis.SHOWN:  # raw hue and saturation lose most, by far
        assert worst[metric][0] < 2 * min(row.get(metric, (0,))[0] for row in by_title.values())
    regression = by_title[RUNS["regression"].title]
    assert abs(regression["psnr"][0]) < 0.05 and regression["rebalanced_auc"][0] < -0.02
    off, limit = by_title["no logit adjustment"]["rebalanced_auc"]
    assert off < -limit
    assert sum(abs(row["psnr"][0]) < row["psnr"][1] for row in by_title.values() if "psnr" in row)
