"""Muon, the optimizer of the hidden convolutions: an orthogonal step for every kernel.

Gradients of a kernel are dominated by few directions; a step made orthogonal moves all of them
equally, and the network learns from fewer images.
"""

import torch
from torch import Tensor, nn

# of the odd polynomial a x + b x^3 + c x^5 that takes singular values towards 1 (Jordan 2024)
QUINTIC = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, for kernels (outputs, inputs, height, width).

    Each kernel is seen as a matrix (outputs, inputs x height x width). Everything else (biases,
    normalisation, the first and last layer) needs another optimizer. Source: K. Jordan and others
    2024, "Muon: An optimizer for hidden layers in neural networks".
    """

    def __init__(self, kernels: list[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(kernels, {"lr": lr, "momentum": 0.9, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            # kernels of one shape are worked on together, which small matrices need
            alike: dict[tuple[int, int], list[nn.Parameter]] = {}
            for kernel in group["params"]:
                if kernel.grad is not None:
                    alike.setdefault((len(kernel), kernel[0].numel()), []).append(kernel)
            for (rows, columns), kernels in alike.items():
                updates = torch.stack([self.momentum(k, group["momentum"]) for k in kernels])
                updates = orthogonal(updates) * max(1, rows / columns) ** 0.5
                for kernel, update in zip(kernels, updates, strict=True):
                    kernel.mul_(1 - group["lr"] * group["weight_decay"])
                    update = update.view(rows, *kernel.shape[2:], -1).movedim(-1, 1)
                    kernel.add_(update, alpha=-group["lr"])

    def momentum(self, kernel: nn.Parameter, share: float) -> Tensor:
        """The kernel's next step before it is made orthogonal, as a matrix."""
        state, gradient = self.state[kernel], kernel.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum = state["momentum"].lerp_(gradient, 1 - share)
        update = gradient.lerp(momentum, share)
        return update.movedim(1, -1).flatten(1)  # in the order that the kernel has in memory


def orthogonal(matrices: Tensor, steps: int = 5) -> Tensor:
    """`matrices` (B, m, n) with singular values brought close to 1, by Newton-Schulz iteration.

    Each step multiplies by a polynomial of X X^T, and all of these commute: so they are gathered
    on the small square side and meet the matrix once, at a third of the cost for a wide kernel.
    """
    a, b, c = QUINTIC
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = matrices if wide else matrices.mT
    size = x.norm(dim=(-2, -1), keepdim=True) + 1e-7
    square = (x @ x.mT).div_(size.square())
    factor = square  # replaced in the first step
    for i in range(steps):
        polynomial = torch.baddbmm(square, square, square, beta=b, alpha=c)
        polynomial.diagonal(dim1=-2, dim2=-1).add_(a)
        factor = polynomial @ factor if i else polynomial
        if i < steps - 1:
            square = polynomial @ square @ polynomial
    x = factor.div_(size) @ x
    return x if wide else x.mT
