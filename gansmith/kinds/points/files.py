"""Points from arrays and from files of numbers: CSV, .npy and .npz."""

import csv
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.readers.limits import current
from gansmith.data.readers.rows import ArchivedRows, array_names, load_small, open_npy
from gansmith.data.readers.text import check_cells, opened_lines
from gansmith.data.suggestions import listed
from gansmith.errors import UserError

KEYS = ("points", "point", "x", "X", "data", "arr_0")
"""The names under which an .npz file may hold points."""


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points of a source: few bytes each, so simply in memory."""

    name: str
    points: np.ndarray
    """Numbers [N, D]."""
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    held_out: "Points | None" = None


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


def holds_point_arrays(path: Path) -> bool:
    """Whether a .npy file, or an .npz file under one of KEYS, holds floating point numbers [N, D]."""
    try:
        if path.suffix.lower() == ".npy":
            array = open_npy(path)
            return array.ndim == 2 and array.dtype.kind == "f"
        rows = ArchivedRows(path, key) if (key := _key(path)) else None
        return rows is not None and len(rows.shape) == 2 and rows.dtype.kind == "f"
    except UserError:
        return False


def from_npy(path: Path) -> Points:
    """Numbers [N, D]."""
    return points_of(np.array(open_npy(path)), path.stem, path.name)


def from_npz(path: Path) -> Points:
    """Numbers [N, D] under one of KEYS."""
    key = _key(path)
    if key is None:
        raise UserError(f"{path.name} has no array {listed(KEYS, len(KEYS))}: name the points so.")
    return points_of(load_small(path, key), path.stem, f'"{key}" in {path.name}')


def holds_key(path: Path) -> bool:
    """Whether an .npz file has an array under one of KEYS."""
    with suppress(UserError):
        return _key(path) is not None
    return False


def _key(path: Path) -> str | None:
    there = array_names(path)
    return next((key for key in KEYS if key in there), None)


def from_csv(path: Path) -> Points:
    """A CSV file (plain or .gz) of numeric columns; a header is optional."""
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
    if not rows:
        raise UserError(f"{path} has no rows of numbers: give at least one.")
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
