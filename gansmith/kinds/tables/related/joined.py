"""What one table's model learns: its rows, beside the rows of its ancestors, the row before of the same parent, and how many children it
has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gansmith.data.spreadsheets import Writer
from gansmith.kinds.tables.cells import Cells, Table, cells_of
from gansmith.kinds.tables.column_types import type_of
from gansmith.kinds.tables.dates import date_format
from gansmith.kinds.tables.numeric import seconds_of
from gansmith.kinds.tables.related.keys import Keys, place_of

BEFORE = "before"
"""The name before columns of the row before."""
LEARNED = ("continuous", "integer", "categorical", "ordinal", "boolean", "datetime")
"""Types of columns that say something of other rows."""


def counted(child: str) -> str:
    """The column of how many children a row has."""
    return f"rows of {child}"


def is_there(column: str) -> str:
    """The column that says whether a row refers to another one by this column."""
    return f"{column} is there"


def referring(column: str) -> str:
    """The column of how many rows of its table refer to a row."""
    return f"rows by {column}"


def named(table: str, column: str) -> str:
    """A column of another table."""
    return f"{table}.{column}"


def own_columns(name: str, table: Table, keys: Keys) -> list[str]:
    """A table's columns but for its key and its references."""
    links = keys.columns_of(name)
    return [column for column in table.columns if column != keys.keys[name] and column not in links]


def telling(name: str, table: Table, keys: Keys, min_count: int) -> list[str]:
    """The columns of a table that may say something of its children and of the rows after."""
    return [column for column in own_columns(name, table, keys) if type_of(column, table.columns[column], min_count) in LEARNED]


def joined(
    name: str, tables: Mapping[str, Table], keys: Keys, min_count: int, like: Mapping[str, Table] | None = None
) -> tuple[Table, tuple[str, ...]]:
    """(the table that a model of this table learns, those of its columns that are given when its rows are made). The columns of other rows
    are those that say something in `like`, which are the tables themselves if none are given."""
    table, like = tables[name], like or tables
    order, before = _in_order(name, tables, keys)
    columns: dict[str, Cells] = {}
    link = keys.parent_of(name)
    if link is not None:
        places, above = _rows(link.column, name, link.parent, tables, keys)[order], link
        while above is not None:
            parent = tables[above.parent]
            for column in telling(above.parent, like[above.parent], keys, min_count):
                columns[named(above.parent, column)] = parent.columns[column].take(places)
            here, above = above.parent, keys.parent_of(above.parent)
            if above is not None:
                places = _rows(above.column, here, above.parent, tables, keys)[places]
        for column in telling(name, like[name], keys, min_count):
            columns[named(BEFORE, column)] = _before(table.columns[column].take(order), before)
    given = tuple(columns)
    for reference in keys.references_of(name):
        other, places = tables[reference.parent], _rows(reference.column, name, reference.parent, tables, keys)[order]
        for column in telling(reference.parent, like[reference.parent], keys, min_count):
            columns[named(reference.column, column)] = other.columns[column].take(places)
    for link in keys.optional_of(name):
        places = _rows(link.column, name, link.parent, tables, keys)
        columns[is_there(link.column)] = cells_of(np.where(places < 0, "no", "yes")[order].tolist())
        for column in telling(link.parent, like[link.parent], keys, min_count):
            columns[named(link.column, column)] = _taken(tables[link.parent].columns[column], places[order])
    for link in keys.selves_of(name):
        places = _rows(link.column, name, name, tables, keys)
        columns[is_there(link.column)] = cells_of(np.where(places < 0, "no", "yes")[order].tolist())
        for column in telling(name, like[name], keys, min_count):
            columns[named(link.column, column)] = _taken(table.columns[column], places[order])
        counts = np.bincount(places[places >= 0], minlength=len(table))[order]
        columns[referring(link.column)] = cells_of([str(count) for count in counts.tolist()])
    columns |= {column: table.columns[column].take(order) for column in own_columns(name, table, keys)}
    for child in keys.children_of(name):
        counts = children(child, tables, keys)[order]
        columns[counted(child)] = cells_of([str(count) for count in counts.tolist()])
    return Table(name=name, columns=columns), given


def children(child: str, tables: Mapping[str, Table], keys: Keys) -> np.ndarray:
    """How many rows of a table each row of its parent has."""
    link = keys.parent_of(child)
    assert link is not None
    return np.bincount(_rows(link.column, child, link.parent, tables, keys), minlength=len(tables[link.parent]))


def write_csv(table: Table, path: Path) -> None:
    """A table as CSV; a missing cell is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = Writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        rows = zip(*(cells.values() for cells in table.columns.values()), strict=True)
        writer.writerows([["" if cell is None else cell for cell in row] for row in rows])


def _rows(column: str, child: str, parent: str, tables: Mapping[str, Table], keys: Keys) -> np.ndarray:
    """The row of the parent that each row of the child refers to."""
    key = keys.keys[parent]
    assert key is not None
    return place_of(tables[child].columns[column], tables[parent].columns[key])


def _in_order(name: str, tables: Mapping[str, Table], keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """(the rows by parent and in order, whether the one before is of the same parent)."""
    table, link, sort = tables[name], keys.parent_of(name), keys.sorts[name]
    if link is None:
        return np.arange(len(table)), np.zeros(len(table), bool)
    places = _rows(link.column, name, link.parent, tables, keys)
    order = np.lexsort((np.arange(len(table)), _times(table.columns[sort]) if sort else np.zeros(len(table)), places))
    same = np.diff(places[order], prepend=-1) == 0
    return order, same


def _times(cells: Cells) -> np.ndarray:
    """Numbers in the order of dates or numbers; missing ones first."""
    texts = [level for level in cells.levels if isinstance(level, str)]
    form = date_format(texts) if texts else ""
    if form is not None:
        try:
            seconds = [-np.inf if level is None else seconds_of(level, form) for level in cells.levels]
            return np.array(seconds)[cells.codes]
        except (ValueError, AttributeError, TypeError):
            pass
    ranks = {level: rank for rank, level in enumerate(sorted(texts))}
    return np.array([ranks.get(level, -1) for level in cells.levels], float)[cells.codes]


def _taken(cells: Cells, places: np.ndarray) -> Cells:
    """The cells in these rows, missing where there is none."""
    gap = cells.levels.index(None) if None in cells.levels else len(cells.levels)
    levels = cells.levels if None in cells.levels else [*cells.levels, None]
    return Cells(levels, np.where(places < 0, gap, cells.codes[places]).astype(np.int32), cells.dtype)


def _before(cells: Cells, same: np.ndarray) -> Cells:
    """The cell of the row before of the same parent, missing in the first."""
    levels = [*cells.levels, None]
    codes = np.where(same, np.roll(cells.codes, 1), len(cells.levels)).astype(np.int32)
    if None in cells.levels:
        codes = np.where(same, np.roll(cells.codes, 1), cells.levels.index(None)).astype(np.int32)
        levels = cells.levels
    return Cells(levels, codes, cells.dtype)
