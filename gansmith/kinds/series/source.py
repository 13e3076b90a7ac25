"""Series as a source has them, before they are cut and scaled: from rows of text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.series.calendar import NUMBER, Calendar, calendar_of, format_of, seconds_of
from gansmith.kinds.series.files import SERIES
from gansmith.kinds.series.gaps import filled, spread
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.series import Series
from gansmith.kinds.series.sheets import Sheet, first_rows, is_number, sheet_from_csv

ENTITIES = (SERIES, "series_id", "entity", "entity_id", "id")
"""Columns that tell several series apart without being named."""
WIDE = re.compile(r"^(.*?)[_ ]?(\d+)$")
"""Columns of a file with one series in each row: t0, t1, ...; open_0, open_1, ..."""
MIN_WIDE = 4
ALIKE = 5
"""Shorter series need not show the same steps as the first."""


class AsLearned(Options):
    """Options whose columns are those of other data, which this data may lack."""


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Series of a source, in memory or memory-mapped."""

    name: str
    series: Sequence[Series]
    columns: tuple[str, ...]
    together: np.ndarray | None = None
    """The array [series, steps, columns] that the series are whole rows of, if there is one."""
    calendar: Calendar | None = None
    notes: tuple[str, ...] = ()
    static_kinds: Mapping[str, str] = field(default_factory=dict)


def looks_like_series(path: Path) -> bool:
    """Whether the first column of a CSV file is of dates or times that go forward, judged by its first rows."""
    return _goes_forward([row[0].strip() for row in first_rows(path)[1:]])


def _goes_forward(cells: Sequence[str]) -> bool:
    """Whether these are dates or times, each later than the one before."""
    known = format_of(cells) if len(cells) >= 3 else None
    return known is not None and bool((np.diff(seconds_of(cells, known)) > 0).all())


