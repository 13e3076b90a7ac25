"""Rows of several requests in one batch, with the same bytes as each request alone.

A model whose noise is drawn before anything is computed (`Model.draws_first`) computes rows in multiples of `TOGETHER`. Kernels of a CPU
round a row alike in every batch of such a size; whether those of this machine and this model do is tried once, before requests are first
put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from gansmith.data.codec import Batch
from gansmith.model import CHUNK, TOGETHER, Model


@dataclass(frozen=True)
class Wanted:
    """What one request has made."""

    n: int
    seed: int
    truncation: float
    where: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> int:
        """Rows that are computed for it."""
        return -(-self.n // TOGETHER) * TOGETHER


def is_steady(model: Model) -> bool:
    """Whether rows come out the same to the last bit in batches of 4, 8, ..., 256."""
    if not model.draws_first:
        return False
    rng = torch.Generator().manual_seed(0)
    noise, condition = torch.randn(CHUNK, model.gan.config.noise, generator=rng), model.codec.conditions(CHUNK, rng)
    whole = model.painted(noise, condition)
    size = TOGETHER
    while size < CHUNK:
        parts = [
            model.painted(noise[start : start + size], {key: value[start : start + size] for key, value in condition.items()})
            for start in range(0, CHUNK, size)
        ]
        if any(not torch.equal(torch.cat([part[key] for part in parts]), whole[key]) for key in whole):
            return False
        size *= 2
    return True


def together(model: Model, wanted: Sequence[Wanted]) -> Iterator[Batch]:
    """The examples of each request, in their order; all requests have one truncation and no more than CHUNK rows together."""
    drawn = [list(model.drawn(each.n, seed=each.seed, where=dict(each.where))) for each in wanted]
    noise = torch.cat([own for parts in drawn for _, own, _ in parts])
    conditions = [condition for parts in drawn for _, _, condition in parts]
    condition = {key: torch.cat([own[key] for own in conditions]) for key in conditions[0]}
    made: dict[str, Any] = {key: value.cpu() for key, value in model.painted(noise, condition, wanted[0].truncation).items()}
    first = 0
    for each, parts in zip(wanted, drawn, strict=True):
        yield {key: value[first : first + each.n] for key, value in made.items()}
        first += sum(len(own) for _, own, _ in parts)
