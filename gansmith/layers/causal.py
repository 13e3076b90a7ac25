"""A causal transformer that is called as a GRU is: states of a stretch of steps, and what the next stretch must know of it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class CausalBlock(nn.Module):
    """Attention over the steps up to each one and a plain network, each behind a norm and beside an identity."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.answer = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for last in (self.answer, self.narrow):
            nn.init.zeros_(last.weight)

    def forward(self, x: Float[Tensor, "batch steps width"], known: Tensor | None) -> tuple[Tensor, Tensor]:
        """(what the steps become, keys and values [2, batch, heads, steps so far, width of each])."""
        parts = self.ask(self.before(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        kept = parts[1:] if known is None else torch.cat([known, parts[1:]], 3)
        found = scaled_dot_product_attention(parts[0], kept[0], kept[1], is_causal=known is None)
        x = x + self.dropout(self.answer(found.transpose(1, 2).flatten(2)))
        return x + self.dropout(self.narrow(gelu(self.wide(self.between(x))))), kept


class CausalTransformer(nn.Module):
    """A pre-norm transformer with learned places (Vaswani et al. 2017; Radford et al. 2019), for sequences of at most `places` steps.

    Its state is the keys and values of each block, so that a step costs what it reads, not the whole sequence anew.
    """

    def __init__(self, embedding: int, width: int, *, layers: int, heads: int, places: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.enter = nn.Linear(embedding, width)
        self.places = nn.Parameter(0.02 * torch.randn(places, width))
        self.blocks = nn.ModuleList(CausalBlock(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, x: Float[Tensor, "batch steps embedding"], state: tuple[Tensor, ...] | None = None
    ) -> tuple[Float[Tensor, "batch steps width"], tuple[Tensor, ...]]:
        """States of the steps, which follow those of `state` (then a single one), and the state with them."""
        begun = 0 if state is None else state[0].shape[3]
        assert state is None or x.shape[1] == 1
        x = self.enter(x) + self.places[begun : begun + x.shape[1]]
        kept = []
        for number, block in enumerate(self.blocks):
            x, own = block(x, None if state is None else state[number])
            kept.append(own)
        return self.norm(x), tuple(kept)
