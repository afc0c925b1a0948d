import asyncio
import json

import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib.report import evaluation
from colorlib.widgets import fooling_rates, turing_test


def grey(gray):
    return gray.expand(-1, 3, -1, -1)


def given(person, system, fooled, practice=False):
    return {"participant": person, "system": system, "fooled": fooled, "practice": practice}


def test_a_plan_is_balanced_blind_and_drawn_from_its_seed():
    systems = evaluation.as_systems(dict.fromkeys(["a", "b", "c"], grey))
    pairs = turing_test.plan(systems, 500, seed=3)
    assert pairs == turing_test.plan(systems, 500, seed=3) != turing_test.plan(systems, 500, seed=4)
    assert len(pairs) == 50 and sum(pair["practice"] for pair in pairs) == 10
    assert len({pair["image"] for pair in pairs}) == 50
    assert sum(pair["fake_first"] for pair in pairs) == 25
    catch = [pair["system"] in turing_test.CHECKS for pair in pairs]
    assert [sum(catch[i : i + 10]) for i in range(0, 50, 10)] == [1] * 5
    turns = [sum(pair["system"] == name for pair in pairs) for name in "abc"]
    assert max(turns) - min(turns) <= 6
    with pytest.raises(ValueError, match="got 49, expected 50"):
        turing_test.plan(systems, 49)


def test_catch_trials_and_systems_keep_the_luma(images, net):
    systems = turing_test.tested_systems(net, {"mine": grey})
    rows = [system.row() for system in systems]
    assert rows[:3] == [{"system": "ours", "vividness": v} for v in (0.0, 0.5, 1.0)]
    assert rows[3:] == [{"system": "mine"}]
    true = cl.luma(cl.to_tensor(images[5:6]))
    for pair in (*rows, *({"system": key} for key in turing_test.CHECKS)):
        made = turing_test.recolor(pair, systems, images[5], images, 0)
        assert (cl.luma(cl.to_tensor(made[None])) - true).abs().max() < 0.01
        assert not np.array_equal(made, images[5])
    vivid = cl.colorize(net, true, "luma", 1.0)
    made = turing_test.recolor(rows[2], systems, images[5], images, 0)
    assert np.array_equal(made, cl.to_images(vivid)[0])
    made = turing_test.recolor({"system": "grey"}, [], images[5], images, 0)
    assert np.ptp(made, -1).max() == 0


async def question(box):
    """Wait until the test asks."""
    while not box.state["asking"]:
        await asyncio.sleep(0.001)


def take(box, choose):
    """Press start, then one answer a pair."""

    async def session():
        box.controls["start"].click()
        for i in range(len(box.pairs)):
            await question(box)
            box.controls[choose(box.pairs[i])].click()
            box.controls["start"].click()  # after practice: next

    asyncio.run(session())


def fake(pair):
    return "left" if pair["fake_first"] else "right"


def test_every_answer_is_kept_at_once_and_pooled(images, net, monkeypatch):
    monkeypatch.setattr(turing_test, "SECONDS", 0.0)
    monkeypatch.setattr(turing_test, "PAUSE", 0.0)
    box = turing_test.turing_test({"ours": grey}, images, "ann", practice=2, trials=8, seed=1)
    take(box, fake)
    kept = [json.loads(line) for line in box.path.read_text().splitlines()]
    assert len(kept) == 10 and not any(answer["fooled"] for answer in kept)
    found = [a for a in kept if not a["practice"] and a["system"] == "ours"]
    said = f"You found {len(found)} of {len(found)} artificial pictures"
    assert "Done" in box.controls["message"].value and said in box.controls["message"].value
    assert box.controls["progress"].value == box.controls["progress"].max == 10
    box = turing_test.turing_test({"ours": grey}, images, "bob", practice=2, trials=8, seed=2)
    take(box, lambda pair: "right" if fake(pair) == "left" else "left")
    rows = {row["system"]: row for row in fooling_rates.fooling_rates(fooling_rates.answers())}
    answered = [a for a in fooling_rates.answers() if a["system"] == "ours" and not a["practice"]]
    fooled = sum(answer["participant"] == "bob" for answer in answered)
    assert rows["ours"]["rate"] == fooled / len(answered) and rows["ours"]["participants"] == 2
    assert sum(row["pairs"] for row in rows.values()) == 16  # practice does not count


