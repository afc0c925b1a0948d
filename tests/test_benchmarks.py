"""`make bench` in small: every measurement runs, and every row has a title."""

import json

import numpy as np
import pytest
from conftest import REPOSITORY

from benchmarks import hsv, moves, photo, run, timing, training

pytestmark = pytest.mark.full


def test_every_row_of_the_benchmark_has_a_title(monkeypatch):
    once = timing.alternate
    for module in (hsv, photo, training):
        monkeypatch.setattr(module, "alternate", lambda f, rounds=1: once(f, 1))
    monkeypatch.setattr(training, "STEPS", 1)
    monkeypatch.setattr(training, "SIDE", 64)
    monkeypatch.setattr(photo, "MEMORY", "print(1)")
    monkeypatch.setattr(photo, "PHOTOGRAPHS", ("rocket",))
    images = np.random.default_rng(0).integers(0, 256, (300, 32, 32, 3), np.uint8)
    rows = [
        *run.importing(),
        *moves.photo_tool_moves(1),
        *photo.photographs(),
        *training.training(images),
        *training.coloring(images[:20]),
    ]
    titles = json.loads((REPOSITORY / "benchmarks" / "titles.json").read_text(encoding="utf-8"))
    keys = [row["key"] for row in rows]
    assert len(keys) == len(set(keys)) and set(keys) <= set(titles)
    assert all(row["value"] > 0 for row in rows)
    error = {row["key"]: row["value"] for row in rows}
    assert error["bleeding-best-of-nine"] < error["bleeding-ours"] < error["bleeding-bilinear"]
    kept = json.loads((REPOSITORY / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    assert {row["key"] for row in kept["rows"]} <= set(titles)
