"""CSV as JSON: an object a row, numbers where a whole column is numbers in their shortest spelling."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def as_json(path: Path) -> Path:
    """Writes the rows of a CSV file as JSON beside it, removes the CSV, and returns the new path."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file)) or [[]]
    columns = [_column([row[place] for row in rows]) for place in range(len(head))]
    found = [dict(zip(head, cells, strict=True)) for cells in zip(*columns, strict=True)] if rows else []
    target = path.with_suffix(".json")
    target.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    path.unlink()
    return target


def as_windows(path: Path) -> Path:
    """Writes the steps of a CSV file of series as JSON beside it, a list for each series without its number, removes the CSV, and returns
    the new path."""
    target = as_json(path)
    windows: dict[Any, list[dict[str, Any]]] = {}
    for row in json.loads(target.read_text("utf-8")):
        number, *_ = row.values()
        windows.setdefault(number, []).append(dict(list(row.items())[1:]))
    target.write_text(json.dumps(list(windows.values()), ensure_ascii=False), encoding="utf-8")
    return target


def _column(cells: Sequence[str]) -> list[Any]:
    """Numbers if every cell that is not empty is one as it would be written ("01" is none); empty cells are None."""
    for kind in (int, float):
        try:
            found = [None if cell == "" else kind(cell) for cell in cells]
        except ValueError:
            continue
        if all(value is None or _plain(cell) for cell, value in zip(cells, found, strict=True)):
            return found
    return [None if cell == "" else cell for cell in cells]


def _plain(cell: str) -> bool:
    digits = cell.lstrip("-")
    return digits[:1].isdecimal() and (len(digits) == 1 or digits[0] != "0" or digits[1] in ".e") and cell.isascii()
