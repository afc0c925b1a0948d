"""Shipping a finished run: its vividness is tuned, and its weights are kept as 16-bit numbers."""

import json

import numpy as np
import pytest
import torch
from conftest import script

import colorlib as cl
from colorlib import paths
from colorlib.report import brightness_prior, tune_vividness

ship = script("ship_weights")
TINY = {"widths": (8, 8), "down": (0, 0), "up": (0,)}


def test_shipping_needs_a_finished_run(images):
    with pytest.raises(ValueError, match="no finished run"):
        ship.ship_run("nothing")


def test_shipping_a_run(images, monkeypatch, tmp_path):
    config = cl.Config(name="cifar", batch_size=8, epochs=1, **TINY)
    model, recipe = cl.build(config)
    twice = np.concatenate([images] * 2)
    cl.fit(model, recipe, twice, config)
    counts = (paths.SHIPPED / "ab_prior.json").read_text()
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "weights")
    paths.SHIPPED.mkdir()
    (paths.SHIPPED / "ab_prior.json").write_text(counts)
    with pytest.raises(ValueError, match="learned from other images"):
        ship.ship_run("cifar", "cifar", images=twice[::-1])
    ship.ship_run("cifar", "cifar", images=twice)
    loaded = cl.load_model("cifar")
    assert loaded.taught == "both"
    assert loaded.config == model.config and len(loaded.path) == 9
    assert torch.allclose(
        loaded.common, brightness_prior.common(loaded.cells), rtol=1e-3, atol=1e-7
    )
    made = paths.SHIPPED / "cifar.json"
    shipped = json.loads(made.read_text())
    loaded.path, loaded.common = [(0.3, 0.3)] * 9, None
    cl.save_model(loaded, paths.SHIPPED / "cifar.safetensors", half=True)
    with pytest.raises(ValueError, match="learned from other images"):
        ship.tune_shipped("cifar", images=twice[::-1])
    ship.tune_shipped("cifar", images=twice)  # the run is not asked
    again, found = cl.load_model("cifar"), json.loads(made.read_text())
    for path, name in ((again.path, "vividness_path"), (again.value_path, "value_path")):
        assert path == [
            tuple(p[k] for k in ("alpha", "T", "contrast") if k in p) for p in found[name]
        ]
    assert again.path[4] == pytest.approx(tune_vividness.CLEAREST) and len(again.value_path[4]) == 2
    assert again.common is not None and again.path != loaded.path
    for kept in (found, shipped):  # from weights of 16 bits the figures differ in the last digits
        del kept["vividness_path"], kept["value_path"]
    assert found == shipped


def test_an_error_is_one_line_and_an_exit_code(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["ship_weights.py", "--run", "nothing"])
    assert ship.main() == 1
    said = capsys.readouterr().err
    assert "no finished run" in said and said.count("\n") == 1
