"""CSV for programs that compute with cells: a spreadsheet takes text that begins with = + - or @ for a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

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
