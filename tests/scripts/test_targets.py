"""The page of aims: made from the results, and no aim is called met that is not."""

import json

from conftest import REPOSITORY, script

targets = script("targets")


def test_the_page_is_what_the_results_say():
    assert targets.PAGE.read_text(encoding="utf-8") == targets.page(), "run make publish"


def test_aims_are_judged_by_the_numbers_of_the_results():
    found = {what: (reached, met) for what, _, reached, met, _ in targets.rows()}
    folder = REPOSITORY / "data" / "results"
    kept = json.loads((folder / "cifar-value.json").read_text(encoding="utf-8"))
    (row,) = (r for r in kept["rows"] if r["system"] == "ours, vividness 0")
    reached, met = found["CIFAR-100, value given, vividness 0: PSNR"]
    assert float(reached.split()[0]) == round(row["psnr"], 2) and met == (row["psnr"] >= 22.4)
    bench = json.loads((REPOSITORY / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    value = {r["what"]: r["value"] for r in bench["rows"]}
    share = value["bleeding at strong edges, ours"] / value["bleeding at strong edges, bilinear"]
    reached, met = found["bleeding at strong edges, share of bilinear's"]
    assert float(reached) == round(share, 2) and met == (share <= 0.5)
