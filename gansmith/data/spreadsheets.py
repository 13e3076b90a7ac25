"""CSV for programs that compute with cells: a spreadsheet takes text that begins with = + - or @ for a formula."""

import csv
import io
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from gansmith.data.outputs import whole
from gansmith.data.suggestions import listed
from gansmith.errors import UserError

_SAFE: ContextVar[bool] = ContextVar("safe", default=False)
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""How text begins that some spreadsheet computes: the signs, also in full width, after blanks too (OWASP, "CSV Injection")."""
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


@contextmanager
def spreadsheet_safe(safe: bool = True) -> Iterator[None]:
    """Inside, if `safe`, CSV is written with an apostrophe before every cell that a spreadsheet might compute; numbers stay."""
    before = _SAFE.set(safe)
    try:
        yield
    finally:
        _SAFE.reset(before)


def cell(value: Any) -> Any:
    """What is written for a value: itself, or, where that was asked for, text that no spreadsheet computes."""
    if not _SAFE.get() or not isinstance(value, str) or _NUMBER.fullmatch(value) or not _FORMULA.match(value):
        return value
    return f"'{value}"


class Writer:
    """A `csv.writer` of cells as `cell` has them."""

    def __init__(self, file: Any, **how: Any) -> None:
        self._writer = csv.writer(file, **how)

    def writerow(self, row: Iterable[Any]) -> None:
        self._writer.writerow([cell(value) for value in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        for row in rows:
            self.writerow(row)


def check_table(path: Path, columns: Sequence[str]) -> None:
    """Raises UserError if there is a table of other columns, which lines of ours would damage."""
    if not path.exists():
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        found = next(csv.reader(file), [])
    if found != [cell(name) for name in columns]:
        raise UserError(
            f"{path} has the columns {listed(found, 4)}, so that lines with {listed(columns, 4)} cannot be added to it: choose another "
            "--out."
        )


def add_to_table(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Adds rows to a table of these columns, which is made if need be: all of them or none, however the process ends."""
    check_table(path, columns)
    lines = io.StringIO(newline="")
    writer = Writer(lines)
    if not path.exists():
        writer.writerow(columns)
    writer.writerows(rows)
    with whole(path) as part:
        if path.exists():
            shutil.copyfile(path, part)
        with part.open("a", encoding="utf-8", newline="") as file:
            file.write(lines.getvalue())
