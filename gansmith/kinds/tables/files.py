"""Tables in files: CSV (plain or .gz, any usual separator) and Parquet."""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from gansmith.data.suggestions import listed
from gansmith.errors import UserError, missing_extra
from gansmith.kinds.tables.cells import MISSING, Cells, CellsBuilder, Table, cells_of

CHUNK = 4096
"""Rows in memory as text at a time."""
_SNIFFED = 1 << 16
_COMMA = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")
"""A number with a decimal comma and perhaps points between thousands."""


def table_from_csv(path: Path) -> Table:
    """The table in a CSV file with a header. Raises UserError for bytes that are no UTF-8, ragged rows and duplicate names."""
    builders: list[CellsBuilder] = []
    try:
        with _opened(path) as file:
            start = file.read(_SNIFFED)
            file.seek(0)
            separator = _separator(start)
            rows = csv.reader(file, delimiter=separator)
            names = [name.strip() for name in next(rows, [])]
            check_names(names, str(path))
            builders = [CellsBuilder() for _ in names]
            for chunk in _chunks(rows, len(names), path):
                for builder, column in zip(builders, zip(*chunk, strict=True), strict=True):
                    builder.extend(column)
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 (byte {error.object[error.start]:#04x} at place {error.start} of what was being read): save it as UTF-8."
        ) from error
    except (OSError, EOFError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV ({error}): save it as comma-separated text in UTF-8.") from error
    if not builders or not builders[0].places:
        raise UserError(f"{path} has a header but no rows: give at least one row.")
    columns = {name: _without_missing(builder.finished()) for name, builder in zip(names, builders, strict=True)}
    commas = [name for name, cells in columns.items() if separator != "," and _has_commas(cells)]
    columns |= {name: _with_points(columns[name]) for name in commas}
    notes = (f"decimal commas of {listed(commas, 5)} are read as points, and written so",) if commas else ()
    return Table(name=path.name.split(".")[0], columns=columns, notes=notes)


def table_from_parquet(paths: Sequence[Path], name: str) -> Table:
    """The table in one or several Parquet files. Nested columns raise a UserError."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", "reading Parquet files") from error
    builders: dict[str, CellsBuilder] = {}
    types: dict[str, str] = {}
    for path in paths:
        try:
            with ParquetFile(path) as file:
                if not builders:
                    check_names(file.schema_arrow.names, str(path))
                    builders = {column: CellsBuilder() for column in file.schema_arrow.names}
                    types = {field.name: str(field.type) for field in file.schema_arrow}
                for batch in file.iter_batches(batch_size=CHUNK):
                    for column, builder in builders.items():
                        builder.extend(None if value != value else value for value in batch.column(column).to_pylist())
        except TypeError as error:
            raise UserError(f"{path} has nested columns ({error}): a table has one plain value a cell.") from error
        except (OSError, KeyError, pyarrow.ArrowException) as error:
            raise UserError(f"{path} cannot be read as a table ({str(error).splitlines()[0]}): write it again.") from error
    if not builders or not next(iter(builders.values())).places:
        raise UserError(f"{paths[0]} has no rows: give at least one.")
    return Table(name=name, columns={column: builder.finished(types[column]) for column, builder in builders.items()})


def check_names(names: Sequence[str], where: str) -> None:
    """Raises UserError where columns have no name or share one."""
    if not names:
        raise UserError(f"{where} is empty: give a header and rows.")
    for place, name in enumerate(names, start=1):
        if not name:
            raise UserError(f"column {place} of {where} has no name: name it in the header.")
        if names.count(name) > 1:
            raise UserError(f'{names.count(name)} columns of {where} are named "{name}": give each a name of its own.')


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _separator(start: str) -> str:
    """The usual separator that the header has most of."""
    header = start.split("\n", 1)[0]
    return max(",;\t|", key=header.count)


def _chunks(rows: Iterator[list[str]], width: int, path: Path) -> Iterator[list[list[str]]]:
    number = 1
    while chunk := list(islice(rows, CHUNK)):
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
