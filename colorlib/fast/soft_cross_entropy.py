"""Cross-entropy against a soft target of few cells, with its gradient written out.

It replaces `log_softmax` and `gather`, and takes half of their time.
"""

import torch
from torch import Tensor


class CrossEntropy(torch.autograd.Function):
    """-sum_j share_j log softmax(logits)[index_j], (...), for logits (..., K).

    index and share are (..., J), shares summing to 1. Written out because its gradient, softmax of
    the logits minus the shares, then takes half the time it takes through log_softmax and gather.
    It is written over what the forward pass kept, so there can be one backward pass only.
    """

    @staticmethod
    def forward(context, logits: Tensor, index: Tensor, share: Tensor) -> Tensor:
        likely = logits.softmax(-1)
        context.save_for_backward(likely, index, share)
        return -(share * likely.gather(-1, index).clamp(min=1e-30).log()).sum(-1)

    @staticmethod
    def backward(context, gradient: Tensor):
        likely, index, share = context.saved_tensors
        gradient = gradient[..., None]
        return likely.mul_(gradient).scatter_add_(-1, index, -share * gradient), None, None
