"""Rows drawn from a generator, and then each of their columns drawn again given all others, with all that can be prepared.

The generator is a linear layer, residual blocks and a linear layer. What a row adds up to behind the first layer is kept and changed
where a cell is; biases within the residual stream are moved into those before and after it, which changes nothing but the rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Residual blocks at rest, whose products are of one precision and whose sums are float32.

    What they take comes with `shift` added, and beside it what the first block makes of that: [x + shift, `opened(x)`].
    """

    shift: Float[Tensor, " features"]

    def __init__(self, blocks: Sequence[Block], like: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        ahead = torch.stack([block.narrow.bias for block in blocks]).sum(0) if blocks else torch.zeros_like(like)
        self.register_buffer("shift", ahead)
        self.first = [(block.widen.weight, block.widen.bias) for block in blocks[:1]]
        self.layers: list[tuple[Tensor, Tensor, Tensor]] = []
        for block in blocks:
            bias = block.widen.bias - block.widen.weight @ ahead
            self.layers.append((block.widen.weight.to(dtype), bias.to(dtype), block.narrow.weight.to(dtype).T))
            ahead = ahead - block.narrow.bias

    def opened(self, x: Float[Tensor, "*rows features"], whole: bool = False) -> Float[Tensor, "*rows twice"]:
        """x, and beside it what the first block's layer makes of it; a `whole` x gets the shift and the layer's bias."""
        parts = [linear(x, weight, bias if whole else None) for weight, bias in self.first]
        return torch.cat([x + self.shift if whole else x, *parts], -1)

    def forward(self, both: Float[Tensor, "batch twice"]) -> Float[Tensor, "batch features"]:
        x, *first = both.to(self.dtype).split(len(self.shift), 1)
        for widen, bias, narrow in self.layers:
            wide = first.pop() if first else linear(x, widen, bias)
            x = torch.addmm(x, leaky_relu(wide, 0.2, inplace=True), narrow)
        return leaky_relu(x.float(), 0.2, inplace=True)


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
        sharp: Mapping[int, nn.Module] | None = None,
        blended: int = -1,
    ) -> None:
        """`sizes` are those of the groups of each column (`Spec.columns`); the margins correct rows, and cells drawn again. `sharp` tells
        some columns from the others, of a row and normal noise [batch], in the network's stead; of the column `blended` both tell.
        """
        super().__init__()
        self.blended = blended
        self.sharp = nn.ModuleDict({str(column): told for column, told in (sharp or {}).items()})
        layout, latent = network.layout, network.latent
        weight = network.enter.weight.detach()
        self.layout, self.latent, self.sizes, self.order = layout, latent, tuple(sizes), list(order)
        self.margins, self.of_cells = margins, of_cells
        self.owns = [slice(before, before + own) for before, own in map(layout.place, range(layout.columns))]
        self.parts = [latent + layout.width, *(latent + layout.place(column)[1] for column in self.order)]
        self.noise = sum(self.parts)
        self.blocks = Blocks(network.residual, weight[:, 0], torch.bfloat16 if fast else torch.float32)
        self.of_latent, self.of_row, self.marks = (
            self.blocks.opened(part.T).contiguous() for part in weight.split([latent, layout.width, layout.columns], 1)
        )
        self.begin = self.blocks.opened(network.enter.bias, whole=True)
        self.given = self.begin + self.marks.sum(0)
        self.leave, self.bias = network.leave.weight.detach().T.contiguous(), network.leave.bias.detach()
        self.of_latent_low = self.of_latent.to(self.blocks.dtype)
        self.leaves = [network.leave.weight.detach()[own] for own in self.owns]
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
        came: list[tuple[int, Tensor]] = []
        for column, part in zip(self.order, rest, strict=True):
            if known is None or not known[:, column].all():
                old = cells[column]
                self.change(entered, [(column, old)], came)
                heads = self.told(column, part[:, : self.latent], entered, cells)
                new = self.drawn(column, heads, gumbel(part[:, self.latent :]), self.of_cells)
                cells[column] = new if known is None else torch.where(known[:, column : column + 1], old, new)
                came = [(column, cells[column])]
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

    def entered(self, row: Float[Tensor, "batch width"]) -> Float[Tensor, "batch twice"]:
        """What rows of which all is given add up to behind the first layer, but for the noise, and what the first block makes of that."""
        return torch.addmm(self.given, row, self.of_row)

    def change(
        self,
        entered: Float[Tensor, "batch twice"],
        leave: Sequence[tuple[int, Tensor]] = (),
        come: Sequence[tuple[int, Tensor]] = (),
    ) -> None:
        """Changes what rows add up to, in place, where cells of columns leave and others come."""
        weights = [-self.of_cell[column] for column, _ in leave] + [self.of_cell[column] for column, _ in come]
        entered.addmm_(torch.cat([cells for _, cells in (*leave, *come)], 1), torch.cat(weights))
        marks = [-self.marks[column] for column, _ in leave if self.sizes[column][0] == 1]
        if marks := marks + [self.marks[column] for column, _ in come if self.sizes[column][0] == 1]:
            entered.add_(torch.stack(marks).sum(0))

    def told(
        self,
        column: int,
        latent: Float[Tensor, "batch latent"],
        without: Float[Tensor, "batch twice"],
        cells: Sequence[Tensor],
    ) -> Float[Tensor, "batch own"]:
        """Logits and numbers of one column given all others, by trees where it has some; else see `heads`."""
        if str(column) not in self.sharp:
            return self.heads(column, latent, without)
        told = self.sharp[str(column)](torch.cat(list(cells), 1), latent[:, 0])
        return (
            blend(told, self.heads(column, latent, without), latent[:, 1:2], self.sizes[column])
            if column == self.blended
            else told
        )

    def heads(
        self, column: int, latent: Float[Tensor, "batch latent"], without: Float[Tensor, "batch twice"]
    ) -> Float[Tensor, "batch own"]:
        """Logits and numbers of one column given all others; `without` is what rows add up to without it."""
        dtype = self.blocks.dtype
        both = torch.addmm(without.to(dtype), latent.to(dtype), self.of_latent_low)
        return torch.addmm(
            self.bias[self.owns[column], None], self.leaves[column], self.blocks(both).T
        ).T  # so few rows are quicker

    def drawn(
        self, column: int, heads: Float[Tensor, "batch own"], dice: Float[Tensor, "batch own"], margins: Margins | None
    ) -> Float[Tensor, "batch own"]:
        """Cells of one column, drawn by these logits and numbers."""
        if margins is None:
            return drawn_cells(heads, dice, self.sizes[column], self.no_ranks, self.bias[:1])
        ranks = margins.ranks[self.layout.numbers_of(column)]
        return drawn_cells(heads + margins.logits[self.owns[column]], dice, self.sizes[column], ranks, margins.scores)


def blend(
    one: Float[Tensor, "batch own"],
    other: Float[Tensor, "batch own"],
    dice: Float[Tensor, "batch 1"],
    sizes: Sequence[int],
) -> Float[Tensor, "batch own"]:
    """Two opinions of a column of these groups: the mean of logarithms of shares, and the number of either, as normal dice fall."""
    options = sizes[0] if sizes[0] > 1 else 0
    parts = [(one[:, :options].log_softmax(1) + other[:, :options].log_softmax(1)) / 2] if options else []
    return torch.cat([*parts, torch.where(dice > 0, one[:, options:], other[:, options:])], 1)
