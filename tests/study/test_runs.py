import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib import paths
from colorlib.config import Config
from colorlib.recipes import build
from colorlib.report import store
from colorlib.study.recipes import HardTarget, Unweighted
from colorlib.study.runs import EPOCHS, IMAGES, MEASURED, RUNS, Run, run_config, study
from colorlib.train import make_optimizers


def test_hard_targets_name_the_nearest_cell(images):
    chroma, _ = cl.recipes.chroma_target(cl.to_tensor(images[:4]))
    way = HardTarget()
    index, share = way.encode(chroma)
    assert torch.equal(share.sum(1), torch.ones(4, 16, 16))
    cells = build(Config())[0].cells
    named = cells[(index * share.long()).sum(1)]
    nearest = cells[torch.cdist(chroma.movedim(1, -1), cells).argmin(-1)]
    assert torch.allclose(named, nearest)
    assert (Unweighted().target(cl.to_tensor(images[:4]))[2] == 1).all()


def test_a_muon_rate_of_0_leaves_all_weights_to_adamw():
    model, _ = build(Config(muon_rate=0.0))
    (only,) = make_optimizers(model, Config(muon_rate=0.0))
    trained = {p for group in only.param_groups for p in group["params"]}
    assert trained == set(model.parameters())


def test_every_run_takes_as_many_steps_and_has_a_name_of_its_own():
    names = {run_config(name).name for name in RUNS}
    assert len(names) == len(RUNS)
    for name in ("images-1024", "images-11250"):
        config = run_config(name)
        steps = config.epochs * (config.count // config.batch_size)
        assert abs(steps / (EPOCHS * (IMAGES // 128)) - 1) < 0.02


def test_runs_are_kept_as_they_finish(images, tmp_path, monkeypatch):
    tiny = {"widths": (8, 8), "down": (0, 0), "up": (0,), "batch_size": 8, "epochs": 1}
    runs = {"ours": Run("ours", "ours", tiny)}
    runs["regression"] = Run("loss", "regression", tiny | {"recipe": "regression"})
    monkeypatch.setattr("colorlib.study.runs.RUNS", runs)
    monkeypatch.setattr("colorlib.study.runs.TUNING", 4)
    np.save(tmp_path / "mine.npy", np.concatenate([images] * 4))
    source = str(tmp_path / "mine.npy")
    study(["ours"], source)
    (file,) = paths.results().glob("study-*.json")
    first = store.load_result(file.stem)["runs"]
    assert [*first] == ["ours"] and {"grey", "mean", "adjusted", "sharpened"} <= set(first["ours"])
    monkeypatch.setattr(
        "colorlib.study.runs.measure_run", lambda *_: {"mean": dict.fromkeys(MEASURED, 0.0)}
    )
    study(None, source)
    kept = store.load_result(file.stem)["runs"]
    assert kept["ours"] == first["ours"] and "mean" in kept["regression"]
    monkeypatch.setitem(
        runs, "ours", Run("ours", "ours", tiny | {"epochs": 2})
    )  # another config: not current
    changed = study(["ours"], source)["runs"]
    assert changed["ours"] != first["ours"] and changed["ours"]["config"]["epochs"] == 2
    assert changed["regression"] == kept["regression"]
    monkeypatch.setattr("colorlib.decoding.VERSION", -1)
    assert study(["ours"], source)["runs"]["ours"]["decoding"] == -1
    np.save(source, 255 - np.concatenate([images] * 4))
    monkeypatch.setattr("colorlib.study.runs.fit", lambda *_: [])  # stops at once
    assert study(["ours"], source)["runs"] == {}  # those on file are of other images
    with pytest.raises(ValueError, match="got 'theirs', expected one of ours"):
        study(["theirs"], source)
    assert not (paths.results() / "study.json").is_file()  # which is of CIFAR-100
