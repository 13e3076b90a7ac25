"""Labels in a table beside the images: classes, numbers, or several of both.

The column file_name, or else the first one, names the files, relative to the table. One column of words, or one called label, class,
..., is a class. All else are attributes: numbers, yes and no (-1 and 1 count as 0 and 1), and words, of which each becomes an attribute
"column=word".
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from gansmith.data.readers.json_text import parsed
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.attributes import number_of
from gansmith.kinds.images.readers.collection import Label, natural
from gansmith.kinds.images.readers.parquet import LABEL_COLUMNS

TABLES = (
    "attributes.csv",
    "labels.csv",
    "metadata.csv",
    "metadata.jsonl",
    "attributes.txt",
    "labels.txt",
    "list_attr_celeba.txt",
    "list_attr_celeba.csv",
)
"""Names of files that are read as tables of labels."""
FILE_COLUMNS = ("file_name", "filename", "file")
"""Names of the column that names the files, wherever it stands."""
MOST_WORDS = 50
"""A column of more different words than this is taken for text, which is not used; a single column if most images have their own."""


@dataclass(frozen=True)
class Labelling:
    """What the tables say of the images."""

    labels: Mapping[str, Label]
    """The label of each image by the path it was asked under; none if no column tells one."""
    attributes: tuple[str, ...]
    """The names of the numbers, if the labels are such."""
    notes: tuple[str, ...]


def labelling(tables: Mapping[str, str], images: Sequence[str]) -> Labelling | None:
    """The labels of these images by the texts of the tables, both under their paths in the source; None if they tell nothing.

    Raises UserError for tables that contradict themselves or each other.
    """
    header: list[str] = []
    cells: dict[str, list[str]] = {}
    for path, text in tables.items():
        columns, rows = _parsed(path, text)
        if header and columns != header:
            raise UserError(
                f"{path} has the columns {listed(columns)}, where the tables before have {listed(header)}: unite them."
            )
        header = columns
        cells |= _matched(path, rows, images)
    known = [image for image in images if image in cells]
    if not known or not header:
        return None
    columns = {name: [cells[image][index] for image in known] for index, name in enumerate(header)}
    numbers: dict[str, list[float]] = {}
    classes: dict[str, list[str]] = {}
    notes = []
    for name, values in columns.items():
        meant = _numbers(values)
        if any(not value.strip() for value in values):
            notes.append(f"the column {name} is not used, since it is empty for some images")
        elif meant is not None and not (name.lower() in LABEL_COLUMNS and len(header) == 1):
            numbers[name] = meant
        elif len(set(values)) <= MOST_WORDS or (len(header) == 1 and 2 * len(set(values)) <= len(values)):
            classes[name] = [value.strip() for value in values]
        else:
            notes.append(f"the column {name} is not used, since its {len(set(values)):,} different texts are no classes")
    told = f"the labels of {len(known):,} of {len(images):,} images come from {listed(list(tables))}"
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


def _parsed(path: str, text: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns but that of the files, and the rows, which begin with the file; of CSV, of lines of JSON, or of CelebA's
    text with a count above the names."""
    if path.lower().endswith(".jsonl"):
        header, rows = _parsed_json(path, text)
    elif path.endswith(".txt"):
        lines = [line.split() for line in text.splitlines() if line.strip()]
        lines = lines[1:] if lines and len(lines[0]) == 1 and lines[0][0].isdigit() else lines
        header, rows = (lines[0], lines[1:]) if lines else ([], [])
        header = header if rows and len(header) == len(rows[0]) - 1 else header[1:]
    else:
        lines = [row for row in csv.reader(text.lstrip("\ufeff").splitlines()) if row]
        place = next((lines[0].index(name) for name in FILE_COLUMNS if lines and name in lines[0]), 0)
        header, *rows = [[*row[place : place + 1], *row[:place], *row[place + 1 :]] for row in lines] or [[]]
        header = header[1:]
    header = [name.strip() for name in header]
    if len(set(header)) < len(header):
        raise UserError(f"{path} names a column twice ({listed(header)}): rename one.")
    for row in rows:
        if len(row) != len(header) + 1:
            raise UserError(
                f"{path} has {len(row)} cells for {row[0]}, where its columns are {len(header) + 1}: correct that row."
            )
    return header, rows


def _parsed_json(path: str, text: str) -> tuple[list[str], list[list[str]]]:
    """Lines of objects, as hubs store them beside images; what some of them lack is empty."""
    try:
        objects = [parsed(line, path) for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{path} is not JSON line by line ({error}): correct it.") from error
    for one in objects:
        if not isinstance(one, dict) or FILE_COLUMNS[0] not in one:
            raise UserError(f'{path} has a line without "{FILE_COLUMNS[0]}": name the image in every line.')
    header = list(dict.fromkeys(key for one in objects for key in one if key != FILE_COLUMNS[0]))
    return header, [[str(one[FILE_COLUMNS[0]]), *(_cell(one.get(key)) for key in header)] for one in objects]


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _matched(path: str, rows: Iterable[Sequence[str]], images: Sequence[str]) -> dict[str, list[str]]:
    """Rows by image: by the path from the table's folder, or by the bare name where only one image has it."""
    folder, known = PurePosixPath(path).parent, set(images)
    bare: dict[str, list[str]] = {}
    for image in images:
        bare.setdefault(PurePosixPath(image).name, []).append(image)
    found = {}
    for name, *values in rows:
        image = (folder / name.strip()).as_posix()
        same_name = bare.get(PurePosixPath(name.strip()).name, [])
        image = image if image in known else same_name[0] if len(same_name) == 1 else None
        if image is None:
            continue
        if image in found and found[image] != values:
            raise UserError(f"{path} describes {image} twice and differently: correct it.")
        found[image] = values
    return found
