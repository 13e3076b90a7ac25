"""Lines of text files, plain or packed by gzip, for every reader of CSV."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gansmith.data.readers.files import check_ends
from gansmith.data.readers.limits import check, check_ratio, current
from gansmith.errors import UserError

SEPARATORS = ",;\t|"
PORTION = 1 << 22
"""Bytes that are unpacked at a time."""


@contextmanager
def opened_lines(path: Path) -> Iterator["Lines"]:
    """The lines of a CSV file in UTF-8, plain or .gz.

    Inside the block, damaged files and whatever the csv module refuses become a UserError that names the file.
    """
    try:
        size = check_ends(path)
        packed = path.suffix.lower() == ".gz"
        opener = gzip.open if packed else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield Lines(file, str(path), size if packed else None)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(
            f"{path} is not UTF-8 (byte {byte:#04x} at place {error.start} of what was being read): save it as UTF-8."
        ) from error
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV ({error}): save it as comma-separated text in UTF-8.") from error


def unpacked(path: Path) -> bytes:
    """The content of a .gz file. Raises UserError above the limits `ratio` and `array_bytes`, OSError, EOFError and zlib.error for
    damaged ones."""
    size, parts, count = check_ends(path), [], 0
    with gzip.open(path) as file:
        while part := file.read(PORTION):
            parts.append(part)
            count += len(part)
            check_ratio(count, size, str(path))
            check("array_bytes", count, str(path), "bytes")
    return b"".join(parts)


def check_names(names: Sequence[str], where: str) -> None:
    """Raises UserError for columns without a name, for two of one name, and above the limit `columns`."""
    check("columns", len(names), where, "columns")
    seen = set()
    for place, name in enumerate(names, start=1):
        if not name:
            raise UserError(f"column {place} of {where} has no name: name it in the header.")
        if name in seen:
            raise UserError(f'{names.count(name)} columns of {where} are named "{name}": give each a name of its own.')
        seen.add(name)


def check_cells(count: int, most: int, where: str) -> None:
    """Raises UserError for a table of more cells than `most`, the limit `cells` when its reading began."""
    if count > most:
        check("cells", count, where, "cells")


class Lines:
    """An iterator of lines, each with its end, that looks ahead by one. Raises UserError for lines above the limit `line_chars`, and
    for packed text that unpacks to far more than its size."""

    def __init__(self, file: IO[str], where: str, packed: int | None) -> None:
        self._file, self._where, self._packed, self._read = file, where, packed, 0
        self._most = current().line_chars
        self._first: str | None = self._next()
        self.first = self._first or ""
        """The first line, which iterating returns too."""

    @property
    def separator(self) -> str:
        """The usual separator that the header has most of."""
        return max(SEPARATORS, key=self.first.count)

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line, self._first = (self._first, None) if self._first is not None else (self._next(), None)
        if not line:
            raise StopIteration
        return line

    def _next(self) -> str:
        line = self._file.readline(self._most + 1)
        if len(line) > self._most:
            check("line_chars", len(line), f"a line of {self._where}", "characters")
        if self._packed is not None:
            self._read += len(line)
            check_ratio(self._read, self._packed, self._where)
        return line
