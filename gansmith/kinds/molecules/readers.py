"""Molecules from SMILES files, columns of tables, SDF files and lists."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansmith.data.readers.files import files_below, read_whole
from gansmith.data.readers.text import SEPARATORS, check_names, opened_lines, unpacked
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import rdkit, written
from gansmith.kinds.molecules.molecule import Molecules
from gansmith.kinds.molecules.options import Options

SMILES_FILES = (".smi", ".smiles", ".ism", ".smi.gz")
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
SDF = (".sdf", ".sd", ".sdf.gz")
USUAL = ("smiles", "canonical_smiles", "mol", "structure")
"""Columns that hold SMILES without being named, in any case."""


def read(path: Path, options: Options) -> Molecules:
    """The molecules of a file, or of all files of a folder. Raises UserError where there are none."""
    if path.is_dir():
        below = files_below(path, lambda name: ending(name) is not None)
        files = [each for each in sorted(below) if ending(each.name) is not None]
        if not files:
            raise UserError(f"{path} holds no file of molecules: give {listed([*SMILES_FILES, *TABLES, *SDF], 12)}.")
        return _together(path.resolve().name, [_file(each, options) for each in files])
    return _file(path, options)


def ending(name: str) -> str | None:
    """The suffix by which a file holds molecules, or None."""
    return next((suffix for suffix in (*SMILES_FILES, *SDF, *TABLES) if name.lower().endswith(suffix)), None)


def smiles_column(path: Path) -> str | None:
    """The column of a table that holds SMILES by its name, or None."""
    try:
        with opened_lines(path) as lines:
            first = next(iter(lines), "")
    except UserError:
        return None
    header = next(csv.reader([first], delimiter=max(SEPARATORS, key=first.count)), [])
    return next((name for name in header if name.strip().lower() in USUAL), None)


def from_list(smiles: Sequence[str]) -> Molecules:
    """SMILES from Python."""
    return Molecules(name="molecules", smiles=list(smiles), places=[f"item {place}" for place in range(len(smiles))])


def _file(path: Path, options: Options) -> Molecules:
    suffix = ending(path.name) or ""
    if suffix in TABLES:
        return _table(path, options)
    if options.smiles is not None:
        raise UserError(f"--smiles names a column of a table, which {path} is not: leave it out.")
    return _sdf(path) if suffix in SDF else _lines(path)


def _lines(path: Path) -> Molecules:
    """SMILES, each the first word of its line; the words behind are its name."""
    smiles, places = [], []
    with opened_lines(path) as lines:
        for number, line in enumerate(lines, 1):
            words = line.split()
            if words and not (number == 1 and words[0].lower() in USUAL):
                smiles.append(words[0])
                places.append(f"line {number}")
    if not smiles:
        raise UserError(f"{path} holds no lines: give one SMILES a line.")
    return Molecules(name=path.name.split(".")[0], smiles=smiles, places=places)


def _table(path: Path, options: Options) -> Molecules:
    with opened_lines(path) as lines:
        first = next(iter(lines), "")
        separator = max(SEPARATORS, key=first.count)
        header = next(csv.reader([first], delimiter=separator), [])
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
    check_names(header, str(path))
    column = options.smiles or next((name for name in header if name.strip().lower() in USUAL), None)
    if column is None and len(header) == 1:
        column = header[0]
    if column is None or column not in header:
        said = f' named "{column}"{did_you_mean(column, header)}' if column else ""
        raise UserError(f"{path} has no column of SMILES{said}: name it with --smiles; its columns are {listed(header, 20)}.")
    at = header.index(column)
    kept = [(number, row) for number, row in enumerate(rows, 1) if at < len(row) and row[at].strip()]
    if not kept:
        raise UserError(f'the column "{column}" of {path} is empty: name another with --smiles.')
    columns = {}
    for place, name in enumerate(header):
        if place != at and (values := _numbers([row[place] if place < len(row) else "" for _, row in kept])) is not None:
            columns[name] = values
    notes = (f"{len(rows) - len(kept):,} rows without SMILES are left out",) if len(rows) > len(kept) else ()
    return Molecules(
        name=path.name.split(".")[0],
        smiles=[row[at].strip() for _, row in kept],
        places=[f"row {number}" for number, _ in kept],
        columns=columns,
        notes=notes,
    )


def _sdf(path: Path) -> Molecules:
    chem = rdkit()
    content = unpacked(path) if path.suffix.lower() == ".gz" else read_whole(path, "array_bytes")
    supplier = chem.SDMolSupplier()
    supplier.SetData(content.decode("utf-8", errors="replace"))
    smiles, places, facts = [], [], []
    for number, molecule in enumerate(supplier, 1):
        smiles.append(written(molecule) or "unreadable")
        facts.append(molecule.GetPropsAsDict() if molecule is not None else {})
        places.append(f"record {number}")
    if not smiles:
        raise UserError(f"{path} holds no records of molecules: give an SDF file.")
    names = dict.fromkeys(name for own in facts for name in own if not name.startswith("_"))
    columns = {name: found for name in names if (found := _numbers([own.get(name, "") for own in facts])) is not None}
    return Molecules(name=path.name.split(".")[0], smiles=smiles, places=places, columns=columns)


def _numbers(cells: Sequence[Any]) -> list[float] | None:
    """Cells as numbers, empty ones as NaN; None if one is anything else."""
    found = []
    for cell in cells:
        try:
            found.append(float(cell) if str(cell).strip() else math.nan)
        except (TypeError, ValueError):
            return None
    return found


def _together(name: str, parts: Sequence[Molecules]) -> Molecules:
    shared = [column for column in parts[0].columns if all(column in part.columns for part in parts)]
    return Molecules(
        name=name,
        smiles=[each for part in parts for each in part.smiles],
        places=[f"{part.name}, {place}" for part in parts for place in part.places],
        columns={column: [value for part in parts for value in part.columns[column]] for column in shared},
        notes=tuple(note for part in parts for note in part.notes),
    )
