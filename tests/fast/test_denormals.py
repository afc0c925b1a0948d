import numpy as np
import pytest
import torch

import colorlib as cl
from colorlib import train
from colorlib.fast.denormals import flushed_denormals


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def share_of_zeros():
    """Of a million numbers of 1e-39, each half computed by another thread."""
    return (torch.full((2**20,), 1e-39) * 1 == 0).float().mean().item()


def test_every_thread_takes_denormal_numbers_for_0(two_threads):
    assert share_of_zeros() == 0  # now PyTorch has its threads
    with flushed_denormals(torch.device("cpu")) as call:
        assert call(share_of_zeros) == 1
        assert call(torch.get_num_threads) == 2
        with pytest.raises(ZeroDivisionError):
            call(lambda: 1 // 0)
    assert share_of_zeros() == 0


def test_training_steps_take_denormal_numbers_for_0(images, monkeypatch):
    learn, shares = train.learn, []

    def watched(*args):
        shares.append(share_of_zeros())
        return learn(*args)

    monkeypatch.setattr(train, "learn", watched)
    config = cl.Config("run", widths=(8, 8), down=(0, 0), up=(0,), batch_size=8, epochs=1)
    cl.fit(*cl.build(config), images, config)
    assert np.mean(shares) == 1 and len(shares) == 7
