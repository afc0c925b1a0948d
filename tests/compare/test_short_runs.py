import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib import paths
from colorlib.compare import equal_budget, short_runs
from colorlib.recipes import RECIPES, Recipe, chroma_target
from colorlib.report import store


@pytest.fixture(autouse=True)
def short(monkeypatch):
    budget = {"epochs": 1, "count": 130, "validation": 40}
    monkeypatch.setitem(equal_budget.BUDGETS, "short", budget)
    monkeypatch.setattr(short_runs, "MEASURED", 40)
    yield
    RECIPES.pop("mine", None)


def mine(factor):
    class Mine(Recipe):
        name, head, strength = "mine", "chroma", factor

        def loss(self, output, batch):
            target, weight = chroma_target(batch.rgb)
            return self.strength * (weight * (output - target).square()).mean()

    return Mine


def test_another_text_of_a_recipe_is_another_run(images):
    some = np.concatenate((images, images, images))
    nets = [short_runs.train_own(mine(factor), "sample", some) for factor in (1, 1, 2)]
    assert len(list(paths.runs().glob("mine-*-sample"))) == 2
    first, second, _ = (net.head.weight for net in nets)
    assert torch.equal(first, second)  # a finished run is taken from its file


def test_a_small_set_gets_a_smaller_count(images):
    assert short_runs.short_config("regression", "sample", images).count == 64 - 6
    config = short_runs.short_config("regression", "sample", np.concatenate([images] * 4))
    assert config.count == 130 and config.recipe == "regression"


def test_settings_are_those_of_the_config():
    config = equal_budget.run_config("distribution", "short")
    table = short_runs.settings_table(config)
    assert "| data | `count` | 130 |" in table
    assert "| network | `widths` | (32, 80, 160) |" in table
    assert all(hasattr(config, name) for name in short_runs.SETTINGS)


def test_the_comparison_is_kept_with_its_rows_in_order(monkeypatch, images):
    monkeypatch.setattr(short_runs, "validation_images", lambda source: images[:40])
    model = cl.ColorNet((8, 8), (0, 0), (0,)).eval()
    plain = cl.ColorNet((8, 8), (0, 0), (0,), head="chroma").eval()
    torch.nn.init.normal_(model.head.weight)
    result = short_runs.compare(model, plain, "sample")
    keys = [row["system"] for row in result["rows"]]
    assert keys == ["grey", "regression", "distribution", "distribution_vivid"]
    assert result["rows"][3]["colourfulness"] != result["rows"][2]["colourfulness"]
    assert store.load_result("short-sample-quick") == result
    figure = short_runs.show_ways(model, plain, "sample", 2)
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    gray = images[:40] @ [0.299, 0.587, 0.114]
    assert min(np.abs(shown[0][..., 0] - g).max() for g in gray) <= 0.51  # the input
    assert any(np.array_equal(shown[8], image) for image in images)  # the truth
