"""Texts in a column of a CSV, JSON lines or Parquet file."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gansmith.data.readers.json_text import parsed
from gansmith.data.readers.parquet_files import opened_parquet
from gansmith.data.readers.text import SEPARATORS, check_names
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.readers.content import text_of
from gansmith.kinds.text.text import Texts

USUAL = ("text", "sentence", "content", "document", "caption", "review", "title")
"""Columns that hold the texts without being named, the first of these that is there."""
Rows = tuple[list[str], list[list[Any]]]
"""The names of the columns, and rows of cells."""


def from_sheet(path: Path, options: Options) -> Texts:
    """The texts, and the classes if a column of them is named, of a file with columns."""
    readers: dict[str, Callable[[Path, Options], Rows]] = {".csv": _csv, ".tsv": _csv, ".jsonl": _json, ".parquet": _parquet}
    suffix = [own for own in path.suffixes if own.lower() != ".gz"][-1].lower()
    return _of_columns(path, *readers[suffix](path, options), options)


def rows_of_json(path: Path, options: Options) -> Texts:
    """The texts of one file of JSON lines among others."""
    return _of_columns(path, *_json(path, options), options)


def _of_columns(path: Path, header: list[str], rows: list[list[Any]], options: Options) -> Texts:
    """Raises UserError where the columns that were named are not there, or none was named and it is not plain which to take."""
    for flag, name in (("column", options.column), ("label", options.label), ("context", options.context)):
        if name is not None and name not in header:
            raise UserError(
                f'--{flag} names the column "{name}"{did_you_mean(name, header)}, which {path} does not have: it has {listed(header, 20)}.'
            )
    label = options.label or ("label" if "label" in header and path.name.startswith("texts") else None)
    column = options.column or next((name for name in USUAL if name in header), None)
    if column is None and len(others := [name for name in header if name not in (label, options.context)]) == 1:
        column = others[0]
    if column is None:
        raise UserError(f"{path} has the columns {listed(header, 20)}: say which holds the texts with --column.")
    at, of_class = header.index(column), header.index(label) if label is not None else None
    asked = header.index(options.context) if options.context is not None else None
    texts, labels, contexts, places, blank, odd = [], [], [], [], 0, 0
    for number, row in enumerate(rows, 1):
        text = row[at] if at < len(row) else None
        if text is None or not str(text).strip():
            blank += 1
            continue
        odd += not isinstance(text, str)
        texts.append(str(text))
        places.append(f"row {number}")
        if asked is not None:
            cell = row[asked] if asked < len(row) else None
            contexts.append("" if cell is None else str(cell))
        if of_class is not None:
            name = row[of_class] if of_class < len(row) else None
            if name is None or name == "":
                raise UserError(f'"{label}" is missing in row {number} of {path}: fill it in, or remove the row.')
            labels.append(str(name))
    if not texts:
        raise UserError(f'the column "{column}" of {path} holds no text: name another with --column.')
    notes = [f'the texts are those of the column "{column}"']
    notes += [f"{blank:,} rows without text are left out"] if blank else []
    notes += [f"{odd:,} of them are no text but numbers or the like, and written out"] if odd else []
    return Texts(
        name=path.name.split(".")[0],
        texts=texts,
        labels=labels if of_class is not None else None,
        contexts=contexts if asked is not None else None,
        places=places,
        notes=tuple(notes),
    )


def _csv(path: Path, options: Options) -> Rows:
    text, _ = text_of(path, options.encoding)
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    before = csv.field_size_limit(sys.maxsize)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    except csv.Error as error:
        raise UserError(f"{path} cannot be read as CSV ({error}): save it as comma-separated text.") from error
    finally:
        csv.field_size_limit(before)
    if len(rows) < 2:
        raise UserError(f"{path} has no rows below its header: give at least 8.")
    check_names(rows[0], str(path))
    return rows[0], rows[1:]


def _json(path: Path, options: Options) -> Rows:
    header: list[str] = []
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text_of(path, options.encoding)[0].split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = parsed(line, f"line {number} of {path}")
        except ValueError as error:
            raise UserError(f"line {number} of {path} is no JSON ({error}): give one object a line.") from error
        row = found if isinstance(found, dict) else {"text": found}
        header += [name for name in row if name not in header]
        rows.append(row)
    if not rows:
        raise UserError(f"{path} holds no lines of JSON: give at least 8.")
    return header, [[row.get(name) for name in header] for row in rows]


def _parquet(path: Path, options: Options) -> Rows:
    with opened_parquet(path) as file:
        names = file.schema_arrow.names
        wanted = [name for name in (options.column, options.label, options.context) if name in names]
        table = file.read(columns=wanted if options.column in names else names)
        return list(table.column_names), [
            list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
        ]
