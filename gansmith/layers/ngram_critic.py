"""A critic that weighs runs of tokens: quick enough to see many more samples than a recurrent one in the same time."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gansmith.data.tokens import TokenSpec
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.trust import Trust

Called = TypeVar("Called", bound=Callable)
Tokens = Int[Tensor, "batch length"]
SIZE = 2**17
"""Weights that runs and parts share, by a hash."""
LABELLED = 4
"""The most numbers by which a run's weight depends on the label."""
MIXED = 2_654_435_761
"""Of Knuth's multiplicative hash."""


def untraced(function: Called) -> Called:
    """A function that stays outside of compiled graphs. `torch.compiler.disable` alone would import the compiler, which takes a second."""

    @wraps(function)
    def outside(*arguments: Any) -> Any:
        compiles = "torch._dynamo" in sys.modules
        return (torch.compiler.disable(function) if compiles else function)(*arguments)

    outside._torchdynamo_disable = True  # type: ignore[attr-defined]
    return cast("Called", outside)


class NgramCritic(nn.Module):
    """Tokens (and label) to logits: the sum of a weight for each run of 1 to `longest` tokens, those that begin before the first one too,
    and for each part that the data know besides (`TokenSpec.parts`: of molecules the surroundings of atoms).

    A logistic regression, as the classifiers that tell texts apart (Lopez-Paz & Oquab 2017), learned online. The logit of a position is
    the sum of the runs that have ended up to there, that of the whole is the last one and its parts. At first all are 0.
    """

    def __init__(self, spec: TokenSpec, *, longest: int) -> None:
        super().__init__()
        self.pad, self.longest = spec.pad, longest
        self.spec, labelled = spec, min(LABELLED, spec.conditions)
        self.weights = nn.Embedding(SIZE, 1 + labelled)
        nn.init.zeros_(self.weights.weight)
        self.bias = nn.Parameter(torch.zeros(()))
        self.labels = label_embedding(spec, labelled) if labelled else None
        self.trust = Trust()
        multipliers = torch.randint(1, 2**31, (longest,), generator=torch.Generator().manual_seed(0)) | 1
        self.register_buffer("multipliers", multipliers, persistent=False)
        self.multipliers: Tensor

    def forward(
        self, tokens: Tokens, label: Label | None = None, before: None = None
    ) -> tuple[Float[Tensor, "batch length"], Float[Tensor, " batch"]]:
        """Logits of the tokens and of the whole."""
        own = None if self.labels is None or label is None else self.labels(label)
        by_run = self._weighed(self._runs(tokens), own)  # [batch, longest, length]
        there = (tokens != self.pad).to(by_run.dtype)
        positions = (by_run.sum(1) * there).cumsum(1) + self.bias
        whole, parts = positions[:, -1], self._parts(tokens)
        if parts is not None and parts.shape[1]:
            whole = whole + (self._weighed((parts * MIXED >> 15) % SIZE, own) * (parts > 0)).sum(1)
        return positions, whole

    def _weighed(self, numbers: Int[Tensor, "batch *places"], own: Tensor | None) -> Float[Tensor, "batch *places"]:
        """The weights of runs or parts for labels whose embedding is `own` [batch, numbers]."""
        found = self.weights(numbers)
        if own is None:
            return found[..., 0]
        return found[..., 0] + (found[..., 1:] * own.view(len(own), *[1] * (numbers.dim() - 1), -1)).sum(-1)

    @untraced
    def _parts(self, tokens: Tokens) -> Int[Tensor, "batch parts"] | None:
        parts = self.spec.parts(tokens.cpu().numpy())
        return None if parts is None else torch.from_numpy(parts).to(tokens.device)

    def _runs(self, tokens: Tokens) -> Int[Tensor, "batch longest length"]:
        """The number of each run by the position at which it ends."""
        length = tokens.shape[1]
        known = torch.nn.functional.pad(tokens + 1, (self.longest - 1, 0))
        hashed, found = torch.zeros_like(tokens), []
        for back in range(self.longest):
            start = self.longest - 1 - back
            hashed = hashed + known[:, start : start + length] * self.multipliers[back]
            found.append((hashed * MIXED >> 15) % SIZE)
        return torch.stack(found, 1)
