"""Training by sampling (Xu et al. 2019, section 4.3): rows conditioned on one category of one column, rare ones seen often."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from gansmith.layers.labels import one_hot
from gansmith.layers.rows import RowLayout, chosen, picked
from gansmith.training.seeds import uniform_rows

Row = Float[Tensor, "batch width"]
PER = 10_000
"""Rows to which frequencies are scaled before their logarithm is taken."""


def sampled(real: Row, shares: Float[Tensor, " width"], layout: RowLayout) -> tuple[Row, Row, Int[Tensor, " batch"]]:
    """Rows drawn again so that the category of a random column is met as often as the logarithm of its frequency asks.

    Returns the rows, the requested categories (one-hot in rows of zeros) and which choice each is of.
    """
    with torch.no_grad():
        dice = uniform_rows(len(real), 2, device=real.device)
        column = (dice[:, 0] * layout.choices).long()
        requested = only(real, column, layout)
        share = (requested * shares).sum(1).clamp_min(1 / PER)
        weight = ((1 + PER * share).log() / share).cumsum(0)
        again = torch.searchsorted(weight, dice[:, 1] * weight[-1]).clamp_max(len(real) - 1)
    return real[again], requested[again], column[again]


def missed(heads: Row, requested: Row, choice: Int[Tensor, " batch"], layout: RowLayout) -> Float[Tensor, " batch"]:
    """The cross-entropy of the requested categories under logits."""
    logits = layout.logits(heads).log_softmax(-1)
    rows = torch.arange(len(heads), device=heads.device)
    return -(logits[rows, choice] * layout.logits(requested).clamp_min(0)[rows, choice]).sum(1)


def only(row: Row, choice: Int[Tensor, " batch"], layout: RowLayout) -> Row:
    """The rows with nothing but one of their choices."""
    kept = layout.logits(row).clamp_min(0) * one_hot(choice, layout.choices)[:, :, None]
    return layout.assemble(kept, row.new_zeros(row.shape[0], layout.numbers))


@runtime_checkable
class WishedRows(Protocol):
    """A network that makes rows of noise and a requested category."""

    layout: RowLayout
    noise: int
    shares: Tensor

    def __call__(self, noise: Tensor, requested: Tensor) -> Tensor: ...


class Completion(nn.Module):
    """A generator with the choice of what it is conditioned on: a known category, or one as frequent as in the data."""

    def __init__(self, network: WishedRows) -> None:
        super().__init__()
        self.network, self.layout = network, network.layout
        self.noise = network.noise + 2 * self.layout.choices

    def forward(
        self, noise: Float[Tensor, "batch noise"], row: Row | None = None, known: Bool[Tensor, "batch columns"] | None = None
    ) -> Row:
        layout, choices = self.layout, self.layout.choices
        row = noise.new_zeros(noise.shape[0], layout.width) if row is None else row
        known = torch.zeros(noise.shape[0], layout.columns, dtype=torch.bool, device=noise.device) if known is None else known
        which, dice = torch.special.ndtr(noise[:, -2 * choices :]).chunk(2, 1)
        shares = layout.logits(self.network.shares.expand(row.shape[0], -1)).clamp_min(0)
        drawn = layout.assemble(picked(shares, dice), row.new_zeros(row.shape[0], layout.numbers))
        full = torch.where(layout.of_columns(known), row, drawn)
        given = known[:, layout.column[layout.index[:, 0]]]
        made = self.network(noise[:, : self.network.noise], only(full, (which + given).argmax(1), layout))
        hard = layout.assemble(chosen(layout.logits(made)), made[:, layout.number])
        return torch.where(layout.of_columns(known), row, hard)
