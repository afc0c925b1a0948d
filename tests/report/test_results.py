import hashlib
import json
from itertools import pairwise

import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib import paths
from colorlib.color import hsv_to_chroma
from colorlib.report import evaluation, store, tables, tune_vividness


def made(config, model=None):
    data = {"source": "sample", "title": "sample", "split": "test", "count": 1, "size": 32}
    return store.provenance({"m": model} if model else {}, config, data, command="python")


TINY = {"widths": (8, 8), "down": (0, 0), "up": (0,)}


def test_results_are_kept_and_found_again():
    result = made({"given": "luma"}) | {"rows": [1]}
    store.save_result("mine", result)
    assert (paths.results() / "mine.json").is_file()
    assert store.load_result("mine") == result
    with pytest.raises(ValueError, match="lacks command, commit"):
        store.save_result("theirs", {"rows": [1]})
    with pytest.raises(ValueError, match=r"mine\.json: got no such result"):
        store.load_result("mine", committed=True)


def test_models_and_sources_of_one_name_have_results_of_their_own(tmp_path):
    """Folders or weights files of one name must not overwrite each other's result."""

    def name(model, source):
        data = {"source": cl.data.slug(str(source)), "split": "test", "count": 6}
        return evaluation.result_name(str(model), {"data": data, "config": {"given": "luma"}})

    files = [tmp_path / a / "net.safetensors" for a in "xy"]
    folders = [tmp_path / a / "pics" for a in "xy"]
    assert len({name(model, source) for model in files for source in folders}) == 4
    run = paths.runs() / "mine" / "model.safetensors"
    assert name(run, "sample") == "run-mine-luma-sample-test-6"
    assert name("cifar", "sample") == "cifar-luma-sample-test-6"


def test_a_name_that_is_not_utf_8_can_be_kept(tmp_path):
    content = {"files": ["caf\udce9.jpg", "café ×"]}
    paths.write_json(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "café ×" in text and json.loads(text) == content


def test_a_long_name_can_be_written(tmp_path):
    path = tmp_path / ("a" * 250 + ".json")
    paths.write_json(path, {})
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_evaluation_has_baselines_intervals_and_provenance():
    model = cl.ColorNet(**TINY)
    result = evaluation.evaluate_model(model, "tiny", "luma", "sample", count=12)
    keys = [row["system"] for row in result["rows"]]
    assert keys == ["grey", "mean_color", *["ours"] * 5]
    title = "built-in sample (smoke test)"
    data = {"source": "sample", "title": title, "split": "test", "count": 12, "size": 32}
    data["sha256"] = hashlib.sha256(cl.load_images("sample", "test", 12).tobytes()).hexdigest()
    assert result["data"] == data and store.load_result("tiny-luma-sample-test-12") == result
    row = tables.find_row(result, "ours", 0)
    low, high = row["difference"]["psnr"]
    assert low <= row["psnr"] - result["rows"][0]["psnr"] <= high
    assert set(store.REQUIRED) <= set(result)
    table = tables.result_table(result)
    assert "| grey |" in table and "smoke test" in table and "luma as input" in table
    assert [r["vividness"] for r in tables.vividness_rows(result)] == [0, 0.25, 0.5, 0.75, 1]


def test_other_images_in_the_same_place_are_measured_again(images, tmp_path):
    model, source, results = cl.ColorNet(**TINY), tmp_path / "mine.npy", []
    for part in (images[:6], images[:6], images[6:12]):
        np.save(source, part)
        results.append(
            evaluation.evaluate_model(
                model, "tiny", "luma", str(source), "train", unless_current=True
            )
        )
    first, again, other = results
    assert again == first
    assert other["data"]["count"] == 6 and other["rows"] != first["rows"]


def test_mean_color_is_the_mean_chroma_of_the_prior():
    model = cl.ColorNet(**TINY)
    model.prior.zero_()
    model.prior[[20, 50]] = torch.tensor([0.25, 0.75])
    rgb = evaluation.mean_color(model, torch.full((1, 1, 4, 4), 0.8), "value")
    expected = 0.25 * model.cells[20] + 0.75 * model.cells[50]
    assert torch.allclose(hsv_to_chroma(cl.rgb_to_hsv(rgb))[0, :, 0, 0], expected, atol=1e-4)


def test_vividness_path_goes_from_faithful_to_colourful(images):
    torch.manual_seed(0)
    model = cl.ColorNet(**TINY)
    torch.nn.init.normal_(model.head.weight)
    model.prior.copy_(torch.rand(len(model.cells)).softmax(0))
    path = tune_vividness.tune_path(model.eval(), images[:8], points=5)
    assert len(path) == len(model.schedules["luma"]) == 5
    assert path[0]["psnr"] + path[0]["raw_auc"] >= path[-1]["psnr"] + path[-1]["raw_auc"]
    reached = [point["colourfulness"] for point in path]
    assert all(b >= a - 1e-9 for a, b in pairwise(reached))
