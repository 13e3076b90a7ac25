"""A critic that weighs runs of tokens: quick enough to see many more samples than a recurrent one in the same time."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gansmith.data.tokens import TokenSpec
from gansmith.layers.labels import Label, label_embedding

Tokens = Int[Tensor, "batch length"]
SIZE = 2**16
"""Weights that runs share, by a hash."""
LABELLED = 8
"""Numbers by which a run's weight depends on the label."""


class NgramCritic(nn.Module):
    """Tokens (and label) to logits: the sum of a weight for each run of 1 to `longest` tokens, those that begin before the first one too.

    A logistic regression on runs, as the classifiers that tell texts apart (Lopez-Paz & Oquab 2017), learned online. The logit of a
    position is the sum of what has ended up to there, that of the whole is the last one. At first all are 0.
    """

    def __init__(self, spec: TokenSpec, *, longest: int) -> None:
        super().__init__()
        self.pad, self.longest = spec.pad, longest
        self.weights = nn.Embedding(SIZE, 1 + (LABELLED if spec.conditions else 0))
        nn.init.zeros_(self.weights.weight)
        self.bias = nn.Parameter(torch.zeros(()))
        self.labels = label_embedding(spec, LABELLED)
        multipliers = torch.randint(1, 2**31, (longest,), generator=torch.Generator().manual_seed(0)) | 1
        self.register_buffer("multipliers", multipliers, persistent=False)
        self.multipliers: Tensor

    def forward(
        self, tokens: Tokens, label: Label | None = None, before: None = None
    ) -> tuple[Float[Tensor, "batch length"], Float[Tensor, " batch"]]:
        """Logits of the tokens and of the whole."""
        found = self.weights(self._runs(tokens))  # [batch, longest, length, numbers]
        by_run = found[..., 0]
        if self.labels is not None and label is not None:
            by_run = by_run + (found[..., 1:] * self.labels(label)[:, None, None]).sum(3)
        there = (tokens != self.pad).to(by_run.dtype)
        positions = (by_run.sum(1) * there).cumsum(1) + self.bias
        return positions, positions[:, -1]

    def _runs(self, tokens: Tokens) -> Int[Tensor, "batch longest length"]:
        """The number of each run by the position at which it ends."""
        length = tokens.shape[1]
        known = torch.nn.functional.pad(tokens + 1, (self.longest - 1, 0))
        hashed, found = torch.zeros_like(tokens), []
        for back in range(self.longest):
            start = self.longest - 1 - back
            hashed = hashed + known[:, start : start + length] * self.multipliers[back]
            found.append((hashed * 2_654_435_761 >> 15) % SIZE)
        return torch.stack(found, 1)
