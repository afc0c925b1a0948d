"""What notebook 5 says of the runs: of a made-up study with known answers, of the committed one."""

import numpy as np
import pytest

from colorlib import evidence, results, study, study_charts


def made(psnr, rebalanced=None, **more):
    row = {"psnr": psnr, "raw_auc": 0.9, "rebalanced_auc": 0.68, "colourfulness": 18.0}
    run = {"mean": row, "unflipped": row, "history": {"seconds": 200.0}, "changed": {}, **more}
    if rebalanced:
        run["adjusted"] = row | {"rebalanced_auc": rebalanced}
        run["sharpened"] = row | {"rebalanced_auc": rebalanced - 0.02}
    return run


@pytest.fixture
def runs():
    found = {name: made(24.0 + d, 0.72) for name, d in zip(
        evidence.SEEDS["ours"], (-0.01, 0.0, 0.01), strict=True)}  # fmt: skip
    for name in evidence.SEEDS["chroma regression"]:
        found[name] = made(23.9)
    return {
        "runs": found | {"hard targets": made(24.015, 0.72), "images not moved": made(23.5, 0.7)}
    }


def test_what_is_within_the_spread_of_seeds_is_said_to_be_so(runs):
    matters, not_told = evidence.verdicts(runs, "psnr")
    assert [name for name, _ in matters] == ["images not moved", "one colour, not a distribution"]
    assert dict(matters)["images not moved"] == pytest.approx(-0.5)
    assert "hard targets" in dict(not_told)
    lost = dict(evidence.verdicts(runs, "rebalanced_auc")[0])["no logit adjustment"]
    assert lost == pytest.approx(-0.02)


def test_seeds_and_their_gap(runs):
    assert "| ours | 3 | 24.00 (23.99 to 24.01)" in evidence.seeds(runs)
    found = evidence.gap(runs, "psnr")
    assert found["difference"] == pytest.approx(0.1)
    assert found["error"] == pytest.approx(0.01 / np.sqrt(3))


def test_the_committed_study_has_all_that_the_notebook_draws():
    kept = results.load_result("study", committed=True)
    assert set(kept["runs"]) == set(study.RUNS) and len(study.RUNS) <= 25
    for run in kept["runs"].values():
        assert run["images"] == 4000 and run["mean"]["psnr"] > 20
    text = evidence.listing(kept)
    assert all(f"| {name} |" in text for name in study.RUNS)
    panels = evidence.curves(kept)
    assert [len(panel["x"]) for panel in panels] == [4, 4, 3]
    for panel in panels:
        assert np.allclose(panel["fit"](np.array(panel["x"])), panel["y"], atol=0.1)
    rows, spread = evidence.ablation(kept)
    fig = study_charts.ablation(rows, spread)
    assert [axis.get_xlabel().split(",")[0] for axis in fig.axes][1:] == [
        "raw AuC",
        "rebalanced AuC",
    ]


def test_what_notebook_5_says():
    kept = results.load_result("calibration", committed=True)
    assert kept["correlation"] > 0.3
    true = [row["true"] for row in kept["distance"]]
    assert true[-1] > 2 * true[0] and np.all(np.diff(true) > -0.01)
    rows = results.load_result("fading", committed=True)["rows"]
    assert rows[-1]["share"] > rows[0]["share"]
    assert results.load_result("duplicates", committed=True)["data"]["count"] == 10000
    study_found = results.load_result("study", committed=True)
    _, not_told = evidence.verdicts(study_found, "psnr")
    assert len(not_told) >= 2  # several ingredients cannot be told from another seed
