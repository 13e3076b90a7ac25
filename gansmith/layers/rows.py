"""Rows of tables as networks see them: groups of numbers that are each a choice (one-hot) or a single number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.labels import one_hot
from gansmith.layers.marginals import places_among

NEVER = -1e9
"""The logit of what cannot be chosen."""
REACH = 1.5
"""How far from 0 hinges and bins of normal scores go."""
CUTS = 7
"""Borders between the bins of a number."""
MEASURED = 8192
"""Rows from which corrections are measured."""
POINTS = 512
"""Ranks of each number that are remembered."""
ROUNDS = 15
"""Steps by which the logits are corrected."""
TRIES = 12
"""How often rows are made until enough lie between the bounds; then the bounded cells are given."""


class RowLayout(nn.Module):
    """Which entries of a row [width] belong together; made from `Spec.columns`.

    `width` entries, `columns` columns, `choices` groups of the largest size `options`, `numbers` single numbers.
    """

    column: Tensor
    index: Tensor
    back: Tensor
    choice: Tensor
    number: Tensor
    gate: Tensor

    def __init__(self, spec: TableSpec) -> None:
        super().__init__()
        column: list[int] = []
        groups: list[list[int]] = []
        numbers: list[int] = []
        gates: list[int] = []
        for i, sizes in enumerate(spec.columns):
            gate = -1
            for size in sizes:
                entries = list(range(len(column), len(column) + size))
                column += [i] * size
                if size > 1:
                    groups.append(entries)
                    gate = entries[-1]
                else:
                    numbers.append(entries[0])
                    gates.append(gate)
        self.begins = [0, *accumulate(map(sum, spec.columns))]
        self.firsts = [0, *accumulate(sum(size == 1 for size in sizes) for sizes in spec.columns)]
        self.width, self.columns, self.choices, self.numbers = len(column), len(spec.columns), len(groups), len(numbers)
        self.options = max((len(group) for group in groups), default=1)
        index = [group + [self.width] * (self.options - len(group)) for group in groups]  # the last column is a pad
        back = [g * self.options + i for g, group in enumerate(groups) for i in range(len(group))]
        for name, values in {
            "column": column,
            "index": index,
            "back": back,
            "choice": [entry for group in groups for entry in group],
            "number": numbers,
            "gate": [self.width if gate < 0 else gate for gate in gates],
        }.items():
            self.register_buffer(name, torch.tensor(values, dtype=torch.int64), persistent=False)

    def of_columns(self, known: Bool[Tensor, "batch columns"]) -> Bool[Tensor, "batch width"]:
        """What holds for a column, for each of its entries."""
        return known[:, self.column]

    def place(self, column: int) -> tuple[int, int]:
        """Where the entries of a column begin, and how many there are."""
        return self.begins[column], self.begins[column + 1] - self.begins[column]

    def numbers_of(self, column: int) -> slice:
        """Which of the numbers are this column's."""
        return slice(self.firsts[column], self.firsts[column + 1])

    def logits(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch choices options"]:
        """The entries of every choice side by side; what a shorter one lacks is never chosen."""
        padded = torch.cat([x, x.new_full((x.shape[0], 1), NEVER)], 1)
        return padded[:, self.index.flatten()].unflatten(1, (self.choices, self.options))

    def assemble(
        self, choices: Float[Tensor, "batch choices options"], numbers: Float[Tensor, "batch numbers"]
    ) -> Float[Tensor, "batch width"]:
        """A row of choices and numbers; a number counts as far as the last option of its choice is chosen."""
        row = numbers.new_zeros(numbers.shape[0], self.width + 1)
        row[:, self.width] = 1
        if self.choices:
            row = row.index_copy(1, self.choice, choices.flatten(1)[:, self.back])
        if self.numbers:
            row = row.index_copy(1, self.number, numbers * row[:, self.gate])
        return row[:, : self.width]

    def within(self, row: Float[Tensor, "batch width"], low: Tensor, high: Tensor) -> Bool[Tensor, " batch"]:
        """Which rows lie between the bounds; a number counts only where it is not gated off."""
        padded = torch.cat([row, row.new_ones(len(row), 1)], 1)
        inside = (row >= low) & (row <= high)
        inside[:, self.number] |= padded[:, self.gate] == 0
        return inside.all(1)

    def cut(
        self, row: Float[Tensor, "batch width"], low: Tensor, high: Tensor, rng: torch.Generator
    ) -> Float[Tensor, "batch width"]:
        """Rows brought between bounds: a forbidden option is replaced by a random allowed one, a number by one in its range."""
        allowed = self.logits(torch.where(high < 1, -60.0, 0.0).expand_as(row))
        choices = self.logits(row)
        dice = torch.rand(choices.shape, generator=rng).to(row.device).clamp_min(1e-9)
        forbidden = (choices.clamp_min(0) * (allowed < 0)).sum(-1, keepdim=True) > 0
        choices = torch.where(forbidden, chosen(allowed - (-dice.log()).log()), choices.clamp_min(0))
        numbers, lowest, highest = row[:, self.number], low[self.number], high[self.number]
        ends = torch.special.ndtr(lowest), torch.special.ndtr(highest)
        uniform = torch.rand(numbers.shape, generator=rng).to(row.device)
        inner = torch.special.ndtri((ends[0] + (ends[1] - ends[0]) * uniform).clamp(1e-6, 1 - 1e-6))
        numbers = torch.where((numbers < lowest) | (numbers > highest) | forbidden_numbers(row, self), inner, numbers)
        return self.assemble(choices, numbers)


def forbidden_numbers(row: Float[Tensor, "batch width"], layout: RowLayout) -> Bool[Tensor, "batch numbers"]:
    """Which numbers are gated off, and so have no value yet."""
    padded = torch.cat([row, row.new_ones(len(row), 1)], 1)
    return padded[:, layout.gate] == 0


def chosen(logits: Float[Tensor, "batch choices options"]) -> Float[Tensor, "batch choices options"]:
    """The likeliest options, one-hot."""
    return one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)


