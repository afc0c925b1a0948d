import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib import metrics
from colorlib.study import failures


def test_each_cause_is_found(net, monkeypatch):
    board = np.zeros((32, 32, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = (200, 30, 30)
    board[1::2, ::2] = board[::2, 1::2] = (30, 60, 200)
    plain = np.full((32, 32, 3), (200, 30, 30), np.uint8)
    cells = net.cells
    grey = cells.norm(dim=1).argmin()

    def sure(model, gray):
        return torch.zeros(len(gray), 109, 16, 16).index_fill(1, grey, 1.0)

    def unsure(model, gray):
        return torch.full((len(gray), 109, 16, 16), 1 / 109)

    names = list(failures.CAUSES)
    for said, expected in ((sure, "unusual_color"), (unsure, "ambiguous_object")):
        monkeypatch.setattr(failures, "distribution", said)
        found = failures.causes(net, np.stack((board, plain)))
        assert [names[i] for i in found["cause"]] == ["sharp_edge", expected]
    truth = cl.to_tensor(np.stack((board, plain)))
    ours = cl.colorize(net, cl.luma(truth), "luma")
    assert torch.allclose(found["error"], metrics.mean_ab_error(ours, truth))


def test_fading_groups_by_similarity(net, images):
    similarity = torch.arange(len(images)).flip(0).float()
    rows = failures.fading(net, images, similarity, parts=4)
    assert [row["similarity"] for row in rows] == sorted(row["similarity"] for row in rows)
    truth = cl.to_tensor(images)
    gray = cl.luma(truth)
    ours = cl.colorize(net, gray, "luma")
    for row, part in zip(rows, reversed(torch.arange(64).split(16)), strict=True):
        error = metrics.mean_ab_error(gray[part].expand(-1, 3, -1, -1), truth[part])
        assert row["grey_error"] == pytest.approx(error.mean().item(), rel=1e-5)
        share = metrics.colourfulness(ours[part]).mean() / metrics.colourfulness(truth[part]).mean()
        assert row["share"] == pytest.approx(share.item(), rel=1e-4)
