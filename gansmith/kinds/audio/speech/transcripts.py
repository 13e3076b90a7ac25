"""Tables of what is said: metadata.csv of LJSpeech (id|text|normalised text), and tables with a column of texts."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from gansmith.errors import UserError

COLUMNS = ("normalized_text", "normalised_text", "text", "transcript", "transcription", "sentence")
"""Columns of texts, the first that is there being taken."""
NAMES = ("file_name", "filename", "file", "path", "id", "audio", "wav")
"""Columns that name the recordings."""


def transcripts(tables: Mapping[str, str], sounds: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """(what is said in each sound by its path, the tables without it).

    A sound is named by its path, its file name, or that without its suffix. Raises UserError for a name that fits several.
    """
    known: dict[str, list[str]] = {}
    for sound in sounds:
        path = PurePosixPath(sound)
        for name in {sound, path.name, path.stem, path.with_suffix("").as_posix()}:
            known.setdefault(name, []).append(sound)
    said, rest = {}, {}
    for path, text in tables.items():
        rows, left = _texts(path, text)
        if not any(name in known for name, _ in rows):
            rest[path] = text
            continue
        for name, own in rows:
            found = known.get(name, [])
            if len(found) > 1:
                raise UserError(
                    f"{path} says what {name} holds, but there are {found[0]} and {found[1]}: name them by their paths."
                )
            if found and own.strip():
                said[found[0]] = own.strip()
        if left is not None:
            rest[path] = left
    return said, rest


def _texts(path: str, text: str) -> tuple[list[tuple[str, str]], str | None]:
    """(name, text) of every line, and the table without the column of texts if it has others."""
    lines = text.lstrip("\ufeff").splitlines()
    if not path.lower().endswith(".csv") or not lines:
        return [], text
    if "|" in lines[0] and all(line.count("|") in (1, 2) for line in lines[:20] if line.strip()):
        cells = [line.split("|") for line in lines if line.strip()]
        return [(row[0].strip(), row[-1] if row[-1].strip() else row[1]) for row in cells], None
    rows = list(csv.reader(lines))
    header = [name.strip().lower() for name in rows[0]]
    column = next((header.index(name) for name in COLUMNS if name in header), None)
    if column is None or len(header) < 2:
        return [], text
    named = next((header.index(name) for name in NAMES if name in header), 0 if column else 1)
    found = [(row[named].strip(), row[column]) for row in rows[1:] if len(row) > max(named, column)]
    others = [[cell for at, cell in enumerate(row) if at != column] for row in rows]
    left = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in others)
    return found, left if len(header) > 2 else None
