"""Self-attention over the positions of a feature map (Zhang et al. 2019, "Self-attention GANs", section 3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class SelfAttention(nn.Module):
    """Adds to each position what it finds at all others; starts as the identity (its share is a learned number, first 0).

    Queries and keys have an eighth, values half of the channels. Keys and values are pooled by two in both directions where the
    sides are even and at least four, as in the authors' code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        pooled = x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0 and min(x.shape[2:]) >= 4
        key, value = self.key(x), self.value(x)
        if pooled:
            key, value = max_pool2d(key, 2), max_pool2d(value, 2)
        query, key, value = self.query(x).flatten(2), key.flatten(2), value.flatten(2)  # [B, C, positions]
        attention = (query.transpose(1, 2) @ key).softmax(2)  # no scaling by the root of the width, as in the paper
        found = (value @ attention.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.share * self.out(found)
