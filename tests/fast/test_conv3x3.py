import math

import pytest
import torch
import torch.nn.functional as F

from colorlib.fast import conv3x3
from colorlib.fast.conv3x3 import Conv3


@pytest.mark.parametrize("shape", [(128, 6, 4, 4), (5, 3, 8, 8), (48, 7, 2, 8), (1, 4, 5, 3)])
def test_gradients_are_those_of_a_convolution(shape, monkeypatch):
    """Against 64-bit floats, of the same 16-bit numbers."""
    rows, beside = [], conv3x3.side_by_side
    monkeypatch.setattr(conv3x3, "side_by_side", lambda x: rows.append(beside(x)) or rows[-1])
    random = torch.Generator().manual_seed(0)
    layer = Conv3(shape[1], 9)
    x = torch.randn(shape, generator=random).bfloat16()
    gradient = torch.randn((shape[0], 9, *shape[2:]), generator=random).bfloat16()
    x.requires_grad_()
    layer(x).backward(gradient)
    assert len(rows) == 2 and rows[0].shape[-1] == math.gcd(shape[0], 32) * (shape[-1] + 1)

    exact = x.detach().double().requires_grad_()
    kernel = layer.weight.detach().bfloat16().double().requires_grad_()
    F.conv2d(exact, kernel, padding=1).backward(gradient.double())
    for got, expected in ((x.grad, exact.grad), (layer.weight.grad, kernel.grad)):
        assert (got.double() - expected).norm() < 0.01 * expected.norm()


def test_elsewhere_it_is_a_convolution():
    random = torch.Generator().manual_seed(0)
    layer, plain = Conv3(3, 5), torch.nn.Conv2d(3, 5, 3, padding=1, bias=False)
    plain.load_state_dict(layer.state_dict())
    for x in (
        torch.randn(2, 3, 8, 8, generator=random),  # 32-bit floats
        torch.randn(2, 3, 20, 20, generator=random),  # long rows
    ):
        layer(x).square().sum().backward()
        plain(x).square().sum().backward()
        assert torch.equal(layer(x), plain(x))
        assert torch.equal(layer.weight.grad, plain.weight.grad)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert torch.equal(layer(x[..., :8]), plain(x[..., :8]))
