"""The study of hints: what is revealed, what goes between the hints, and what a seam is."""

import numpy as np
import pytest
import torch
from conftest import REPOSITORY
from matplotlib.text import Text

import colorlib as cl
from colorlib import paths
from colorlib.compare import figures, hint_study
from colorlib.decoding import DecodeSetting


def test_more_hints_contain_the_fewer(images):
    rgb = cl.to_tensor(images[:6])
    few, many = (hint_study.true_hints(rgb, count) for count in (2, 20))
    assert (many[:, 2] >= few[:, 2]).all() and many[:, 2].sum() > 3 * few[:, 2].sum()
    assert hint_study.true_hints(rgb, 0).abs().max() == 0


def test_a_hint_shows_the_true_colour():
    rgb = torch.zeros(1, 3, 32, 32)
    rgb[:, 0], rgb[:, 1] = 0.8, 0.2  # hue 1/24 of a turn, saturation 1
    angle = 2 * np.pi / 24
    hints = hint_study.true_hints(rgb, 5)
    shown = hints[0, :2, hints[0, 2] > 0]
    expected = torch.tensor([np.cos(angle), np.sin(angle)], dtype=torch.float32)
    assert torch.allclose(shown, expected[:, None].expand_as(shown), atol=1e-5)


def test_between_hints_colour_is_linear():
    hints = torch.zeros(1, 3, 20, 20)
    for y, x in ((0, 0), (0, 19), (19, 0), (19, 19)):
        hints[0, :, y, x] = torch.tensor([x / 19, y / 19, 1.0])
    found = hint_study.spread(hints)[0]
    line = torch.linspace(0, 1, 20)
    assert torch.allclose(found[0], line.expand(20, 20), atol=1e-5)
    assert torch.allclose(found[1], line[:, None].expand(20, 20), atol=1e-5)
    hints[0, 2, 1:] = 0  # a row of hints: no triangle
    assert torch.isfinite(hint_study.spread(hints)).all()
    assert hint_study.spread(torch.zeros(1, 3, 20, 20)).abs().max() == 0


def test_a_seam_is_a_step_of_colour_without_one_of_luma():
    gray, chroma = torch.full((1, 1, 10, 10), 0.5), torch.zeros(1, 2, 10, 10)
    assert hint_study.seams(chroma, gray) == 0
    chroma[:, 0, :, 5:] = 0.4
    assert hint_study.seams(chroma, gray) == pytest.approx(0.4 * 10 / 180)
    gray[..., 5:] = 0.9
    assert hint_study.seams(chroma, gray) == pytest.approx(0)


def test_every_decoder_is_measured(hinted, images):
    settings = DecodeSetting(), DecodeSetting(0.5, 0.8)
    rows = hint_study.decoder_rows(hinted, images[:4], settings)
    assert [row["way"] for row in rows] == [
        *("mean", "mean", "coherent", "coherent"),
        *("seed 0", "seed 0", "seed 1", "seed 1", "truth"),
    ]
    assert all(("diversity" in row) == (row["way"] == "seed 1") for row in rows)
    counts = [row["hints"] for row in hint_study.hint_rows(hinted, images[:4])]
    assert counts == list(hint_study.COUNTS)
    result = {"hints": hint_study.hint_rows(hinted, images[:2]), "decoders": rows}
    assert hint_study.hints_table(result).count("\n") == len(counts) + 1
    table, sentence = hint_study.decoders_table(result).split("\n\n")
    lines = table.splitlines()
    assert sentence and len(lines) == 2 + 5  # four ways at the first setting, and the truth
    assert f"{rows[0]['psnr']:.2f}" in lines[2] and f"{rows[2]['psnr']:.2f}" in lines[3]


def test_a_result_of_hints_keeps_a_sample_that_can_be_measured_again(hinted, images, monkeypatch):
    hinted.schedules["luma"] = [DecodeSetting()]
    monkeypatch.setattr(hint_study, "load_model", lambda name: hinted)
    monkeypatch.setattr(hint_study, "load_images", lambda *args, **kwargs: images[: args[2]])
    result = hint_study.hints_result("mine", 5)
    sample = result["sample"]
    assert (result["data"]["split"], result["data"]["count"]) == ("test", 5)
    assert sample == hint_study.sample_rows(hinted, images[:3], [DecodeSetting()])
    assert len(sample) == len(hint_study.COUNTS) + len(hint_study.WAYS)


def test_the_figure_and_the_docs_call_them_held_out_photographs():
    rows = [{"hints": n, "psnr": 20.0 + n, "linear_psnr": 19.0} for n in hint_study.COUNTS]
    fig = figures.hint_curve({"hints": rows, "data": {"count": 5}})
    words = [text.get_text() for text in fig.findobj(Text)]
    assert any("5 held-out photographs" in text for text in words)
    page = (REPOSITORY / "docs" / "photographs.md").read_text(encoding="utf-8")
    hints = page.partition("## Hints")[2]
    assert "held-out photographs" in hints and "validation" not in hints
    assert "looked at for one decision" in page


def test_a_file_of_weights_has_a_result_in_the_folder_of_results(hinted, images, monkeypatch):
    folder = paths.data_root() / "photos"
    folder.mkdir(parents=True)
    np.save(folder / "val96.npy", np.tile(images[:2], (1, 3, 3, 1)))
    cl.save_model(hinted, paths.data_root() / "my model.safetensors")
    for measure in ("decoder_rows", "hint_rows"):
        monkeypatch.setattr(hint_study, measure, lambda *_: [])
    named = str(paths.data_root() / "photos" / ".." / "my model.safetensors")
    found = hint_study.hints_result(named, 2)
    assert f"--model '{named}' --count 2" in found["command"]
    (made,) = paths.out().rglob("*.json")
    assert made.parent == paths.results() and made.name.startswith("hints-my-model.safetensors-")


def test_decoders_are_compared_at_equal_raw_auc():
    mean = [
        {"way": "mean", "raw_auc": raw, "rebalanced_auc": rare}
        for raw, rare in ((0.92, 0.70), (0.90, 0.74), (0.88, 0.72))
    ]
    coherent = {"way": "coherent", "raw_auc": 0.91, "rebalanced_auc": 0.7111}
    sentence = hint_study.at_equal_raw_auc({"decoders": [*mean, coherent]})
    assert "0.9100" in sentence and "0.7200" in sentence and "0.7111" in sentence
    lower = coherent | {"raw_auc": 0.5}
    assert "No setting" in hint_study.at_equal_raw_auc({"decoders": [*mean, lower]})