def test_the_verdict_stays_and_the_pair_is_shown_again_until_the_next_click(images, monkeypatch):
    monkeypatch.setattr(turing_test, "SECONDS", 0.0)
    monkeypatch.setattr(turing_test, "PAUSE", 0.0)
    box = turing_test.turing_test({"ours": grey}, images, practice=2, trials=8, seed=1)
    blank = bytes(box.controls["pictures"][0].value)

    async def session():
        box.controls["act"]("key", "left")  # starts
        for pair in box.pairs[:2]:
            await question(box)
            assert [bytes(p.value) for p in box.controls["pictures"]] == [blank] * 2
            box.controls["act"]("key", fake(pair))
            await asyncio.sleep(0.05)
            assert f"Correct: the {fake(pair).upper()} picture" in box.controls["verdict"].value
            shown = [bytes(p.value) for p in box.controls["pictures"]]
            true = turing_test.enlarge(images[pair["image"]])
            assert shown[pair["fake_first"]] == true != shown[not pair["fake_first"]]
            box.controls["act"]("key", "right")
            assert box.controls["verdict"].value == ""

    asyncio.run(session())
    assert len(fooling_rates.answers()) == 2


def test_answers_say_which_images_and_weights_they_are_about(images, net, monkeypatch):
    monkeypatch.setattr(turing_test, "SECONDS", 0.0)
    monkeypatch.setattr(turing_test, "PAUSE", 0.0)
    box = turing_test.turing_test(
        net, images, "ann", practice=0, trials=9, seed=1, about="CIFAR-100"
    )
    take(box, fake)
    again = cl.ColorNet((8, 8), (0, 0), (0,))
    marks = [turing_test.weights_digest(net), turing_test.weights_digest(again)]
    assert {a["about"] for a in fooling_rates.answers()} == {f"CIFAR-100, weights {marks[0]}"}
    again.load_state_dict(net.state_dict())
    assert marks[0] != marks[1] and turing_test.weights_digest(again) == marks[0]


def test_a_closed_browser_loses_nothing(images, monkeypatch):
    monkeypatch.setattr(turing_test, "SECONDS", 0.0)
    monkeypatch.setattr(turing_test, "PAUSE", 0.0)
    box = turing_test.turing_test({"ours": grey}, images, practice=1, trials=9, seed=1)

    async def three():
        box.controls["start"].click()
        for _ in range(3):
            await question(box)
            box.controls["left"].click()
            box.controls["right"].click()  # a second click answers nothing
            box.controls["start"].click()
        for task in box.state["tasks"]:
            task.cancel()

    asyncio.run(three())
    assert len(fooling_rates.answers()) == 3
    with box.path.open("a") as file:
        file.write('{"system": "ou')  # the machine went down while it wrote
    assert len(fooling_rates.answers()) == 3
    box.path.write_text("nonsense\n" + box.path.read_text())
    with pytest.raises(ValueError, match="line 1: not an answer"):
        fooling_rates.answers()


