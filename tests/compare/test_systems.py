import pytest
import torch
from torch import nn

import colorlib as cl
from colorlib import peers
from colorlib.compare import systems
from colorlib.peers import official
from colorlib.report import store


class Reddish(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, lightness):
        return (
            lightness.new_tensor([20.0, 10.0]).view(1, 2, 1, 1).expand(len(lightness), 2, 256, 256)
        )


def test_networks_without_weights_are_named_in_one_line(net):
    found, missing = systems.available_systems(net)
    rows = [x.system.row() for x in found]
    assert rows == [{"system": "grey"}, *({"system": "ours", "vividness": v} for v in (0.0, 0.75))]
    assert len(missing) == 4 and all("\n" not in line for line in missing)
    assert missing[0].startswith("ECCV16 does not run here: its official weights (129 MB)")


def test_failed_downloads_are_named_too(net, monkeypatch):
    def refused(name):
        raise OSError(f"{name} could not be fetched")

    monkeypatch.setattr(peers, "load", refused)
    _, missing = systems.available_systems(net, download=True)
    assert (
        missing[2] == "DeOldify artistic does not run here: deoldify-artistic could not be fetched."
    )


def test_what_runs_is_measured_the_same_way(net, images, monkeypatch):
    path = official.weights_path("eccv16")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    monkeypatch.setattr(peers, "load", lambda name: official.Peer(name, Reddish()))
    found, missing = systems.available_systems(net, (0.0,))
    assert [x.system.key for x in found] == ["grey", "ours", "eccv16"] and len(missing) == 3
    rows = systems.measure_systems(found, images[:6], resamples=20)
    grey, ours, peer = rows
    assert grey["luma_difference"] == pytest.approx(0, abs=1e-3)
    assert ours["kind"] == "trained here" and ours["luma_difference"] < 0.01
    assert peer["kind"] == "official weights" and peer["parameters"] == 1
    rgb = found[2].system.colorize(cl.luma(cl.to_tensor(images[:6])))
    assert peer["psnr"] == pytest.approx(cl.evaluate(rgb, cl.to_tensor(images[:6]))["psnr"])
    moved = (cl.luma(rgb) - cl.luma(cl.to_tensor(images[:6]))).abs().mean().item() * 255
    assert peer["luma_difference"] == pytest.approx(moved) and moved > 0.1
    text = systems.systems_tables(rows, ("psnr", "luma_difference"))
    assert "| ECCV16 | official weights | 0.00 | ImageNet" in text
    assert len(text.splitlines()) == 11  # two tables of three rows


def test_the_recipes_trained_here_join_the_table():
    kept = store.load_result("equal-budget-full", committed=True)
    rows = systems.recipe_rows(kept)
    assert {row["system"] for row in kept["rows"]} - {row["system"] for row in rows} == {
        "grey",
        "random_colors",
    }
    theirs = next(row for row in rows if row["system"] == "recipe_eccv16")
    model, _ = cl.build(cl.Config(recipe="eccv16"))
    assert theirs["parameters"] == sum(p.numel() for p in model.parameters())
    assert [row["system"] for row in rows if "labels" in row["trained_on"]] == ["recipe_nogan"]
    text = systems.systems_tables(rows, ("psnr", "luma_difference"))
    assert f"| ECCV16's recipe, vividness 0 | {theirs['psnr']:.2f} | – |" in text