def from_series_folder(folder: Path, wanted: Options) -> Sequences:
    """A folder of CSV files with the same columns, each one series or several. Raises UserError where their columns differ."""
    paths = sorted(path for path in folder.iterdir() if path.name.lower().endswith((".csv", ".csv.gz")))
    if not paths:
        raise UserError(f"there are no csv files in {folder}: give a file, or a folder of csv files with one series each.")
    parts = [from_series_sheet(sheet_from_csv(path), wanted) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        for what, own, first in (
            ("columns", list(part.columns), list(parts[0].columns)),
            ("attributes", list(part.series[0].static), list(parts[0].series[0].static)),
        ):
            if own != first:
                raise UserError(
                    f"{path} has the {what} {listed(own, 10)}, where {paths[0].name} has {listed(first, 10)}: give all files the same."
                )
    series = [one for part in parts for one in part.series]
    notes = (f"{len(series)} series from {len(paths)} files", *parts[0].notes)
    return replace(parts[0], name=folder.resolve().name, series=series, notes=notes)


def from_series_sheet(sheet: Sheet, wanted: Options) -> Sequences:
    """Rows of text: one row a step, with a column that tells several series apart if there are several; or one row a series, the
    columns being steps (t0, t1, ...), unless the first column is of times that go forward.

    Raises UserError for what cannot be numbers, missing values, and times that are out of order, double or unequally spaced.
    """
    named = (("entity", wanted.entity), ("time", wanted.time), *(("static", name) for name in wanted.static))
    for option, name in (*named, *(("columns", name) for name in wanted.columns)):
        if name is None or name in sheet.header or (isinstance(wanted, AsLearned) and option != "columns"):
            continue
        if isinstance(wanted, AsLearned):
            raise UserError(f"{sheet.where} has no column {name!r}, which the series that were learned have: add it.")
        raise UserError(
            f"--{option} names the column {name!r}, which {sheet.where} does not have{did_you_mean(name, sheet.header)}."
        )
    known = set(sheet.header)
    wanted = replace(
        wanted,
        entity=wanted.entity if wanted.entity in known else None,
        time=wanted.time if wanted.time in known else None,
        static=tuple(name for name in wanted.static if name in known),
    )
    wide = _wide(sheet.header, wanted)
    if wide and (wanted.static or not _goes_forward([row[0] for _, row in sheet.rows])):
        return _from_wide(sheet, wide, wanted)
    return _from_long(sheet, wanted)


def _wide(header: Sequence[str], wanted: Options) -> dict[str, list[int]]:
    """The positions of the steps by the name of the value, if every row is a series."""
    if wanted.entity or wanted.time:
        return {}
    found: dict[str, list[tuple[int, int]]] = {}
    for index, name in enumerate(header):
        if match := WIDE.match(name):
            found.setdefault(match[1], []).append((int(match[2]), index))
    runs = {name: sorted(places) for name, places in found.items() if len(places) >= MIN_WIDE}
    even = all([step for step, _ in run] == list(range(run[0][0], run[0][0] + len(run))) for run in runs.values())
    if not runs or not even or len({len(run) for run in runs.values()}) > 1 or set(runs) == {"x"}:
        return {}
    return {name or "value": [index for _, index in run] for name, run in runs.items()}


def _from_wide(sheet: Sheet, wide: dict[str, list[int]], wanted: Options) -> Sequences:
    header = sheet.header
    steps = {index for places in wide.values() for index in places}
    others = [index for index in range(len(header)) if index not in steps and header[index] not in ENTITIES]
    if wanted.static:
        others = [index for index in others if header[index] in wanted.static]
    series, columns = [], list(wide)
    for line, row in sheet.rows:
        values = np.array([[_number(row[at], header[at], line, sheet, wanted) for at in places] for places in wide.values()]).T
        if wanted.fill:
            values = filled(values, wanted.fill, columns, f"line {line} of {sheet.where}")
        series.append(Series(values, {header[index]: row[index] for index in others}))
    notes = [f"every row is a series of {len(series[0].values)} steps of {listed(columns, 5)}"]
    everywhere = [name for name in series[0].static if len({one.static[name] for one in series}) == len(series)]
    unique = [name for name in everywhere if not wanted.static and not is_number(str(series[0].static[name]))]
    if unique and len(series) > 1:  # names of the rows, which say nothing of their series
        notes.append(f"{listed(unique, 5)} names every row differently and is left out")
        series = [Series(one.values, {k: v for k, v in one.static.items() if k not in unique}) for one in series]
    return Sequences(name=sheet.name, series=typed(series), columns=tuple(wide), notes=tuple(notes))


def _from_long(sheet: Sheet, wanted: Options) -> Sequences:
    header, where = sheet.header, sheet.where
    entity = wanted.entity or next((name for name in ENTITIES if name in header and name != wanted.time), None)
    groups: dict[str, list[tuple[int, list[str]]]] = {}
    for line, row in sheet.rows:
        groups.setdefault(row[header.index(entity)] if entity else "", []).append((line, row))
    time, known = _time_column(sheet, wanted, entity, groups)
    values = [name for name in header if name not in (entity, time, *wanted.static, "class" if entity else "")]
    static = [name for name in header if name in wanted.static or (entity and name == "class")]
    if entity and not wanted.static:  # words that never change within a series are attributes of it
        static += [name for name in values if not is_number(next(filter(None, sheet.column(name)), "0"))]
        values = [name for name in values if name not in static]
    values = list(wanted.columns) or values
    if not values:
        raise UserError(f"{where} has no column of numbers besides {listed(list(header), 10)}: add one.")
    places, series, calendar, inserted = [header.index(name) for name in values], [], None, 0
    for name, group in groups.items():
        rows = np.array([[_number(row[at], header[at], line, sheet, wanted) for at in places] for line, row in group])
        what = f"the series {name} of {where}" if entity else where
        if time is not None and known is not None:
            cells, lines = [row[header.index(time)] for _, row in group], [line for line, _ in group]
            own = calendar_of(time, cells, known, lines, where, gaps=bool(wanted.fill))
            calendar = calendar or own
            if len(cells) > ALIKE and not own.is_like(calendar):
                raise UserError(
                    f"{what} has steps of {own.said}, where the first series has {calendar.said}, and dates of one step are made: give "
                    "series of different steps as files of their own, resample them, or remove the column of times."
                )
            if wanted.fill:
                at = own.places(cells)
                inserted += int(at[-1]) + 1 - len(rows)
                rows = spread(rows, at)
        if wanted.fill:
            rows = filled(rows, wanted.fill, values, what)
        fixed = {}
        for key in static:
            found = {row[header.index(key)] for _, row in group}
            if len(found) > 1:
                raise UserError(
                    f"{key} is static, but it changes within {what} ({listed(sorted(found), 3)}): leave it out of --static, or correct it."
                )
            fixed[key] = found.pop()
            if not fixed[key]:
                raise UserError(f"{key} is missing in line {group[0][0]} of {where}: fill it in, or remove the series.")
        series.append(Series(rows, fixed))
    notes = [f"every row is a step of {listed(values, 6)}"]
    if entity:
        notes.append(f"{len(series)} series are told apart by the column {entity}")
    if calendar:
        notes.append(f"the column {time} holds the times ({calendar.rule})")
    if inserted:
        notes.append(f"{inserted} steps that the times leave out are filled in ({wanted.fill})")
    return Sequences(name=sheet.name, series=typed(series), columns=tuple(values), calendar=calendar, notes=tuple(notes))


def _time_column(
    sheet: Sheet, wanted: Options, entity: str | None, groups: Mapping[str, list[tuple[int, list[str]]]]
) -> tuple[str | None, str | None]:
    """The column of times and how they are written: the one named; or the first that is no number and reads as times; or the first
    column if its numbers count steps (1, 2, 3 or 1990, 1991), going up equally within every series."""
    candidates = [name for name in sheet.header if name != entity and name not in (*wanted.static, *wanted.columns)]
    candidates = [wanted.time] if wanted.time else candidates
    for name in candidates:
        if known := format_of(sheet.column(name)):
            return name, known
    for name in candidates[:1]:
        at = sheet.header.index(name)
        if all(is_number(row[at]) for _, row in sheet.rows):
            steps = [np.diff([float(row[at]) for _, row in group]) for group in groups.values()]
            counting = len(sheet.rows) > 2 and all((part > 0).all() for part in steps)
            if counting and (wanted.time or all(np.allclose(part, part[:1], rtol=1e-6) for part in steps)):
                return name, NUMBER
    if wanted.time:
        cell = sheet.column(wanted.time)[0]
        raise UserError(
            f"--time names the column {wanted.time}, whose {cell!r} in {sheet.where} is no date or time, nor a number that goes up: "
            "write 2024-01-31, or name another."
        )
    return None, None


def _number(cell: str, column: str, line: int, sheet: Sheet, wanted: Options) -> float:
    """The number of a cell; NaN for a missing one if it is to be filled in."""
    if not cell:
        if wanted.fill:
            return float("nan")
        raise UserError(
            f"{column} is missing in line {line} of {sheet.where}: fill it in, remove the row, or give --fill linear."
        )
    try:
        value = float(cell)
    except ValueError as error:
        raise UserError(
            f"{column} is {cell[:40]!r} in line {line} of {sheet.where}, where a number is needed: correct it, name the column with "
            "--static or --entity, or leave it out with --columns."
        ) from error
    if not abs(value) <= 1e38:
        raise UserError(f"{column} is {cell[:40]} in line {line} of {sheet.where}: give a finite number that fits into 32 bits.")
    return value


def typed(series: Sequence[Series]) -> list[Series]:
    """Static attributes as numbers where all of them are; a "class" stays text."""
    names = list(series[0].static)
    numeric = [name for name in names if name != "class" and all(is_number(str(one.static[name])) for one in series)]
    return [
        Series(one.values, {name: float(one.static[name]) if name in numeric else str(one.static[name]) for name in names})
        for one in series
    ]
