"""Tables written portion by portion, so that no memory holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from gansmith.data.spreadsheets import Writer
from gansmith.errors import missing_extra
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.frames import pandas_from_columns

PORTION = 2**16
"""Rows that are written at a time."""
Columns = Mapping[str, Sequence[Any]]
"""Cells by the names of the columns, None where they are missing."""


def joined(parts: Iterable[Float[np.ndarray, "rows packed"]]) -> Iterator[Float[np.ndarray, "rows packed"]]:
    """The same rows, PORTION at a time."""
    waiting: list[np.ndarray] = []
    for part in parts:
        waiting.append(part)
        while sum(map(len, waiting)) >= PORTION:
            together = np.concatenate(waiting)
            yield together[:PORTION]
            waiting = [together[PORTION:]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)


def write_csv(portions: Iterable[Columns], names: Sequence[str], path: Path) -> None:
    """Writes the columns of these names, in this order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = Writer(file, lineterminator="\n")
        writer.writerow(names)
        for columns in portions:
            cells = zip(*(columns[name] for name in names), strict=True)
            writer.writerows(["" if cell is None else cell for cell in row] for row in cells)


def write_parquet(portions: Iterable[Columns], known: Sequence[Column], path: Path) -> None:
    """Writes the columns that are `known`, a row group a portion, with types that do not depend on which cells are missing.

    Raises UserError where pyarrow is missing.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", "writing Parquet files") from error
    writer = schema = None
    try:
        for columns in portions:
            frame = pandas_from_columns({name: list(cells) for name, cells in columns.items()}, known)
            if schema is None:
                schema = _lasting(pyarrow.Schema.from_pandas(frame, preserve_index=False), known)
            if writer is None:
                writer = ParquetWriter(path, schema)
            writer.write_table(pyarrow.Table.from_pandas(frame, schema=schema, preserve_index=False))
    finally:
        if writer is not None:
            writer.close()


def _lasting(schema: Any, known: Sequence[Column]) -> Any:
    """The types with which all portions can be written: whole numbers stay such where cells are missing."""
    import pyarrow

    of_wholes = {column.name for column in known if column.is_numeric and column.decimals is None}
    of_numbers = {column.name for column in known if column.is_numeric and column.column_type != "datetime"}
    for place, field in enumerate(schema):
        if pyarrow.types.is_null(field.type):
            is_whole, is_number = field.name in of_wholes & of_numbers, field.name in of_numbers
            kind = pyarrow.int64() if is_whole else pyarrow.float64() if is_number else pyarrow.string()
        elif pyarrow.types.is_floating(field.type) and field.name in of_wholes & of_numbers:
            kind = pyarrow.int64()
        else:
            continue
        schema = schema.set(place, field.with_type(kind))
    return schema
