import dataclasses

import pytest
import torch

import colorlib as cl
from colorlib import paths
from colorlib.compare import equal_budget, nogan
from colorlib.decoding import DecodeSetting
from colorlib.environment import command
from colorlib.report import evaluation, store, tables, tune_vividness


def test_runs_differ_in_nothing_but_the_recipe():
    configs = {r: dataclasses.asdict(equal_budget.run_config(r)) for r in equal_budget.COMPARED}
    ours = configs["distribution"]
    for recipe, config in configs.items():
        differ = {key for key in config if config[key] != ours[key]}
        allowed = {"name", "recipe"} | ({"epochs"} if recipe == "nogan" else set())
        assert differ <= allowed and config["given"] == "luma" and config["validation"] == 5000
    assert configs["nogan"]["epochs"] == ours["epochs"] - 1


def test_random_colours_keep_luma_and_are_the_other_images(images):
    truth = cl.to_tensor(images[:10])
    colored = evaluation.random_colors(truth, images)
    assert torch.allclose(cl.luma(colored), cl.luma(truth), atol=1e-5)
    assert not torch.allclose(colored, truth, atol=0.05)
    assert torch.equal(colored, evaluation.random_colors(truth, images))
    own = evaluation.random_colors(truth[:1], images[:1])
    assert torch.allclose(own, truth[:1], atol=1e-5)


def test_margin_is_the_height_above_the_other_points():
    def row(raw, rebalanced):
        return {"raw_auc": raw, "rebalanced_auc": rebalanced}

    result = {
        "curves": {
            "ours": [row(0.9, 0.7), row(0.89, 0.74), row(0.88, 0.73)],
            "below": [row(0.895, 0.71)],
            "above": [row(0.89, 0.76), row(0.9, 0.6)],
            "left": [row(0.5, 0.73)],
            "right": [row(0.91, 0.1)],
        }
    }
    margins = equal_budget.pareto_margins(result, "ours")
    assert margins["below"] == pytest.approx(0.01) and margins["above"] == pytest.approx(-0.02)
    assert margins["left"] == pytest.approx(0.01) and margins["right"] == -float("inf")


def test_curve_leaves_the_schedule_alone(images, net):
    settings = [DecodeSetting(0.0, 1.0), DecodeSetting(0.5, 0.5)]
    before = dict(net.schedules)
    rows = equal_budget.settings_curve(net, cl.to_tensor(images[:8]), settings)
    assert net.schedules == before and [row["temperature"] for row in rows] == [1.0, 0.5]
    net.schedules["luma"] = settings[1:] * 2
    truth = cl.to_tensor(images[:8])
    again = equal_budget.measure_output(cl.colorize(net, cl.luma(truth), "luma"), truth)
    assert rows[1] == again | {"alpha": 0.5, "temperature": 0.5}
    for row in rows:
        low, high = row["intervals"]["raw_auc"]
        assert low <= row["raw_auc"] <= high


def stopped(*_):
    raise KeyboardInterrupt


def test_the_whole_comparison_on_the_sample(monkeypatch):
    monkeypatch.setitem(
        equal_budget.BUDGETS, "full", {"epochs": 2, "count": 256, "validation": 100}
    )
    monkeypatch.setattr(equal_budget, "ALPHAS", (-0.5, 0.0, 0.5))
    monkeypatch.setattr(tune_vividness, "TEMPERATURES", (1.0, 0.5))
    monkeypatch.setattr(equal_budget, "TEMPERATURES", (1.0, 0.38))
    result = equal_budget.compare("sample", "full", 12)
    assert store.load_result("equal-budget-full-sample-12") == result
    keys = [(row["system"], row.get("vividness")) for row in result["rows"]]
    assert [key for key, _ in keys[:2]] == ["grey", "random_colors"]
    assert len(keys) == len(set(keys)) == 10
    assert {key for key, _ in keys} | set(result["curves"]) <= set(tables.TITLES)
    assert set(result["networks"]) == set(equal_budget.COMPARED) == set(result["digests"])
    assert all(made["seconds"] > 0 for made in result["networks"].values())
    others = set(result["curves"]) - {equal_budget.OURS}
    assert set(equal_budget.pareto_margins(result)) == others
    assert result["original_network"]["steps"] > 0 and result["original_network"]["count"] == 12
    looks = result["networks"]["nogan"]["adversarial_phase"]
    assert looks[0]["step"] == 0 and len(looks) > 2
    assert result["command"].endswith("--source sample --budget full --count 12")
    again = equal_budget.compare("sample", "full", 12)
    assert again["curves"] == result["curves"]  # finished runs are read, not trained again
    assert equal_budget.compare("sample", "full", 12, unless_current=True) == again
    monkeypatch.setattr(equal_budget, "TUNING", 400)
    monkeypatch.setattr(equal_budget, "train_recipe", stopped)
    with pytest.raises(KeyboardInterrupt):  # measured anew, since a setting changed
        equal_budget.compare("sample", "full", 12, unless_current=True)


