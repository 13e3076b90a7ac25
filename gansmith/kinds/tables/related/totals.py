"""Columns of parents that add up their children: found in the data, and computed from the children that were generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gansmith.kinds.tables.cells import Cells, Table
from gansmith.kinds.tables.column_types import number_of, type_of
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.related.keys import Keys, place_of
from gansmith.kinds.tables.rules import as_numbers

MINIMUM = 50
"""Parents with children at least from which a total is learned."""
DIFFERENT = 10
"""Different totals at least."""
_NUMBERS = ("integer", "continuous", "ordinal")


@dataclass(frozen=True, kw_only=True)
class Total:
    """A column of a parent that is the sum of a column of its children, or their number."""

    parent: str
    column: str
    child: str
    of: str | None = None
    """The column that is added up; None counts the rows."""

    def sentence(self) -> str:
        """What was found, for people."""
        what = f"the sum of {self.child}.{self.of}" if self.of else f"the number of {self.child}"
        return f"{self.parent}.{self.column} is {what}"

    def of_children(self, cells: Sequence[Any], parents: np.ndarray, count: int) -> np.ndarray:
        """The totals of so many parents, float64; `parents` says to which each child belongs."""
        numbers = [1.0 if self.of is None else number_of(cell) or 0.0 for cell in cells]
        return np.bincount(parents, numbers, count)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def find_totals(tables: Mapping[str, Table], keys: Keys) -> list[Total]:
    """The totals that hold, up to rounding, for all parents."""
    found: list[Total] = []
    for child, table in tables.items():
        link = keys.parent_of(child)
        key = keys.keys[link.parent] if link else None
        if link is None or key is None:
            continue
        parent = tables[link.parent]
        places = place_of(table.columns[link.column], parent.columns[key])
        if len(np.unique(places)) < MINIMUM:
            continue
        others = {each.column for each in keys.links if each.child == child} | {keys.keys[child]}
        added: dict[str | None, np.ndarray] = {None: np.ones(len(table))}
        added |= {
            name: np.nan_to_num(as_numbers(cells))
            for name, cells in table.columns.items()
            if name not in others and _is_number(name, cells)
        }
        sums = {name: np.bincount(places, numbers, len(parent)) for name, numbers in added.items()}
        for name, cells in parent.columns.items():
            if name == key or any(total.column == name and total.parent == link.parent for total in found):
                continue
            if not _is_number(name, cells):
                continue
            numbers = np.nan_to_num(as_numbers(cells))
            if len(np.unique(numbers)) < min(DIFFERENT, len(np.unique(sums[None]))):
                continue
            agreeing = [of for of, total in sums.items() if _agree(numbers, total)]
            if agreeing:
                found.append(Total(parent=link.parent, column=name, child=child, of=agreeing[0]))
    return found


def _is_number(name: str, cells: Cells) -> bool:
    return type_of(name, cells, 1) in _NUMBERS


def _agree(numbers: np.ndarray, total: np.ndarray) -> bool:
    """Whether numbers are these totals, as far as both are written."""
    return len(np.unique(total)) > 2 and bool(np.allclose(numbers, total, rtol=1e-9, atol=1e-6))


def with_totals(
    totals: Sequence[Total],
    tables: dict[str, dict[str, list[Any]]],
    parents: Mapping[str, np.ndarray],
    columns: Mapping[str, Mapping[str, Column]],
    order: Sequence[str],
) -> None:
    """Puts the totals of generated children into the tables of their parents, the lowest first; `order` begins with the highest."""
    for total in sorted(totals, key=lambda each: -order.index(each.parent)):
        count = len(next(iter(tables[total.parent].values()), []))
        if total.column not in tables[total.parent] or (total.of and total.of not in tables[total.child]):
            continue
        column, child = columns[total.parent][total.column], columns[total.child]
        cells = [child[total.of].undressed(cell) for cell in tables[total.child][total.of]] if total.of else parents[total.child]
        sums = total.of_children(list(cells), parents[total.child], count)
        tables[total.parent][total.column] = [column.dressed(_spelled(column, number)) for number in sums.tolist()]


def _spelled(column: Column, number: float) -> Any:
    return column.spelled(round(number, column.decimals if column.decimals is not None else 0) - column.origin)
