"""Tables beside sounds: classes, numbers and speakers by the name of the file, and those that are written."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gansmith.data.spreadsheets import add_to_table
from gansmith.kinds.images.readers.label_tables import Labelling, labelling

WRITTEN = "attributes.csv"
SPEAKER = ("speaker", "speaker_id", "client_id")
"""Columns that name who speaks."""


@dataclass(frozen=True)
class Told:
    """What tables say of sounds."""

    labels: Labelling | None
    speakers: Mapping[str, str]


def told(tables: Mapping[str, str], sounds: Sequence[str]) -> Told:
    """Labels and speakers by the paths of the sounds; a column that names speakers is no label.

    Raises UserError for tables that contradict themselves.
    """
    rest, speakers = {}, {}
    for path, text in tables.items():
        rows = list(csv.reader(text.lstrip("\ufeff").splitlines())) if path.lower().endswith(".csv") else []
        place = next((i for i, name in enumerate(rows[0]) if name.strip().lower() in SPEAKER), None) if rows else None
        if place is None:
            rest[path] = text
            continue
        others = [[cell for i, cell in enumerate(row) if i != place] for row in rows]
        named = [[row[0], row[place]] for row in rows if len(row) > place]
        found = labelling({path: _joined([["file_name", "label"], *named[1:]])}, sounds)
        if found is not None and not found.trouble:
            speakers |= {name: str(label) for name, label in found.labels.items()}
        if len(rows[0]) > 2:
            rest[path] = _joined(others)
    return Told(labelling(rest, sounds), speakers)


def noted(folder: Path, names: Sequence[str], paths: Sequence[Path], rows: Sequence[Mapping[str, float]]) -> None:
    """Adds a line of numbers for each file to attributes.csv. Raises UserError if that table has other columns."""
    numbers = ([f"{row[name]:.7g}" for name in names] for row in rows)
    lines = ([path.relative_to(folder).as_posix(), *cells] for path, cells in zip(paths, numbers, strict=True))
    add_to_table(folder / WRITTEN, ["file", *names], lines)


def _joined(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
