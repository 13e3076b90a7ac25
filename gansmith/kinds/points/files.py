"""Points from arrays and from CSV files of numbers."""

import csv
from itertools import islice
from pathlib import Path

import numpy as np

from gansmith.data.readers.limits import current
from gansmith.data.readers.text import check_cells, opened_lines
from gansmith.errors import UserError
from gansmith.kinds.images.readers.collection import Points

LARGEST = 1e38
"""Numbers beyond this do not fit into 32 bits."""


def points_of(array: np.ndarray, name: str, where: str, columns: tuple[str, ...] = ()) -> Points:
    """Numbers [N, D] as points; UserError if a number is missing. `where` names the array in messages."""
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "buif":
        raise UserError(f"{where} must hold numbers [N, D] to be points, not {array.dtype} {list(array.shape)}: reshape it.")
    missing = np.flatnonzero(~(np.abs(array.astype(np.float64)) <= LARGEST).all(1))
    if len(missing):
        raise UserError(
            f"{where} has NaN, infinite or far too large values in {len(missing)} rows (the first is row {missing[0]}): remove them."
        )
    names = columns or (
        ("x", "y", "z")[: array.shape[1]] if array.shape[1] <= 3 else tuple(f"x{i}" for i in range(array.shape[1]))
    )
    return Points(name=name, points=array if array.dtype.kind == "f" else array.astype(np.float64), columns=names)


def holds_points(path: Path) -> bool:
    """Whether the first rows of a CSV file are pairs of numbers, whatever the header."""
    try:
        with opened_lines(path) as lines:
            rows = [row for row in islice(csv.reader(lines), 20) if row]
    except UserError:
        return False
    return bool(rows) and all(len(row) == 2 for row in rows) and all(_is_number(cell) for row in rows[1:] for cell in row)


def from_csv(path: Path, kind: str | None) -> Points:
    """A CSV file (plain or .gz) of two numeric columns, or of any number of them if `kind` says points; a header is optional."""
    rows: list[tuple[int, list[str]]] = []
    with opened_lines(path) as lines:
        reader, cells, most = csv.reader(lines), 0, current().cells
        for row in reader:
            if row:
                rows.append((reader.line_num, row))
                cells += len(row)
                check_cells(cells, most, str(path))
    columns = () if not rows or all(_is_number(cell) for cell in rows[0][1]) else tuple(cell.strip() for cell in rows.pop(0)[1])
    width = len(columns or rows[0][1]) if rows else 0
    if not rows or (kind is None and width != 2):
        raise UserError(f"{path} has {width} columns and {len(rows)} rows of numbers, where points have two columns: choose two.")
    for number, row in rows:
        if len(row) != width or not all(_is_number(cell) for cell in row):
            raise UserError(f"line {number} of {path} is not {width} numbers ({', '.join(row)[:60]}): correct or remove it.")
    return points_of(np.array([row for _, row in rows], np.float64), path.name.split(".")[0], path.name, columns)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
