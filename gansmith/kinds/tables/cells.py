"""The cells of a table's column, each different value held once: compact for millions of rows, fast to look through."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
from jaxtyping import Int

from gansmith.errors import UserError

MISSING = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "<NA>", "#N/A"})
"""What stands for a missing cell in text files."""


_LONGEST = 10_000
"""Bits of a whole number that Python still spells."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Different values ("levels") and, for each row, the place of its value among them."""

    levels: list[Any]
    """Text, numbers, truth values or dates; None is a missing cell."""
    codes: Int[np.ndarray, " rows"]
    dtype: str = "text"
    """What a data frame calls the type of the column; "text" for files of text."""

    def __len__(self) -> int:
        return len(self.codes)

    def counts(self) -> Int[np.ndarray, " levels"]:
        """How many rows have each level."""
        return np.bincount(self.codes, minlength=len(self.levels))

    def values(self) -> list[Any]:
        return [self.levels[code] for code in self.codes]

    def take(self, rows: np.ndarray) -> "Cells":
        return Cells(self.levels, self.codes[rows], self.dtype)


@dataclass
class CellsBuilder:
    """Cells that grow row by row."""

    places: dict[Any, int] = field(default_factory=dict)
    codes: list[np.ndarray] = field(default_factory=list)

    def extend(self, values: Iterable[Any]) -> None:
        places = self.places
        self.codes.append(np.array([places.setdefault(value, len(places)) for value in values], np.int32))

    def finished(self, dtype: str = "text") -> Cells:
        codes = np.concatenate(self.codes) if self.codes else np.empty(0, np.int32)
        return Cells([value_of(key) for key in self.places], codes, dtype)


class Truth(Enum):
    """Truth values as keys: Python's own are equal to 1 and 0."""

    TRUE = True
    FALSE = False


def key(value: Any) -> Any:
    """A key under which True is another than 1."""
    return Truth(value) if isinstance(value, bool) else value


def value_of(key: Any) -> Any:
    """The value of a key."""
    return key.value if isinstance(key, Truth) else key


def cells_of(values: Iterable[Any], dtype: str = "text") -> Cells:
    """Cells of these values; NaN counts as missing."""
    builder = CellsBuilder()
    builder.extend(None if value is None or value != value else key(value) for value in values)
    return builder.finished(dtype)


def plain(value: Any, column: str, where: str) -> Any:
    """A cell of a library's table in Python's own types, None where it is missing.

    Raises UserError for lists, bytes, intervals and whatever else is no number, text, truth value or date.
    """
    if isinstance(value, Decimal):
        return None if not value.is_finite() else value
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        return _refused(value, column, where)
    if isinstance(value, str | int | date):
        return None if type(value).__name__ == "NaTType" else value
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.generic):
        return plain(value.item(), column, where) if value.dtype.kind in "buifUM" else _refused(value, column, where)
    return _refused(value, column, where)


def _refused(value: Any, column: str, where: str) -> Any:
    raise UserError(
        f'the column "{column}" of {where} holds a {type(value).__name__}, where a cell is a number, text, true or false, or a date: '
        "make text of it or leave the column out."
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A table as it was found, before anything is learned of it."""

    name: str
    columns: dict[str, Cells]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))
