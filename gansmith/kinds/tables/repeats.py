"""How often rows share an identifier or a person: learned as numbers of rows, and made so again with new ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from gansmith.kinds.tables.cells import Cells

ALIKE = 0.98
"""The share of rows in which two columns must tell the same persons apart to be of the same persons."""
FIXED = 20
"""Pairs of rows of one person at least from which it is learned that a column stays the same for a person."""


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Columns that name the same persons or things, and how many rows each of them has."""

    columns: tuple[str, ...]
    sizes: tuple[int, ...] = (1,)
    """Numbers of rows of one person, ascending."""
    shares: tuple[float, ...] = (1.0,)
    """How many of the persons have so many rows."""
    fixed: tuple[str, ...] = ()
    """Columns that are the same in all rows of a person."""

    def assign(self, columns: Mapping[str, Sequence[Any]], rows: int, first: int = 0) -> Int[np.ndarray, " rows"]:
        """The number of the person of each row, from `first`: rows that agree in what is fixed share one, as often as in the data.

        What the first rows get does not depend on how many follow.
        """
        if self.sizes == (1,):
            return first + np.arange(rows)
        shares = np.array(self.shares) / sum(self.shares)
        dice, drawn = np.random.default_rng([first, 0]).random(rows), np.random.default_rng([first, 1]).random(rows)
        sizes = np.array(self.sizes)[np.searchsorted(shares.cumsum(), drawn).clip(max=len(shares) - 1)].tolist()
        joins = dice >= 1 / (np.array(self.sizes) @ shares)
        known = [columns[name] for name in self.fixed if name in columns]
        keys = list(zip(*known, strict=True)) if known else [()] * rows
        waiting: dict[Any, deque[list[int]]] = {}  # persons who have fewer rows than they are to have
        person, persons = np.empty(rows, np.int64), 0
        for row, (key, is_joining) in enumerate(zip(keys, joins.tolist(), strict=True)):
            queue = waiting.setdefault(key, deque())
            if is_joining and queue:
                person[row] = queue[0][0]
                queue[0][1] -= 1
                if not queue[0][1]:
                    queue.popleft()
                continue
            person[row] = persons
            if sizes[row] > 1:
                queue.append([persons, sizes[row] - 1])
            persons += 1
        return first + person

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Repeats:
        return cls(**{name: tuple(value) for name, value in facts.items()})


def repeats_of(columns: Mapping[str, Cells], made: Sequence[str], others: Sequence[str], min_count: int) -> tuple[Repeats, ...]:
    """The repeats of the columns `made`, those that tell (nearly) the same rows apart together; `others` may be fixed for a person."""
    groups: list[list[str]] = []
    for name in sorted(made, key=lambda each: -len(_used(columns[each]))):
        for group in groups:
            if _are_alike(columns[group[0]], columns[name]):
                group.append(name)
                break
        else:
            groups.append([name])
    return tuple(_learned(columns, group, others, min_count) for group in groups)


def _used(cells: Cells) -> np.ndarray:
    return np.unique(cells.codes)


def _are_alike(first: Cells, second: Cells) -> bool:
    """Whether a value of either nearly always goes with one of the other."""
    pairs = len(np.unique(np.stack([first.codes, second.codes]), axis=1).T)
    return pairs * ALIKE <= min(len(_used(first)), len(_used(second)))


def _learned(columns: Mapping[str, Cells], group: Sequence[str], others: Sequence[str], min_count: int) -> Repeats:
    cells = columns[group[0]]
    known = np.flatnonzero(np.array([level is not None for level in cells.levels])[cells.codes])
    names = tuple(name for name in columns if name in group)
    counts = np.bincount(cells.codes[known], minlength=len(cells.levels))
    sizes, persons = np.unique(counts[counts > 0], return_counts=True)
    if not len(sizes) or sizes[-1] == 1:
        return Repeats(columns=names)
    shares: dict[int, int] = {int(size): int(n) for size, n in zip(sizes, persons, strict=True) if n >= min_count}
    few = np.repeat(sizes, persons)[np.repeat(persons < min_count, persons)]
    for together in np.array_split(few, max(1, len(few) // max(1, min_count))):  # rare numbers of rows are told as means
        if len(together):
            mean = max(1, round(float(together.mean())))
            shares[mean] = shares.get(mean, 0) + len(together)
    shares = dict(sorted(shares.items()))
    total = sum(shares.values())
    return Repeats(
        columns=names,
        sizes=tuple(shares),
        shares=tuple(round(weight / total, 6) for weight in shares.values()),
        fixed=tuple(name for name in others if _is_fixed(cells.codes[known], columns[name].codes[known])),
    )


def _is_fixed(person: np.ndarray, codes: np.ndarray) -> bool:
    """Whether rows of one person agree, more than chance would have it."""
    order = np.argsort(person, kind="stable")
    same = np.diff(person[order]) == 0
    if same.sum() < FIXED or not (codes[order][1:][same] == codes[order][:-1][same]).all():
        return False
    shares = np.unique(codes, return_counts=True)[1] / len(codes)
    return bool((shares**2).sum() ** same.sum() < 1e-3)
