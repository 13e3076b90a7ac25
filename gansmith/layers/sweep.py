"""Rows drawn from a generator, and then each of their columns drawn again given all others, with all that can be prepared.

The generator is a linear layer, residual blocks and a linear layer. What a row adds up to behind the first layer is kept and changed
where a cell is; biases within the residual stream are moved into those before and after it, which changes nothing but the rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear

from gansmith.layers.rows import Margins, RowLayout, drawn_cells, gumbel


class Block(nn.Module):
    """A residual block of two linear layers, the last of which starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen = nn.Linear(width, width)
        self.narrow = nn.Linear(width, width)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        return x + self.narrow(leaky_relu(self.widen(x), 0.2))


@runtime_checkable
class Swept(Protocol):
    """A network that makes rows of noise, the known cells, and marks of what is known."""

    layout: RowLayout
    latent: int
    enter: nn.Linear
    leave: nn.Linear

    @property
    def residual(self) -> Sequence[Block]: ...


class Blocks(nn.Module):
    """Residual blocks at rest, whose products are of one precision and whose sums are float32; x is to come with `shift` added."""

    shift: Float[Tensor, " features"]

    def __init__(self, blocks: Sequence[Block], like: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        ahead = torch.stack([block.narrow.bias for block in blocks]).sum(0) if blocks else torch.zeros_like(like)
        self.register_buffer("shift", ahead)
        self.layers: list[tuple[Tensor, Tensor, Tensor]] = []
        for block in blocks:
            bias = block.widen.bias - block.widen.weight @ ahead
            self.layers.append((block.widen.weight.to(dtype), bias.to(dtype), block.narrow.weight.to(dtype).T))
            ahead = ahead - block.narrow.bias

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        for widen, bias, narrow in self.layers:
            hidden = leaky_relu(linear(x.to(self.dtype), widen, bias), 0.2)
            x = x + torch.mm(hidden, narrow).float()
        return leaky_relu(x, 0.2)


class Sweep(nn.Module):
    """Rows whose columns are drawn again in an order; what is known stays as it is. With `fast` the blocks compute in bfloat16."""

    @torch.no_grad()
    def __init__(
        self,
        network: Swept,
        sizes: Sequence[tuple[int, ...]],
        margins: Margins,
        of_cells: Margins | None,
        order: Sequence[int],
        fast: bool = False,
    ) -> None:
        """`sizes` are those of the groups of each column (`Spec.columns`); the margins correct rows, and cells drawn again."""
        super().__init__()
        layout, latent = network.layout, network.latent
        weight = network.enter.weight.detach()
        self.layout, self.latent, self.sizes, self.order = layout, latent, tuple(sizes), list(order)
        self.margins, self.of_cells = margins, of_cells
        self.owns = [slice(before, before + own) for before, own in map(layout.place, range(layout.columns))]
        self.parts = [latent + layout.width, *(latent + layout.place(column)[1] for column in self.order)]
        self.noise = sum(self.parts)
        self.blocks = Blocks(network.residual, weight[:, 0], torch.bfloat16 if fast else torch.float32)
        self.of_latent, self.of_row, self.marks = (
            part.T.contiguous() for part in weight.split([latent, layout.width, layout.columns], 1)
        )
        self.begin = network.enter.bias.detach() + self.blocks.shift
        self.given = self.begin + self.marks.sum(0)
        self.leave, self.bias = network.leave.weight.detach().T.contiguous(), network.leave.bias.detach()
        self.leaves = [self.leave[:, own].contiguous() for own in self.owns]
        self.of_cell = [self.of_row[own].clone() for own in self.owns]
        for column, groups in enumerate(self.sizes):
            if groups[0] > 1:  # of a choice, one option is always 1: the mark may come with it
                self.of_cell[column][: groups[0]] += self.marks[column]
        self.no_ranks = self.bias.new_zeros(0, 1)

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        row: Float[Tensor, "batch width"] | None = None,
        known: Bool[Tensor, "batch columns"] | None = None,
    ) -> Float[Tensor, "batch width"]:
        first, *rest = noise.split(self.parts, 1)
        cells = self.made(first, row, known)
        if not rest:
            return torch.cat(cells, 1)
        entered = self.entered(torch.cat(cells, 1))
        for column, part in zip(self.order, rest, strict=True):
            if known is None or not known[:, column].all():
                old = cells[column]
                self.change(entered, column, old, -1)
                heads = self.heads(column, part[:, : self.latent], entered)
                new = self.drawn(column, heads, gumbel(part[:, self.latent :]), self.of_cells)
                cells[column] = new if known is None else torch.where(known[:, column : column + 1], old, new)
                self.change(entered, column, cells[column])
        return torch.cat(cells, 1)

    def made(
        self,
        noise: Float[Tensor, "batch first"],
        row: Float[Tensor, "batch width"] | None = None,
        known: Bool[Tensor, "batch columns"] | None = None,
    ) -> list[Float[Tensor, "batch own"]]:
        """The cells of each column, made at once."""
        x = torch.addmm(self.begin, noise[:, : self.latent], self.of_latent)
        if row is not None and known is not None:
            x = x + (row * self.layout.of_columns(known)) @ self.of_row + known.to(row.dtype) @ self.marks
        heads, dice = torch.addmm(self.bias, self.blocks(x), self.leave), gumbel(noise[:, self.latent :])
        cells = [self.drawn(column, heads[:, own], dice[:, own], self.margins) for column, own in enumerate(self.owns)]
        if row is None or known is None:
            return cells
        return [
            torch.where(known[:, i : i + 1], row[:, own], made)
            for i, (own, made) in enumerate(zip(self.owns, cells, strict=True))
        ]

    def entered(self, row: Float[Tensor, "batch width"]) -> Float[Tensor, "batch features"]:
        """What rows of which all is given add up to behind the first layer, but for the noise."""
        return torch.addmm(self.given, row, self.of_row)

    def change(self, entered: Float[Tensor, "batch features"], column: int, cells: Tensor, sign: int = 1) -> None:
        """Adds to what rows add up to, in place, what these cells of a column do; with -1, takes it off."""
        entered.addmm_(cells, self.of_cell[column], alpha=sign)
        if self.sizes[column][0] == 1:
            entered.add_(self.marks[column], alpha=sign)

    def heads(
        self, column: int, latent: Float[Tensor, "batch latent"], without: Float[Tensor, "batch features"]
    ) -> Float[Tensor, "batch own"]:
        """Logits and numbers of one column given all others; `without` is what rows add up to without it."""
        x = self.blocks(torch.addmm(without, latent, self.of_latent))
        return torch.addmm(self.bias[self.owns[column]], x, self.leaves[column])

    def drawn(
        self, column: int, heads: Float[Tensor, "batch own"], dice: Float[Tensor, "batch own"], margins: Margins | None
    ) -> Float[Tensor, "batch own"]:
        """Cells of one column, drawn by these logits and numbers."""
        if margins is None:
            return drawn_cells(heads, dice, self.sizes[column], self.no_ranks, self.bias[:1])
        ranks = margins.ranks[self.layout.numbers_of(column)]
        return drawn_cells(heads + margins.logits[self.owns[column]], dice, self.sizes[column], ranks, margins.scores)
