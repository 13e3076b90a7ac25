"""Rows of text as CSV files, Parquet files and data frames hold them, before anything is a number or a date."""

import csv
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gansmith.data.readers.limits import current
from gansmith.data.readers.text import check_cells, check_names, opened_lines
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import MISSING, Table

COMMA = re.compile(r"^-?\d*,\d+$")
"""A number with a decimal comma, as files separated by semicolons have them."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A header and rows of text."""

    name: str
    where: str
    """The file, for messages."""
    header: list[str]
    rows: list[tuple[int, list[str]]]
    """(line in the file, cells); "" is a missing cell."""

    def __post_init__(self) -> None:
        """Raises UserError for no rows, ragged ones, and columns of one name."""
        if not self.rows:
            raise UserError(f"{self.where} has no rows below its header, where a series needs at least 2: add some.")
        check_names([name or "(no name)" for name in self.header], self.where)
        for line, row in self.rows:
            if len(row) != len(self.header):
                raise UserError(
                    f"line {line} of {self.where} has {len(row)} cells, where the header has {len(self.header)}: correct it."
                )

    def column(self, name: str) -> list[str]:
        at = self.header.index(name)
        return [row[at] for _, row in self.rows]


def sheet_from_csv(path: Path) -> Sheet:
    """A CSV file (plain or .gz, any usual separator); without a header its columns are x0, x1, ...

    Raises UserError for what cannot be read.
    """
    rows: list[tuple[int, list[str]]] = []
    with opened_lines(path) as lines:
        separator, cells, most = lines.separator, 0, current().cells
        reader = csv.reader(lines, delimiter=separator)
        for row in reader:
            if row:
                rows.append((reader.line_num, [_plain(cell, separator) for cell in row]))
                cells += len(row)
                check_cells(cells, most, str(path))
    if not rows:
        raise UserError(f"{path} is empty: give a header and rows.")
    header = [f"x{index}" for index in range(len(rows[0][1]))] if all(map(is_number, rows[0][1])) else rows.pop(0)[1]
    return Sheet(name=path.name.split(".")[0], where=str(path), header=header, rows=rows)


def sheet_from_table(table: Table, where: str) -> Sheet:
    """The rows of a Parquet file or data frame, numbered from 0."""
    columns = [["" if value is None else str(value) for value in cells.values()] for cells in table.columns.values()]
    return Sheet(
        name=table.name,
        where=where,
        header=list(table.columns),
        rows=[(line, list(row)) for line, row in enumerate(zip(*columns, strict=True))],
    )


def first_rows(path: Path, count: int = 50) -> list[list[str]]:
    """The first rows of a CSV file with its header; none where it cannot be read."""
    try:
        with opened_lines(path) as lines:
            return [row for row in islice(csv.reader(lines, delimiter=lines.separator), count) if row]
    except UserError:
        return []


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _plain(cell: str, separator: str) -> str:
    cell = cell.strip()
    if cell in MISSING:
        return ""
    return cell.replace(",", ".") if separator == ";" and COMMA.match(cell) else cell
