"""Self-attention over a feature map by PyTorch's fused kernel.

It replaces softmax(Q K^T) V written out, whose matrix of all pairs of places fills the memory.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """x + f(x), f self-attention over all places of the map: each place learns about the scene.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.2; on feature maps Wang et
    al. 2018, "Non-local neural networks".
    """

    def __init__(self, width: int, head: int = 64):
        super().__init__()
        if width % min(head, width):
            raise ValueError(f"attention: got width {width}, expected a multiple of {head}")
        self.heads = width // min(head, width)
        self.norm = nn.GroupNorm(1, width)
        self.project = nn.Conv2d(width, 3 * width, 1)  # to queries, keys and values
        self.out = nn.Conv2d(width, width, 1)
        for parameter in self.out.parameters():  # each block starts as the identity
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        places = self.project(self.norm(x)).flatten(2).unflatten(1, (3 * self.heads, -1)).mT
        mixed = F.scaled_dot_product_attention(*places.chunk(3, 1))  # (B, heads, H W, head)
        return x + self.out(mixed.mT.reshape(x.shape))
