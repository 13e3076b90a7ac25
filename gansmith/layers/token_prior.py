"""A small transformer that says which code comes next (Radford et al. 2019, GPT-2; for codes of images Esser et al. 2021, section 3.2)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from gansmith.data.spec import Spec
from gansmith.layers.labels import Label, label_embedding

Cache = tuple[Tensor, Tensor]


class TokenBlock(nn.Module):
    """Attention to what came before, then two linear layers, each added to what it got."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Float[Tensor, "batch length width"], past: Cache | None = None) -> tuple[Tensor, Cache]:
        """With the keys and values of a past, x is the one token that follows it; without, x is all tokens."""
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.query_key_value(self.norm(x)).chunk(3, 2)
        )
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        found = scaled_dot_product_attention(query, key, value, is_causal=past is None)
        x = x + self.out(found.transpose(1, 2).flatten(2))
        return x + self.narrow(gelu(self.wide(self.second_norm(x)))), (key, value)


class TokenPrior(nn.Module):
    """The logits of every code, given those before it and the label."""

    def __init__(self, spec: Spec, *, codes: int, length: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.length = length
        self.begin = nn.Parameter(0.02 * torch.randn(width))
        self.label = label_embedding(spec, width)
        self.token = nn.Embedding(codes, width)
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(TokenBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, codes)
        nn.init.normal_(self.token.weight, std=0.02)

    def forward(self, tokens: Int[Tensor, "batch length"], label: Label | None = None) -> Float[Tensor, "batch length codes"]:
        """Of each token, given those before it."""
        x = torch.cat([self._first(tokens, label), self.token(tokens[:, :-1])], 1) + self.place
        for block in self.blocks:
            x, _ = block(x)
        return self.logits(self.norm(x)).float()

    def sampled(
        self, noise: Float[Tensor, "batch length"], label: Label | None = None, temperature: float = 1.0
    ) -> Int[Tensor, "batch length"]:
        """Codes drawn one after another, decided by normal noise: each is where its share of the probability falls. At temperature 0
        the likeliest is taken."""
        shares = (1 + torch.erf(noise / 2**0.5)) / 2
        x, pasts, chosen = self._first(noise, label), [None] * len(self.blocks), []
        for position in range(self.length):
            x = x + self.place[position]
            for index, block in enumerate(self.blocks):
                x, pasts[index] = block(x, pasts[index])
            logits = self.logits(self.norm(x))[:, 0].float() / max(temperature, 1e-4)
            below = logits.softmax(1).cumsum(1)[:, :-1] < shares[:, position, None]
            chosen.append(below.sum(1))
            x = self.token(chosen[-1])[:, None]
        return torch.stack(chosen, 1)

    def _first(self, like: Tensor, label: Label | None) -> Float[Tensor, "batch 1 width"]:
        begin = self.begin.expand(like.shape[0], 1, -1)
        return begin if self.label is None or label is None else begin + self.label(label)[:, None]
