"""Labels in a table beside the images: classes, numbers, or several of both.

One column names the images (`ImageNames` says how freely): file_name if there is one, else the one that names the most. One column of
words, or one called label, class, ..., is a class. All else are attributes: numbers, yes and no (-1 and 1 count as 0 and 1), and words, of
which each becomes an attribute "column=word". A column without a name, the index of a data frame, is left out.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from gansmith.data.attributes import number_of
from gansmith.data.readers.json_text import parsed
from gansmith.data.readers.text import SEPARATORS
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.readers.collection import Label, natural
from gansmith.kinds.images.readers.image_names import ImageNames
from gansmith.kinds.images.readers.parquet import LABEL_COLUMNS

STYLEGAN = "dataset.json"
"""What NVIDIA's dataset_tool writes: {"labels": [["00000/img00000000.png", 3], ...]}."""
TABLES = (
    "attributes.csv",
    "labels.csv",
    "metadata.csv",
    "metadata.jsonl",
    "attributes.txt",
    "labels.txt",
    "list_attr_celeba.txt",
    "list_attr_celeba.csv",
    STYLEGAN,
)
"""Names of files that are read as tables of labels."""
FILE_COLUMNS = ("file_name", "filename", "file")
"""Names of the column that names the files, wherever it stands."""
INDEX_COLUMNS = ("", "unnamed: 0")
"""What the index of a data frame is called in a file."""
MAX_WORDS = 50
"""A column of more different words than this is taken for text, which is not used; a single column if most images have their own."""
_TRIED = 200
"""Rows by which the column that names the images is found."""


@dataclass(frozen=True)
class Labelling:
    """What the tables say of the images."""

    labels: Mapping[str, Label]
    """The label of each image by the path it was asked under; none if no column tells one."""
    attributes: tuple[str, ...]
    """The names of the numbers, if the labels are such."""
    notes: tuple[str, ...]
    trouble: str = ""
    """Why the tables cannot be used, for those who want labels."""


@dataclass(frozen=True)
class _Table:
    """The names of the columns but that of the files, and the rows, each of the file and the cells."""

    header: list[str]
    rows: list[tuple[str, list[str]]]


def labelling(tables: Mapping[str, str], images: Sequence[str]) -> Labelling | None:
    """The labels of these images by the texts of the tables, both under their paths in the source; None if there are none to read.

    Raises UserError for tables that contradict themselves or each other. Tables that name no image, or one of several images of a name,
    are `trouble`.
    """
    if not tables or not images:
        return None
    header: list[str] = []
    cells: dict[str, list[str]] = {}
    names, unfit, silent = ImageNames(images), {}, list[str]()
    for path, text in tables.items():
        table = _parsed(path, text, names)
        if not table.rows and not path.lower().endswith(STYLEGAN):
            return Labelling({}, (), (), f"{path} has no rows: write one for each image, remove the file, or pass --no-labels.")
        if not table.rows or not table.header:
            silent += [path] if table.rows else []
            continue
        found, trouble = _matched(path, table.rows, names)
        if trouble:
            return Labelling({}, (), (), trouble)
        if not found:
            unfit[path] = table.rows[0][0]
            continue
        if header and table.header != header:
            raise UserError(
                f"{path} has the columns {listed(table.header)}, where the tables before have {listed(header)}: unite them."
            )
        header = table.header
        cells |= found
    known = [image for image in images if image in cells]
    if not known and unfit:
        path, row = next(iter(unfit.items()))
        trouble = (
            f'{path} names no image that is there: its first row is "{row}", and the first image is "{images[0]}": write the names of '
            "the images, or pass --no-labels."
        )
        return Labelling({}, (), (), trouble)
    notes = [f"{path} tells nothing of the images beside their names and is not used" for path in silent]
    if not known:
        return Labelling({}, (), tuple(notes)) if notes else None
    columns = {name: [cells[image][index] for image in known] for index, name in enumerate(header)}
    numbers: dict[str, list[float]] = {}
    classes: dict[str, list[str]] = {}
    notes += [f"{path} names no image that is there and is not used" for path in unfit]
    for name, values in columns.items():
        meant = _numbers(values)
        if any(not value.strip() for value in values):
            notes.append(f"the column {name} is not used, since it is empty for some images")
        elif meant is not None and not (name.lower() in LABEL_COLUMNS and len(header) == 1):
            numbers[name] = meant
        elif len(set(values)) <= MAX_WORDS or (len(header) == 1 and 2 * len(set(values)) <= len(values)):
            classes[name] = [value.strip() for value in values]
        else:
            notes.append(f"the column {name} is not used, since its {len(set(values)):,} different texts are no classes")
    told = f"the labels of {len(known):,} of {len(images):,} files come from {listed([path for path in tables if path not in unfit])}"
    if len(classes) == 1 and not numbers:
        return Labelling(dict(zip(known, next(iter(classes.values())), strict=True)), (), (*notes, told))
    for name, words in classes.items():
        numbers |= {f"{name}={word}": [float(own == word) for own in words] for word in sorted(set(words), key=natural)}
    if not numbers:
        return Labelling({}, (), tuple(notes)) if notes else None
    labels: dict[str, Label] = dict(zip(known, zip(*numbers.values(), strict=True), strict=True))
    return Labelling(labels, tuple(numbers), (*notes, told))