def picked(shares: Float[Tensor, "batch choices options"], dice: Float[Tensor, "batch choices"]) -> Tensor:
    """Options drawn as often as their shares say, one-hot; `dice` is uniform."""
    borders = shares.cumsum(-1)
    place = (dice[:, :, None] * borders[:, :, -1:] >= borders).sum(-1).clamp_max(shares.shape[-1] - 1)
    return one_hot(place, shares.shape[-1]).to(shares.dtype)


def gumbel(normal: Tensor) -> Tensor:
    """Gumbel noise from standard normal noise, so that all noise of a network is of one kind and shrinks towards its middle.

    The smaller tail is computed and the other one follows from it, so that float32 is exact to 6 digits at both ends.
    """
    tail = (torch.erfc(normal.abs() * math.sqrt(0.5)) / 2).clamp_min(1e-9)
    return -(-torch.where(normal > 0, torch.log1p(-tail), tail.log())).log()


def hinges(numbers: Float[Tensor, "batch numbers"], knots: int) -> Float[Tensor, "batch bent"]:
    """Each number as the parts of it above so many knots: a linear layer of these is a function with a bend at each."""
    return (numbers[:, :, None] - torch.linspace(-REACH, REACH, knots, device=numbers.device)).relu().flatten(1)


def soft_bins(row: Float[Tensor, "batch width"], layout: RowLayout) -> Float[Tensor, "batch features"]:
    """The row, and for each of its numbers the bins that it lies in, with soft borders."""
    numbers = row[:, layout.number, None]
    above = torch.sigmoid((numbers - torch.linspace(-REACH, REACH, CUTS, device=row.device)) * 8)
    ends = torch.ones_like(numbers), torch.zeros_like(numbers)
    return torch.cat([row, (torch.cat([ends[0], above], -1) - torch.cat([above, ends[1]], -1)).flatten(1)], 1)


@runtime_checkable
class RowMaker(Protocol):
    """A network of which corrections can be measured."""

    layout: RowLayout
    noise: int
    shares: Tensor

    def heads(self, noise: Tensor, row: Tensor, known: Tensor) -> Tensor: ...


class Margins(nn.Module):
    """Corrections of single columns: added to the logits of options, and numbers matched by their ranks to a normal distribution."""

    logits: Tensor
    ranks: Tensor
    scores: Tensor

    def __init__(self, logits: Float[Tensor, " width"], ranks: Float[Tensor, "numbers points"]) -> None:
        super().__init__()
        self.register_buffer("logits", logits)
        self.register_buffer("ranks", ranks)
        points = ranks.shape[1]
        self.register_buffer("scores", torch.special.ndtri((torch.arange(points, device=ranks.device) + 0.5) / points))

    @classmethod
    @torch.no_grad()
    def measured(cls, generator: RowMaker) -> Margins:
        """Those that give a generator of rows the shares of options in its `shares`, and normal scores to its numbers."""
        layout = generator.layout
        rng = torch.Generator().manual_seed(0)
        noise = torch.randn(MEASURED, generator.noise, generator=rng).to(generator.shares.device)
        nothing = noise.new_zeros(MEASURED, layout.width), noise.new_zeros(MEASURED, layout.columns, dtype=torch.bool)
        return cls.of_heads(layout, generator.heads(noise, *nothing), noise[:, -layout.width :], generator.shares)

    @classmethod
    @torch.no_grad()
    def of_heads(
        cls,
        layout: RowLayout,
        heads: Float[Tensor, "rows width"],
        noise: Float[Tensor, "rows width"],
        shares: Float[Tensor, " width"],
    ) -> Margins:
        """Those of these logits and numbers, drawn with this noise."""
        logits = torch.zeros_like(shares)
        if layout.choices and bool((shares > 0).any()):
            wanted = shares.clamp_min(1e-6).log()
            for _ in range(ROUNDS):
                found = layout.logits(heads + logits).softmax(-1).mean(0).flatten()[layout.back]
                step = wanted[layout.choice] - found.clamp_min(1e-6).log()
                logits = logits.index_add(0, layout.choice, step.clamp(-1, 1))
        drawn = layout.logits(heads + logits + gumbel(noise))
        row = layout.assemble(chosen(drawn), torch.ones_like(heads[:, layout.number]))
        numbers = heads[:, layout.number]
        ranks = []
        for place in range(layout.numbers):
            counted = numbers[row[:, layout.number[place]] > 0, place]
            counted = counted if len(counted) > 1 else numbers[:, place]
            ranks.append(counted.quantile((torch.arange(POINTS, device=row.device) + 0.5) / POINTS))
        return cls(logits, torch.stack(ranks) if ranks else heads.new_zeros(0, POINTS))

    def matched(self, numbers: Float[Tensor, "batch numbers"]) -> Float[Tensor, "batch numbers"]:
        """The normal scores of numbers, by their ranks among those that were measured; beyond them, shifted."""
        if not len(self.ranks):
            return numbers
        return matched(numbers.T.contiguous(), self.ranks, self.scores).T


