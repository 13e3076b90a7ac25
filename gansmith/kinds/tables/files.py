"""Tables in files: CSV (plain or .gz, any usual separator) and Parquet."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from gansmith.data.readers.limits import current
from gansmith.data.readers.parquet_files import opened_parquet
from gansmith.data.readers.text import check_cells, check_names, opened_lines
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import MISSING, Cells, CellsBuilder, Table, cells_of, plain

CHUNK = 4096
"""Rows in memory as text at a time."""
_COMMA = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")
"""A number with a decimal comma and perhaps points between thousands."""


def table_from_csv(path: Path) -> Table:
    """The table in a CSV file with a header. Raises UserError for bytes that are no UTF-8, ragged rows and duplicate names."""
    builders: list[CellsBuilder] = []
    with opened_lines(path) as lines:
        separator = lines.separator
        rows = csv.reader(lines, delimiter=separator)
        names = [name.strip() for name in next(rows, [])]
        if not names:
            raise UserError(f"{path} is empty: give a header and rows.")
        check_names(names, str(path))
        builders = [CellsBuilder() for _ in names]
        for chunk in _chunks(rows, len(names), path):
            for builder, column in zip(builders, zip(*chunk, strict=True), strict=True):
                builder.extend(column)
    if not builders or not builders[0].places:
        raise UserError(f"{path} has a header but no rows: give at least one row.")
    read = {name: builder.finished() for name, builder in zip(names, builders, strict=True)}
    words = {name: [level for level in cells.levels if level in MISSING and level] for name, cells in read.items()}
    columns = {name: _without_missing(cells) for name, cells in read.items()}
    commas = [name for name, cells in columns.items() if separator != "," and _has_commas(cells)]
    columns |= {name: _with_points(columns[name]) for name in commas}
    notes = (f"decimal commas of {listed(commas, 5)} are read as points, and written so",) if commas else ()
    notes += tuple(f'{", ".join(found)} in "{name}" is read as a missing cell' for name, found in words.items() if found)
    return Table(name=path.name.split(".")[0], columns=columns, notes=notes)


def table_from_parquet(paths: Sequence[Path], name: str) -> Table:
    """The table in one or several Parquet files. Nested columns raise a UserError."""
    builders: dict[str, CellsBuilder] = {}
    types: dict[str, str] = {}
    for path in paths:
        with opened_parquet(path) as file:
            own = {field.name: str(field.type) for field in file.schema_arrow}
            if not own:
                raise UserError(f"{path} has no columns: give at least one.")
            if not builders:
                check_names(file.schema_arrow.names, str(path))
                builders, types = {column: CellsBuilder() for column in own}, own
            if lacking := [column for column in builders if column not in own]:
                raise UserError(f"{path} lacks the columns {listed(lacking)} of {paths[0].name}: give files of the same columns.")
            for batch in file.iter_batches(batch_size=CHUNK):
                for column, builder in builders.items():
                    builder.extend(plain(value, column, str(path)) for value in batch.column(column).to_pylist())
    if not builders or not next(iter(builders.values())).places:
        raise UserError(f"{paths[0]} has no rows: give at least one.")
    return Table(name=name, columns={column: builder.finished(types[column]) for column, builder in builders.items()})


def _chunks(rows: Iterator[list[str]], width: int, path: Path) -> Iterator[list[list[str]]]:
    number, cells, most = 1, 0, current().cells
    while chunk := list(islice(rows, CHUNK)):
        cells += width * len(chunk)
        check_cells(cells, most, str(path))
        kept = []
        for row in chunk:
            number += 1
            if len(row) == width:
                kept.append(row)
            elif row:
                raise UserError(f"row {number} of {path} has {len(row)} cells, but the header has {width}: correct or remove it.")
        if kept:
            yield kept


def _has_commas(cells: Cells) -> bool:
    known = [level for level in cells.levels if level is not None]
    return any("," in level for level in known) and all(_COMMA.fullmatch(level.strip()) for level in known)


def _with_points(cells: Cells) -> Cells:
    """1.234,5 as 1234.5."""
    levels = [None if level is None else level.strip().replace(".", "").replace(",", ".") for level in cells.levels]
    return cells_of([levels[code] for code in cells.codes], cells.dtype)


def _without_missing(cells: Cells) -> Cells:
    """Missing cells as None."""
    if not any(level in MISSING for level in cells.levels):
        return cells
    levels = [None if level in MISSING else level for level in cells.levels]
    first = levels.index(None)
    places = [first if level is None else place for place, level in enumerate(levels)]
    return Cells(levels, np.array(places, np.int32)[cells.codes])
