"""Lines of text files, plain or packed by gzip, for every reader of CSV."""

import codecs
import csv
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO

from gansmith.data.readers.files import check_ends
from gansmith.data.readers.limits import check, check_ratio, current
from gansmith.data.readers.old_encodings import old_encoding, reads_as_western
from gansmith.errors import UserError

SEPARATORS = ",;\t|"
PORTION = 1 << 22
"""Bytes that are unpacked at a time."""
UTF_8 = "utf-8-sig"
SNIFFED = 2**20
"""Bytes and characters from which encoding and separator are recognised."""
LOOKED_AT = 200
"""Lines from which the separator is recognised."""
_NUMBER = re.compile(r"[-+(]?[$€£]?\d[\d.,'\u00a0 ]*(?:[eE][-+]?\d+)?\s?[%€$]?\)?|")


@contextmanager
def opened_lines(path: Path, *, any_encoding: bool = False, encoding: str | None = None) -> Iterator["Lines"]:
    """The lines of a CSV file in UTF-8, plain or .gz; with `any_encoding` also in UTF-16 with a mark of byte order, and in an older
    encoding where its first megabyte is such text and no UTF-8 (`Lines.encoding` says which); or in the `encoding` that is named.

    Inside the block, damaged files and whatever the csv module refuses become a UserError that names the file.
    """
    try:
        size = check_ends(path)
        packed = path.suffix.lower() == ".gz"
        if packed:
            check_ratio(_claimed(path, size), size, f"{path}, if it is whole,")
        opener = gzip.open if packed else open
        used = UTF_8 if encoding is None or codecs.lookup(encoding).name == "utf-8" else encoding
        if any_encoding and encoding is None:
            with opener(path, "rb") as file:
                used = _encoding_of(file.read(SNIFFED))
        with opener(path, "rt", encoding=used, newline="") as file:
            yield Lines(file, str(path), size if packed else None, used)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(
            f"{path} is not {error.encoding.upper()} (byte {byte:#04x} at place {error.start} of what was being read): save it as UTF-8."
        ) from error
    except (OSError, EOFError, UnicodeError, zlib.error, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV ({error}): save it as comma-separated text in UTF-8.") from error


def unpacked(path: Path) -> bytes:
    """The content of a .gz file. Raises UserError above the limits `ratio` and `array_bytes`, OSError, EOFError and zlib.error for
    damaged ones."""
    size, parts, count = check_ends(path), [], 0
    check_ratio(_claimed(path, size), size, f"{path}, if it is whole,")
    with gzip.open(path) as file:
        while part := file.read(PORTION):
            parts.append(part)
            count += len(part)
            check_ratio(count, size, str(path))
            check("array_bytes", count, str(path), "bytes")
    return b"".join(parts)


TIGHTEST = 1100
"""How many times smaller gzip can make anything: 1032 times, and a little for its ends."""


def _claimed(path: Path, size: int) -> int:
    """How many bytes the last part of a .gz file says that it unpacks to, which is all of most files: bombs are found without unpacking.
    0 where no gzip file can, as of one that was cut short."""
    with path.open("rb") as file:
        file.seek(max(0, size - 4))
        claimed = int.from_bytes(file.read(4), "little")
    return claimed if claimed <= TIGHTEST * size else 0


def _encoding_of(start: bytes) -> str:
    """UTF-8, unless a mark of byte order says otherwise, or the bytes are none and read well in an older encoding."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
        return UTF_8
    except UnicodeDecodeError:
        pass
    if any(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in start):
        return UTF_8
    guess = old_encoding(start)
    return guess if guess not in ("cp1252", "latin-1") or reads_as_western(start) else UTF_8


def separator_of(lines: Sequence[str]) -> str:
    """The separator that gives all of these lines of CSV equally many cells, as DuckDB's reader does it; of several such the one that makes
    most cells numbers, then the one with most cells. Without any, the one that the first line has most of.
    """
    best, chosen = (0.0, 0), ""
    for separator in SEPARATORS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        except csv.Error:
            continue
        widths = {len(row) for row in rows}
        if len(widths) != 1 or (width := widths.pop()) == 1:
            continue
        cells = [cell for row in rows[1:] or rows for cell in row]
        share = sum(bool(_NUMBER.fullmatch(cell.strip())) for cell in cells) / len(cells)
        if (round(share, 2), width) > best:
            best, chosen = (round(share, 2), width), separator
    first = lines[0] if lines else ""
    return chosen or max(SEPARATORS, key=first.count)


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

    def __init__(self, file: IO[str], where: str, packed: int | None, encoding: str = "utf-8-sig") -> None:
        self._file, self._where, self._packed, self._read = file, where, packed, 0
        self.encoding = "" if encoding == UTF_8 else encoding
        """The encoding, where it is not UTF-8."""
        self._most = current().line_chars
        self._ahead: deque[str] = deque()
        self._look_ahead(1)
        self.first = self._ahead[0] if self._ahead else ""
        """The first line, which iterating returns too."""

    @cached_property
    def separator(self) -> str:
        """The separator by which all of the first lines have equally many cells. To be asked before iterating."""
        self._look_ahead(LOOKED_AT)
        return separator_of(self._ahead_whole())

    def _look_ahead(self, count: int) -> None:
        while len(self._ahead) < count and sum(map(len, self._ahead)) < SNIFFED and (line := self._next()):
            self._ahead.append(line)

    def _ahead_whole(self) -> list[str]:
        """The lines that are known, without the end of a cell that goes on in the next one."""
        lines = list(self._ahead)
        while len(lines) > 1 and sum(line.count('"') for line in lines) % 2:
            lines.pop()
        return lines

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._next()
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
