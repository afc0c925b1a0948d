"""Cross-entropy against a soft target of few cells, with its gradient written out.

It replaces `log_softmax` and `gather`. The gradient, softmax of the logits minus the shares, then
takes half the time.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class CrossEntropy(torch.autograd.Function):
    """-sum_j share_j log softmax(logits)[index_j], (...), for logits (..., K).

    index and share are (..., J), shares summing to 1. The gradient is written over what the
    forward pass kept, so there can be one backward pass only.
    """

    @staticmethod
    def forward(context: Any, logits: Tensor, index: Tensor, share: Tensor) -> Tensor:
        probabilities = logits.softmax(-1)
        context.save_for_backward(probabilities, index, share)
        return -(share * probabilities.gather(-1, index).clamp(min=1e-30).log()).sum(-1)

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        probabilities, index, share = context.saved_tensors
        gradient = gradient[..., None]
        return probabilities.mul_(gradient).scatter_add_(-1, index, -share * gradient), None, None
