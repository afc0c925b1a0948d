"""What notebook 5 says of the runs: of a made-up study with known answers, of the committed one."""

import numpy as np
import pytest

from colorlib.report import store
from colorlib.study import analysis, charts
from colorlib.study.runs import RUNS, TITLES


def made(psnr, rebalanced=None, mirrored=0.0):
    row = {"psnr": psnr, "raw_auc": 0.88 + psnr / 1000, "colourfulness": 18.0}
    row["rebalanced_auc"] = 0.66 + psnr / 1000
    run = {"mean": row, "history": {"seconds": 200.0}, "changed": {}}
    run["mirrored"] = row | {"psnr": psnr + mirrored}
    if rebalanced:
        run["adjusted"] = row | {"rebalanced_auc": rebalanced}
        run["sharpened"] = row | {"rebalanced_auc": rebalanced - 0.02}
    return run


@pytest.fixture
def runs():
    seeds = zip(analysis.SEEDS["ours"], (-0.01, 0.0, 0.01), (-0.02, -0.021, -0.022), strict=True)
    found = {name: made(24 + off, 0.72 + off / 10, flip) for name, off, flip in seeds}
    for name, off in zip(analysis.SEEDS["regression"], (-0.01, 0, 0.01), strict=True):
        found[name] = made(23.9 + off)
    return {"runs": found | {"hard": made(24.04, 0.72), "no-shift": made(23.5, 0.7)}}


def test_what_chance_explains_is_said_to_be_so(runs):
    matters, by_chance = analysis.by_significance(runs, "psnr")
    assert matters["no-shift"] == pytest.approx(-0.5)
    assert matters["regression"] == pytest.approx(-0.1)
    # paired: twice the spread over seeds, but the same for each seed
    assert matters["mirrored"] == pytest.approx(-0.021)
    assert by_chance == {"hard": pytest.approx(0.04)}
    lost = analysis.by_significance(runs, "rebalanced_auc")[0]["sharpened"]
    assert lost == pytest.approx(-0.02)


def test_limits_are_those_of_the_textbook(runs):
    rows = {row["key"]: row for row in analysis.ablation(runs)}
    t = 4.302653  # 97.5 %, two degrees of freedom
    assert rows["hard"]["psnr"][1] == pytest.approx(t * 0.01 * np.sqrt(4 / 3), rel=1e-5)
    # Welch: equal spreads and counts, four degrees of freedom
    limit = 2.776445 * np.sqrt(2 * 0.01**2 / 3)
    assert rows["regression"]["psnr"][1] == pytest.approx(limit, rel=1e-5)
    assert rows["mirrored"]["psnr"][1] == pytest.approx(t * 0.001 / np.sqrt(3), rel=1e-5)


def test_seeds_are_listed_with_their_ends(runs):
    assert "| ours | 3 | 24.00 (23.99 to 24.01)" in analysis.seeds_table(runs)


def test_the_committed_study_has_all_that_the_notebook_draws():
    kept = store.load_result("study", committed=True)
    assert set(kept["runs"]) == set(RUNS) == set(TITLES)
    for run in kept["runs"].values():
        assert run["images"] == 4000 and run["mean"]["psnr"] > 20
    text = analysis.runs_table(kept)
    assert all(f"| {TITLES[key]} |" in text for key in RUNS)
    panels = analysis.scaling_panels(kept)
    assert [len(panel["x"]) for panel in panels] == [4, 4, 3]
    for panel in panels:
        off = panel["fit"](np.array(panel["x"])) - panel["y"]
        assert np.sqrt(np.mean(off**2)) == pytest.approx(panel["numbers"]["residual"], abs=1e-6)
        assert panel["numbers"]["gain"] > 0
    fig = charts.ablation(analysis.ablation(kept), analysis.ABLATED)
    labels = [axis.get_xlabel() for axis in fig.axes]
    assert labels == ["Δ PSNR, dB", "Δ raw AuC", "Δ rebalanced AuC"]


def test_what_notebook_5_says():
    kept = store.load_result("calibration", committed=True)
    assert kept["correlation"] > 0.3
    true = [row["true"] for row in kept["distance"]]
    assert true[-1] > 2 * true[0] and np.all(np.diff(true) > -0.01)
    rows = store.load_result("fading", committed=True)["rows"]
    assert rows[-1]["share"] > rows[0]["share"]
    assert store.load_result("duplicates", committed=True)["data"]["count"] == 10000
    found = store.load_result("study", committed=True)
    for metric in charts.SHOWN:
        matters, by_chance = analysis.by_significance(found, metric)
        assert matters["original"] == min(matters.values())  # the one ruinous choice
        assert len(by_chance) >= 2 or metric == "rebalanced_auc"  # not to be told from chance
        off = (matters | by_chance)["regression"]  # hardly better, but in rebalanced AuC
        assert {"psnr": abs(off) < 0.05, "raw_auc": abs(off) < 0.001}.get(metric, off < -0.02)
