"""What notebook 5 says of the runs: of a made-up study with known answers, of the committed one."""

import numpy as np
import pytest

from colorlib.report import store
from colorlib.study import analysis, charts
from colorlib.study.runs import RUNS


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
    for name, off in zip(analysis.SEEDS["chroma regression"], (-0.01, 0, 0.01), strict=True):
        found[name] = made(23.9 + off)
    return {
        "runs": found | {"hard targets": made(24.04, 0.72), "images not moved": made(23.5, 0.7)}
    }


def test_what_chance_explains_is_said_to_be_so(runs):
    matters, by_chance = (dict(pairs) for pairs in analysis.verdicts(runs, "psnr"))
    assert matters["images not moved"] == pytest.approx(-0.5)
    assert matters["one colour, not a distribution"] == pytest.approx(-0.1)
    # paired: twice the spread over seeds, but the same for each seed
    assert matters["averaged over the mirror image"] == pytest.approx(-0.021)
    assert by_chance == {"hard targets": pytest.approx(0.04)}
    lost = dict(analysis.verdicts(runs, "rebalanced_auc")[0])["no logit adjustment"]
    assert lost == pytest.approx(-0.02)


def test_limits_are_those_of_the_textbook(runs):
    rows = {row["name"]: row for row in analysis.ablation(runs)}
    t = 4.302653  # 97.5 %, two degrees of freedom
    assert rows["hard targets"]["psnr"][1] == pytest.approx(t * 0.01 * np.sqrt(4 / 3), rel=1e-5)
    # Welch: equal spreads and counts, four degrees of freedom
    limit = 2.776445 * np.sqrt(2 * 0.01**2 / 3)
    assert rows["one colour, not a distribution"]["psnr"][1] == pytest.approx(limit, rel=1e-5)
    assert rows["averaged over the mirror image"]["psnr"][1] == pytest.approx(
        t * 0.001 / np.sqrt(3), rel=1e-5
    )


def test_seeds_are_listed_with_their_ends(runs):
    assert "| ours | 3 | 24.00 (23.99 to 24.01)" in analysis.seeds(runs)


def test_the_committed_study_has_all_that_the_notebook_draws():
    kept = store.load_result("study", committed=True)
    assert set(kept["runs"]) == set(RUNS) and len(RUNS) <= 25
    for run in kept["runs"].values():
        assert run["images"] == 4000 and run["mean"]["psnr"] > 20
    text = analysis.listing(kept)
    assert all(f"| {name} |" in text for name in RUNS)
    panels = analysis.curves(kept)
    assert [len(panel["x"]) for panel in panels] == [4, 4, 3]
    for panel in panels:
        off = panel["fit"](np.array(panel["x"])) - panel["y"]
        assert np.sqrt(np.mean(off**2)) == pytest.approx(panel["numbers"]["residual"], abs=1e-6)
        assert panel["numbers"]["gain"] > 0
    fig = charts.ablation(analysis.ablation(kept))
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
    raw, one = analysis.ABLATED["hue and saturation as numbers"], analysis.ABLATED["regression"]
    for metric in charts.SHOWN:
        matters, by_chance = (dict(pairs) for pairs in analysis.verdicts(found, metric))
        assert matters[raw] == min(matters.values())  # the one ruinous choice
        assert len(by_chance) >= 2 or metric == "rebalanced_auc"  # not to be told from chance
        off = (matters | by_chance)[one]  # hardly better, but in rebalanced AuC
        assert {"psnr": abs(off) < 0.05, "raw_auc": abs(off) < 0.001}.get(metric, off < -0.02)