def test_an_answer_that_could_not_be_kept_leaves_nothing_of_itself(tmp_path, monkeypatch):
    path = tmp_path / "me.jsonl"
    turing_test.record(path, given("me", "ours", True))

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(turing_test.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            turing_test.record(path, given("me", "ours", False))
    turing_test.record(path, given("me", "grey", True))
    assert [a["system"] for a in fooling_rates.answers(tmp_path)] == ["ours", "grey"]


def test_a_system_that_fails_stops_the_test_with_a_sentence(images, monkeypatch):
    monkeypatch.setattr(turing_test, "SECONDS", 0.0)
    monkeypatch.setattr(turing_test, "PAUSE", 0.0)

    def broken(gray):
        raise RuntimeError("no memory")

    box = turing_test.turing_test({"ours": broken}, images, practice=0, trials=9, seed=1)

    async def begin():
        box.controls["start"].click()
        while "stopped" not in box.controls["message"].value:
            box.controls["left"].click()  # a catch trial
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(begin(), 20))
    assert "no memory" in box.controls["message"].value
    with pytest.raises(ValueError, match="participant"):
        turing_test.turing_test({"ours": broken}, images, "../me")


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_the_published_ones(successes, total, low, high):
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I."""
    assert fooling_rates.wilson(successes, total) == pytest.approx((low, high), abs=6e-5)


def test_intervals_come_from_people_where_there_are_several():
    random = np.random.default_rng(0)
    rates = random.uniform(0.1, 0.6, 30)  # people differ more than chance alone
    pooled = [
        given(f"p{i}", "ours", bool(x))
        for i, rate in enumerate(rates)
        for x in random.random(40) < rate
    ]
    (row,) = fooling_rates.fooling_rates(pooled)
    means = np.array(
        [np.mean([a["fooled"] for a in pooled if a["participant"] == f"p{i}"]) for i in range(30)]
    )
    spread = 1.96 * means.std(ddof=1) / 30**0.5
    low, high = row["interval"]
    assert low < row["rate"] < high and abs((high - low) / (2 * spread) - 1) < 0.15
    alone = fooling_rates.wilson(round(row["rate"] * 1200), 1200)
    assert high - low > 1.5 * (alone[1] - alone[0])  # answers of one person go together
    single = [a for a in pooled if a["participant"] == "p3"]
    (row,) = fooling_rates.fooling_rates(single)
    assert row["interval"] == fooling_rates.wilson(sum(a["fooled"] for a in single), 40)


def test_few_people_who_agree_are_no_certainty():
    """Where a bootstrap over people would say 0 to 0, the interval is no narrower than Wilson's."""
    for fooled in (False, True):
        any_process = [given(f"p{i % 2}", "grey", fooled) for i in range(4)]
        (row,) = fooling_rates.fooling_rates(any_process)
        assert row["interval"] == pytest.approx(fooling_rates.wilson(4 * fooled, 4))
    apart = [given("a", "ours", True)] * 8 + [given("b", "ours", False)] * 8
    (row,) = fooling_rates.fooling_rates(apart)
    assert row["interval"] == (0.0, 1.0)  # how two people differ says little of the next


def test_answers_about_other_images_or_weights_are_not_pooled():
    here, there = ({"about": word} for word in ("CIFAR-100", "the sample"))
    mixed = [given("a", "ours", True) | here, given("b", "ours", False) | there]
    rows = fooling_rates.fooling_rates(mixed)
    assert [(row["about"], row["rate"]) for row in rows] == [("CIFAR-100", 1), ("the sample", 0)]
    text = fooling_rates.fooling_table(rows)
    assert "ours (CIFAR-100)" in text and "ours (the sample)" in text
    assert "*CIFAR-100.*" in fooling_rates.fooling_table(fooling_rates.fooling_rates(mixed[:1]))


def test_the_table_says_what_was_published_and_how_to_take_the_test():
    assert "press *start*" in fooling_rates.fooling_table([])
    rows = fooling_rates.fooling_rates(
        [given("a", "ours", True), given("a", "random_colors", False)]
    )
    text = fooling_rates.fooling_table(rows)
    assert "32.3%" in text and "| random colours | 0.0% |" in text and "13.0%" in text


def test_what_is_shown_is_the_picture_enlarged(images):
    from io import BytesIO

    from PIL import Image

    sheet = np.asarray(Image.open(BytesIO(turing_test.enlarge(images[0]))))
    assert sheet.shape == (256, 256, 3)
    small = torch.nn.functional.avg_pool2d(cl.to_tensor(sheet[None]), 8)
    assert (small - cl.to_tensor(images[:1])).abs().mean() < 0.02


@pytest.mark.parametrize("line", ["3", "[]", "{}", '"text"', "null", '{"system": "ours"}'])
def test_a_line_that_is_no_answer_is_named(tmp_path, line):
    (tmp_path / "me.jsonl").write_text(line + "\n")
    with pytest.raises(ValueError, match=r"me\.jsonl, line 1: not an answer"):
        fooling_rates.answers(tmp_path)


def test_an_error_does_not_become_markup(images, monkeypatch):
    async def begin():
        box.controls["start"].click()
        while "stopped" not in box.controls["message"].value:
            await asyncio.sleep(0.001)

    def broken(gray):
        raise RuntimeError("<img src=x onerror=alert(1)>")

    monkeypatch.setattr(turing_test, "PAUSE", 0.0)
    monkeypatch.setattr(turing_test, "CHECKS", ("ours",))
    box = turing_test.turing_test({"ours": broken}, images)
    asyncio.run(asyncio.wait_for(begin(), 20))
    assert (
        "&lt;img" in box.controls["message"].value and "<img" not in box.controls["message"].value
    )