def matched(
    columns: Float[Tensor, "numbers batch"], ranks: Float[Tensor, "numbers points"], scores: Float[Tensor, " points"]
) -> Float[Tensor, "numbers batch"]:
    """The scores of numbers, by their ranks among so many; beyond them, shifted."""
    right = places_among(columns, ranks)
    low, high = ranks.gather(1, right - 1), ranks.gather(1, right)
    left_score, right_score = scores[right - 1], scores[right]
    inside = left_score + (right_score - left_score) * ((columns - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    outside = (columns - ranks[:, -1:]).clamp_min(0) + (columns - ranks[:, :1]).clamp_max(0)
    return inside + outside


def drawn_cells(
    heads: Float[Tensor, "batch own"],
    dice: Float[Tensor, "batch own"],
    sizes: Sequence[int],
    ranks: Float[Tensor, "numbers points"],
    scores: Float[Tensor, " points"],
) -> Float[Tensor, "batch own"]:
    """Cells of one column of these groups: the likeliest options after the dice fell, and numbers by their ranks, which count as far as the
    last option of the choice before them is chosen. Without ranks [0, points], numbers are taken as they are."""
    parts: list[Tensor] = []
    start, number = 0, 0
    gate: Tensor | None = None
    for size in sizes:
        own = heads[:, start : start + size]
        if size > 1:
            best = (own + dice[:, start : start + size]).argmax(1, keepdim=True)
            own = torch.zeros_like(own).scatter(1, best, 1.0)
            gate = own[:, -1:]
        else:
            if len(ranks):
                own = matched(own.T.contiguous(), ranks[number : number + 1], scores).T
            own = own if gate is None else own * gate
            number += 1
        parts.append(own)
        start += size
    return torch.cat(parts, 1) if len(parts) > 1 else parts[0]


Completes = Callable[[Float[Tensor, "batch width"], Bool[Tensor, "batch columns"]], Float[Tensor, "batch width"]]
"""What completes rows of which some columns are known."""


def fulfilled(
    complete: Completes,
    low: Float[Tensor, "batch width"],
    high: Float[Tensor, "batch width"],
    layout: RowLayout,
    rng: torch.Generator,
    draw: Completes | None = None,
) -> Float[Tensor, "batch width"]:
    """Rows between bounds (the same for all), from what completes rows.

    Rows are made freely and those between the bounds kept, which are drawn exactly as they should be. As soon as it shows that these will
    be too few, the bounded columns are drawn one after the other (by `draw`, if it is quicker), each given those before and cut to its
    bounds, and the rest is completed.
    """
    n, bound = len(low), (low[0], high[0])
    bounded = torch.zeros(layout.columns, dtype=torch.bool, device=low.device)
    bounded[layout.column[(low[0] > -torch.inf) | (high[0] < torch.inf)]] = True
    kept, count, made = [], 0, 0
    for trial in range(TRIES):
        size = n if trial == 0 else 4 * n
        rows = complete(low.new_zeros(size, layout.width), bounded.new_zeros(size, layout.columns))
        rows = rows[layout.within(rows, *bound)]
        kept.append(rows)
        count, made = count + len(rows), made + size
        if count >= n:
            return torch.cat(kept)[:n]
        if count * 4 * n * TRIES < n * made:
            break
    short = n - count
    row, known = low.new_zeros(short, layout.width), bounded.new_zeros(short, layout.columns)
    for column in torch.where(bounded)[0].tolist():
        drawn = torch.where(layout.of_columns(known), row, (draw or complete)(row, known))
        cut = layout.cut(drawn, *bound, rng)
        own = layout.column == column
        row = torch.where(own, cut, row)
        known[:, column] = True
    return torch.cat([*kept, complete(row, known)])