def _numbers(values: Iterable[str]) -> list[float] | None:
    """The cells as numbers, -1 and 1 as 0 and 1; None if some are none."""
    try:
        numbers = [number_of(value) for value in values]
    except ValueError:
        return None
    if not np.isfinite(numbers).all():
        return None
    return [float(number > 0) for number in numbers] if set(numbers) == {-1.0, 1.0} else numbers


def _parsed(path: str, text: str, names: ImageNames) -> _Table:
    """A table of CSV (any usual separator), of lines of JSON, of dataset_tool's JSON, or of CelebA's text with a count above the names."""
    text, folder = text.lstrip("\ufeff"), PurePosixPath(path).parent
    if path.lower().endswith(STYLEGAN):
        lines = _of_dataset_tool(path, text)
    elif path.lower().endswith(".jsonl"):
        lines = _of_json_lines(path, text)
    elif path.lower().endswith(".txt"):
        lines = [line.split() for line in text.splitlines() if line.strip()]
        lines = lines[1:] if lines and len(lines[0]) == 1 and lines[0][0].isdigit() else lines
        if len(lines) > 1 and len(lines[0]) == len(lines[1]) - 1:
            lines[0] = [FILE_COLUMNS[0], *lines[0]]
    else:
        lines = _of_csv(path, text)
    if lines and any(PurePosixPath(cell).suffix and names.meant(cell, folder) for cell in lines[0]):  # no header
        lines = [["label" if len(lines[0]) == 2 else f"column{place}" for place in range(len(lines[0]))], *lines]
    header, *rows = [[name.strip() for name in lines[0]], *lines[1:]] if lines else [[]]
    for row in rows:
        if len(row) != len(header):
            raise UserError(f"{path} has {len(row)} cells for {row[0]}, where its columns are {len(header)}: correct that row.")
    place = _file_column(header, rows, names, folder)
    kept = [index for index, name in enumerate(header) if index != place and name.lower() not in INDEX_COLUMNS]
    header = [header[index] for index in kept]
    if len(set(header)) < len(header):
        raise UserError(f"{path} names a column twice ({listed(header)}): rename one.")
    return _Table(header, [(row[place], [row[index] for index in kept]) for row in rows])


def _file_column(header: Sequence[str], rows: Sequence[Sequence[str]], names: ImageNames, folder: PurePosixPath) -> int:
    """The place of the column that names the images: file_name, or the one that names the most, best with a suffix."""
    lower = [name.lower() for name in header]
    if named := [lower.index(name) for name in FILE_COLUMNS if name in lower]:
        return named[0]

    def hits(place: int) -> int:
        tried = [row[place] for row in rows[:_TRIED]]
        return sum(1 + bool(PurePosixPath(cell).suffix) for cell in tried if names.meant(cell, folder))

    return max(range(len(header)), key=hits, default=0)


def _of_csv(path: str, text: str) -> list[list[str]]:
    first = text.split("\n", 1)[0]
    try:
        return [row for row in csv.reader(text.splitlines(), delimiter=max(SEPARATORS, key=first.count)) if row]
    except csv.Error as error:
        raise UserError(f"{path} cannot be read as CSV ({error}): correct it.") from error


def _of_json_lines(path: str, text: str) -> list[list[str]]:
    """Lines of objects, as hubs store them beside images; what some of them lack is empty."""
    objects = [_json(path, line, " line by line") for line in text.splitlines() if line.strip()]
    for one in objects:
        if not isinstance(one, dict) or FILE_COLUMNS[0] not in one:
            raise UserError(f'{path} has a line without "{FILE_COLUMNS[0]}": name the image in every line.')
    header = [FILE_COLUMNS[0], *dict.fromkeys(key for one in objects for key in one if key != FILE_COLUMNS[0])]
    return [header, *([_cell(one.get(key)) for key in header] for one in objects)]


def _of_dataset_tool(path: str, text: str) -> list[list[str]]:
    """Pairs of a name and a class or a list of numbers; nothing where there are no labels."""
    whole: Any = _json(path, text)
    pairs = whole.get("labels") if isinstance(whole, dict) else None
    pairs = list(pairs.items()) if isinstance(pairs, dict) else pairs
    if pairs is None:
        return []
    if not isinstance(pairs, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise UserError(f'{path} must hold {{"labels": [["name.png", 3], ...]}}: correct it.')
    rows = [[str(name), *(_cell(one) for one in (label if isinstance(label, list) else [label]))] for name, label in pairs]
    several = [f"label{place}" for place in range(len(rows[0]) - 1)] if rows and len(rows[0]) > 2 else ["label"]
    return [[FILE_COLUMNS[0], *several], *rows]


def _json(path: str, text: str, manner: str = "") -> Any:
    try:
        return parsed(text, path)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{path} is not JSON{manner} ({error}): correct it.") from error


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _matched(path: str, rows: Iterable[tuple[str, list[str]]], names: ImageNames) -> tuple[dict[str, list[str]], str]:
    """The cells by image, and why they cannot be told apart if so."""
    folder = PurePosixPath(path).parent
    found: dict[str, list[str]] = {}
    for name, values in rows:
        images = names.meant(name, folder)
        if len(images) > 1:
            return {}, f'{path} names "{name}", which may be {listed(images, 3)}: write the path of each, or pass --no-labels.'
        for image in images:
            if image in found and found[image] != values:
                raise UserError(f"{path} describes {image} twice and differently: correct it.")
            found[image] = values
    return found, ""
