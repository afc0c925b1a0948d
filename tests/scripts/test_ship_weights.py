"""Shipping a finished run: its vividness is tuned, and its weights are kept as 16-bit numbers."""

import json

import numpy as np
import pytest
from conftest import script

import colorlib as cl
from colorlib import paths
from colorlib.decoding import DecodeSetting

shipping = script("ship_weights")
TINY = {"widths": (8, 8), "down": (0, 0), "up": (0,)}


def test_shipping_needs_a_finished_run(images):
    with pytest.raises(ValueError, match="no finished run"):
        shipping.ship("nothing", "cifar", "cifar100", 32)


def test_shipping_a_run(images, monkeypatch, tmp_path):
    config = cl.Config(name="cifar", batch_size=8, epochs=1, **TINY)
    model, recipe = cl.build(config)
    mine, others = tmp_path / "mine.npy", tmp_path / "others.npy"
    np.save(mine, np.concatenate([images] * 2))
    np.save(others, np.concatenate([255 - images] * 2))
    twice = cl.load_images(mine)
    cl.fit(model, recipe, twice, config)
    counts = (paths.SHIPPED / "ab_prior.json").read_text()
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "weights")
    paths.SHIPPED.mkdir()
    (paths.SHIPPED / "ab_prior.json").write_text(counts)
    with pytest.raises(ValueError, match="trained on other images"):
        shipping.ship("cifar", "cifar", str(others), 32)
    shipping.ship("cifar", "cifar", str(mine), 32)
    loaded = cl.load_model("cifar")
    assert loaded.trained_input == "both"
    assert loaded.config == model.config
    assert {given: len(path) for given, path in loaded.schedules.items()} == {"value": 9, "luma": 9}
    made = paths.SHIPPED / "cifar.json"
    shipped = json.loads(made.read_text())
    loaded.schedules = {"luma": [DecodeSetting(0.3, 0.3)] * 9}
    cl.save_model(loaded, paths.SHIPPED / "cifar.safetensors", half=True)
    with pytest.raises(ValueError, match="trained on other images"):
        shipping.tune(loaded, "cifar", shipped, str(others), 32)
    monkeypatch.setattr("sys.argv", ["ship_weights.py", "--again", "--source", str(mine)])
    assert shipping.main() == 0  # the run is not asked
    again, found = cl.load_model("cifar"), json.loads(made.read_text())
    for given, path in again.schedules.items():
        expected = [(row["alpha"], row["temperature"]) for row in found["schedules"][given]]
        assert path == expected
    assert again.schedules["luma"] != loaded.schedules["luma"]
    for kept in (found, shipped):  # from weights of 16 bits the figures differ in the last digits
        del kept["schedules"]
    assert found == shipped
    assert [stage["command"] for stage in found["stages"]] == [found["command"]]
    second = cl.Config(name="more", init_from="cifar", batch_size=8, epochs=1, **TINY)
    cl.fit(*cl.build(second), twice, second)
    shipping.ship("more", "cifar", str(mine), 32)
    more = json.loads(made.read_text())
    assert more["stages"] == [*found["stages"], more["stages"][1]]
    assert "--init-from cifar" in more["stages"][1]["command"]


def test_an_error_is_one_line_and_an_exit_code(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["ship_weights.py", "--run", "nothing"])
    assert shipping.main() == 1
    said = capsys.readouterr().err
    assert "no finished run" in said and said.count("\n") == 1
