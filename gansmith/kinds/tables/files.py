"""Tables in files: CSV (plain or .gz, any usual separator) and Parquet."""

import csv
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.readers.limits import current
from gansmith.data.readers.parquet_files import opened_parquet
from gansmith.data.readers.text import check_cells, check_names, opened_lines
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import MISSING, Cells, CellsBuilder, Table, plain
from gansmith.kinds.tables.column_types import number_of
from gansmith.kinds.tables.dates import date_format
from gansmith.kinds.tables.notation import notations

CHUNK = 4096
"""Rows in memory as text at a time."""
HEADED = 200
"""Rows by which it is recognised whether the first names the columns."""
_SAID = {";": "semicolons", "\t": "tabs", "|": "bars"}


def table_from_csv(
    path: Path, header: str | None = None, missing: Collection[str] | None = None, encoding: str | None = None
) -> Table:
    """The table in a CSV file. Whether the first row names the columns is recognised, unless `header` is "yes" or "no"; without names they
    are x0, x1, ... `missing` are the words for missing cells beside the empty cell, MISSING if it is None. `encoding` is recognised too,
    unless it is named.

    Raises UserError for bytes that are no text, ragged rows and duplicate names.
    """
    absent = MISSING if missing is None else frozenset({"", *missing})
    with opened_lines(path, any_encoding=True, encoding=encoding) as lines:
        separator = lines.separator
        guessed = f"{path.name} is not in UTF-8 and read as {lines.encoding} (--encoding says otherwise)"
        notes = [guessed] if lines.encoding and encoding is None else []
        if separator != ",":
            notes.append(f"columns are separated by {_SAID[separator]}")
        rows = csv.reader(lines, delimiter=separator)
        ahead = list(islice(rows, HEADED))
        if not ahead or not ahead[0]:
            raise UserError(f"{path} is empty: give a header and rows.")
        names = [name.strip() for name in ahead[0]]
        headed = _is_header(ahead) if header is None else header == "yes"
        if not headed:
            names = [f"x{place}" for place in range(len(names))]
            notes.append(f"the first row is read as data, and columns are named {listed(names, 3)} (--header yes: it names them)")
        check_names(names, str(path))
        builders = [CellsBuilder() for _ in names]
        for chunk in _chunks(chain(ahead[headed:], rows), len(names), path, headed):
            for builder, column in zip(builders, zip(*chunk, strict=True), strict=True):
                builder.extend(column)
    if not builders or not builders[0].places:
        raise UserError(f"{path} has a header but no rows: give at least one row.")
    read = {name: builder.finished() for name, builder in zip(names, builders, strict=True)}
    words = {name: [level for level in cells.levels if level in absent and level] for name, cells in read.items()}
    columns = {name: _without_missing(cells, absent) for name, cells in read.items()}
    notes += [f'{", ".join(found)} in "{name}" is read as a missing cell' for name, found in words.items() if found]
    return Table(name=path.name.split(".")[0], columns=columns, notes=tuple(notes))


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: not if it holds numbers or dates exactly where the others do (years as names count up), nor
    if it is, in every column, a word that the column has again."""
    first, others = [cell.strip() for cell in rows[0]], [row for row in rows[1:] if len(row) == len(rows[0])]
    if not others:
        return True
    if not all(first) or len(set(first)) < len(first):
        return not all(map(_is_value, first))
    columns = [[cell for row in others if (cell := row[place].strip()) not in MISSING] for place in range(len(first))]
    of_values = [place for place, column in enumerate(columns) if column and all(map(_is_value, column))]
    if of_values:
        headed = [place for place in of_values if not _is_value(first[place])]
        if headed or _counts_up([first[place] for place in of_values]):
            return True
        return any(_is_value(first[place]) for place in range(len(first)) if place not in of_values)
    return not all(name in column for name, column in zip(first, columns, strict=True))


def _is_value(cell: str) -> bool:
    """Whether this is a number, however it is written, or a date."""
    return number_of(cell) is not None or date_format([cell]) is not None or bool(notations({"": [cell]}))


def _counts_up(names: Sequence[str]) -> bool:
    """Whether these are whole numbers in equal steps from 0 or 1, or years."""
    if len(names) < 2 or not all(name.isdigit() for name in names):
        return False
    numbers = [int(name) for name in names]
    steps = {b - a for a, b in zip(numbers, numbers[1:], strict=False)}
    are_years = all(1800 <= number < 2200 for number in numbers)
    return len(steps) == 1 and min(steps) > 0 and (are_years or (numbers[0] < 2 and len(names) > 3))


def table_from_parquet(paths: Sequence[Path], name: str) -> Table:
    """The table in one or several Parquet files. Nested columns raise a UserError."""
    builders: dict[str, CellsBuilder] = {}
    types: dict[str, str] = {}
    for path, batch in parquet_batches(paths, CHUNK):
        if not builders:
            builders = {column: CellsBuilder() for column in batch.schema.names}
            types = {field.name: str(field.type) for field in batch.schema}
        for column, builder in builders.items():
            builder.extend(plain(value, column, str(path)) for value in batch.column(column).to_pylist())
    if not builders or not next(iter(builders.values())).places:
        raise UserError(f"{paths[0]} has no rows: give at least one.")
    return Table(name=name, columns={column: builder.finished(types[column]) for column, builder in builders.items()})


def parquet_batches(paths: Sequence[Path], rows: int, streamed: bool = False) -> Iterator[tuple[Path, Any]]:
    """So many rows at a time of Parquet files, as (path, `pyarrow.RecordBatch`).

    Raises UserError for files without columns, and for later ones that lack some of the first.
    """
    first: list[str] = []
    for path in paths:
        with opened_parquet(path, streamed) as file:
            names = file.schema_arrow.names
            if not names:
                raise UserError(f"{path} has no columns: give at least one.")
            if not first:
                check_names(names, str(path))
                first = names
            if lacking := [column for column in first if column not in names]:
                raise UserError(f"{path} lacks the columns {listed(lacking)} of {paths[0].name}: give files of the same columns.")
            for batch in file.iter_batches(batch_size=rows):
                yield path, batch


def _chunks(rows: Iterator[list[str]], width: int, path: Path, headed: bool) -> Iterator[list[list[str]]]:
    number, cells, most = int(headed), 0, current().cells
    while chunk := list(islice(rows, CHUNK)):
        cells += width * len(chunk)
        check_cells(cells, most, str(path))
        kept = []
        for row in chunk:
            number += 1
            if len(row) == width:
                kept.append(row)
            elif row:
                first = "header" if headed else "first row"
                raise UserError(
                    f"row {number} of {path} has {len(row)} cells, but the {first} has {width}: correct or remove it."
                )
        if kept:
            yield kept


def _without_missing(cells: Cells, absent: Collection[str]) -> Cells:
    """Missing cells as None."""
    if not any(level in absent for level in cells.levels):
        return cells
    levels = [None if level in absent else level for level in cells.levels]
    first = levels.index(None)
    places = [first if level is None else place for place, level in enumerate(levels)]
    return Cells(levels, np.array(places, np.int32)[cells.codes])
