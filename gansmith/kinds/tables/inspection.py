"""What is in a table."""

from __future__ import annotations

import numpy as np

from gansmith.data.inspection import Inspection
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.options import Options


def inspection_of(table: Table, options: Options, rows: int | None = None) -> Inspection:
    """Its columns, and rows that are copies of others; `rows` says how many there are where the table is a part of them."""
    codec = TableCodec.fit(table, options.column_types(), options.target, options.min_count)
    return Inspection(
        name=table.name,
        kind="tables",
        unit="rows",
        count=rows or len(table),
        columns=columns_in(codec),
        duplicates=[[f"row {first}", f"row {row}"] for first, row in copies_in(table)],
        notes=[*table.notes, *codec.notes],
    )


def columns_in(codec: TableCodec, before: str = "") -> dict[str, str]:
    """What each column is, in a few words, by its name after `before`."""
    return {f"{before}{column.name}": f"{column.sentence()}; a model keeps {column.kept()}" for column in codec.columns}


def copies_in(table: Table) -> list[tuple[int, int]]:
    """(the first row, a later row that equals it), for each of the later ones."""
    stacked = np.stack([cells.codes for cells in table.columns.values()], 1)
    _, first, inverse = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
    copies = np.flatnonzero(first[inverse] != np.arange(len(table)))
    return [(int(first[inverse[row]]), row) for row in copies.tolist()]