def test_a_title_is_shown_whole(monkeypatch):
    result = store.load_result("equal-budget-full", committed=True)
    monkeypatch.setitem(tables.TITLES, "recipe_nogan", "NoGAN: a game")
    minutes = equal_budget.recipes_table(result).partition("Minutes of training: ")[2]
    assert ", ours " in minutes and "NoGAN: a game " in minutes


def test_a_stopped_run_is_not_compared(images, monkeypatch):
    monkeypatch.setattr(equal_budget, "fit", lambda *_: [{"seconds": 1}])
    with pytest.raises(KeyboardInterrupt):
        equal_budget.train_recipe("nogan", images, "full")


def test_nogan_ends_where_quality_peaked(images, monkeypatch):
    config = cl.Config("g", recipe="features", given="luma", batch_size=8, epochs=1)
    model, recipe = cl.build(config)
    cl.fit(model, recipe, images, config)
    seen, qualities = [], iter([5.0, 4.0, 1.0, 3.0, 2.0, 6.0, 7.0, 8.0])

    def quality(net, *_):
        seen.append({k: v.clone() for k, v in net.state_dict().items()})
        return next(qualities)

    monkeypatch.setattr(nogan, "quality", quality)
    history = nogan.adversarial_phase(model, images, config)
    assert [row["quality"] for row in history][:3] == [5.0, 4.0, 1.0]
    assert not torch.equal(seen[2]["head.weight"], seen[0]["head.weight"])
    assert all(torch.equal(v, seen[2][k]) for k, v in model.state_dict().items())
    other, recipe = cl.build(config)
    cl.fit(other, recipe, images, config)
    assert nogan.adversarial_phase(other, images, config) == history  # a finished game is read
    assert torch.allclose(other.head.weight, model.head.weight, atol=1e-6)
    third, _ = cl.build(config)  # another generator: its game is another
    monkeypatch.setattr(nogan, "quality", lambda *_: 9.0)
    assert nogan.adversarial_phase(third, images, config)[0]["quality"] == 9.0


def test_original_network_is_trained_for_its_time_and_kept(images):
    from colorlib.peers import original

    model, steps = original.train("o", images, 1.0)
    again, kept = original.train("o", images, 1.0)
    _, longer = original.train("o", images, 1.5)
    assert longer > 0 and torch.load(paths.runs() / "o.pt")["seconds"] == 1.5
    assert steps == kept > 0
    assert torch.equal(model[0].weight, again[0].weight)
    gray = cl.luma(cl.to_tensor(images[:2]))
    assert torch.allclose(cl.luma(original.colorize(model, gray)), gray, atol=1e-5)


@pytest.mark.parametrize("budget", ["full", "short"])
def test_committed_networks_say_how_to_make_them_again(budget):
    kept = store.load_result(f"equal-budget-{budget}", committed=True)
    assert set(kept["networks"]) == set(equal_budget.COMPARED)
    for recipe, made in kept["networks"].items():
        words = command(equal_budget.run_config(recipe, budget, "cifar100"))
        assert made["command"] == f"{words} --source cifar100"
        assert "--precision no" in made["command"]  # as they were trained, on any machine
