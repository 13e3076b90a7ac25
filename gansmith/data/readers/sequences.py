"""Series as a source has them, before they are cut and scaled: from CSV files, NumPy arrays and files of them."""

import csv
import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from gansmith.data.calendar import Calendar, calendar_of, format_of
from gansmith.data.series import SCALES, Series
from gansmith.data.series_files import LENGTH, SERIES
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError

ENTITIES = (SERIES, "series_id", "entity", "entity_id", "id")
"""Columns that tell several series apart without being named."""
WIDE = re.compile(r"^(.*?)[_ ]?(\d+)$")
"""Columns of a file with one series in each row: t0, t1, ...; open_0, open_1, ..."""
FEWEST_WIDE = 4


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """How series are read, cut and scaled."""

    window: int | None = None
    """Steps of an example; None: 24 out of long series (128 returns), the whole of short ones."""
    stride: int = 1
    returns: bool = False
    scale: str = "feature"
    entity: str | None = None
    time: str | None = None
    static: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("window", "stride"):
            if (value := getattr(self, name)) is not None and value < 1 + (name == "window"):
                raise UserError(f"--{name} must be at least {1 + (name == 'window')}, but it is {value}.")
        if self.scale not in SCALES:
            raise UserError(f'--scale must be {" or ".join(SCALES)}, not "{self.scale}"{did_you_mean(self.scale, SCALES)}.')
        if self.returns and self.scale == "example":
            raise UserError("--returns have a scale of their own: leave --scale out.")


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Series of a source, in memory."""

    name: str
    series: Sequence[Series]
    columns: tuple[str, ...]
    calendar: Calendar | None = None
    notes: tuple[str, ...] = ()
    static_kinds: Mapping[str, str] = field(default_factory=dict)


def looks_like_series(path: Path) -> bool:
    """Whether the first column of a CSV file is of dates or times that go forward, judged by its first rows."""
    try:
        with _opened(path) as file:
            rows = [row for row in islice(csv.reader(file), 50) if row]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        return False
    cells = [row[0].strip() for row in rows[1:]]
    known = format_of(cells) if len(cells) >= 3 else None
    if known is None:
        return False
    from gansmith.data.calendar import seconds_of

    return bool((np.diff(seconds_of(cells, known)) > 0).all())


def from_series_csv(path: Path, wanted: Cutting) -> Sequences:
    """A CSV file (plain or .gz): one row a step, with a column that tells several series apart if there are several; or one row a
    series, the columns being steps (t0, t1, ...).

    Raises UserError for what cannot be numbers, missing values, and times that are out of order, double or unequally spaced.
    """
    try:
        with _opened(path) as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV ({error}): save it as comma-separated text in UTF-8.") from error
    if len(rows) < 2:
        raise UserError(f"{path} has {len(rows)} rows, where a series needs at least 2 and a header: add some.")
    header = [f"x{index}" for index in range(len(rows[0][1]))] if all(map(_is_number, rows[0][1])) else rows.pop(0)[1]
    if len(set(header)) < len(header):
        double = next(name for name in header if header.count(name) > 1)
        raise UserError(f"{path} has two columns named {double!r}: rename one.")
    for line, row in rows:
        if len(row) != len(header):
            raise UserError(f"line {line} of {path} has {len(row)} cells, where the header has {len(header)}: correct it.")
    for option, name in (("entity", wanted.entity), ("time", wanted.time), *(("static", name) for name in wanted.static)):
        if name is not None and name not in header:
            raise UserError(f"--{option} names the column {name!r}, which {path} has not{did_you_mean(name, header)}.")
    if wide := _wide(header, wanted):
        return _from_wide(path, header, rows, wide)
    return _from_long(path, header, rows, wanted)


def _opened(path: Path):
    return gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else open(path, encoding="utf-8-sig", newline="")


def _wide(header: Sequence[str], wanted: Cutting) -> dict[str, list[int]]:
    """The positions of the steps by the name of the value, if every row is a series."""
    if wanted.entity or wanted.time:
        return {}
    found: dict[str, list[tuple[int, int]]] = {}
    for index, name in enumerate(header):
        if match := WIDE.match(name):
            found.setdefault(match[1], []).append((int(match[2]), index))
    runs = {name: sorted(places) for name, places in found.items() if len(places) >= FEWEST_WIDE}
    even = all([step for step, _ in run] == list(range(run[0][0], run[0][0] + len(run))) for run in runs.values())
    if not runs or not even or len({len(run) for run in runs.values()}) > 1 or set(runs) == {"x"}:
        return {}
    return {name or "value": [index for _, index in run] for name, run in runs.items()}


def _from_wide(path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]], wide: dict[str, list[int]]) -> Sequences:
    steps = {index for places in wide.values() for index in places}
    others = [index for index in range(len(header)) if index not in steps and header[index] not in ENTITIES]
    series = []
    for line, row in rows:
        values = np.array([[_number(row[index], header[index], line, path) for index in places] for places in wide.values()]).T
        series.append(Series(values, {header[index]: row[index] for index in others}))
    length = len(next(iter(wide.values())))
    notes = (f"every row is a series of {length} steps of {listed(list(wide), 5)}",)
    return Sequences(name=path.name.split(".")[0], series=_typed(series), columns=tuple(wide), notes=notes)


def _from_long(path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]], wanted: Cutting) -> Sequences:
    entity = wanted.entity or next((name for name in ENTITIES if name in header), None)
    time, known = _time_column(header, rows, wanted, entity, path)
    values = [name for name in header if name not in (entity, time, *wanted.static, "class" if entity else "")]
    static = [name for name in header if name in wanted.static or (entity and name == "class")]
    if entity and not wanted.static:  # words that never change within a series are attributes of it
        static += [name for name in values if not _is_number(rows[0][1][header.index(name)])]
        values = [name for name in values if name not in static]
    if not values:
        raise UserError(f"{path} has no column of numbers besides {listed(list(header), 10)}: add one.")
    groups: dict[str, list[tuple[int, list[str]]]] = {}
    for line, row in rows:
        groups.setdefault(row[header.index(entity)] if entity else "", []).append((line, row))
    places, series, calendar = [header.index(name) for name in values], [], None
    for name, group in groups.items():
        if time is not None and known is not None:
            cells, numbers = [row[header.index(time)] for _, row in group], [line for line, _ in group]
            calendar = calendar or calendar_of(time, cells, known, numbers, str(path))
            calendar_of(time, cells, known, numbers, str(path))
        fixed = {}
        for key in static:
            found = {row[header.index(key)] for _, row in group}
            if len(found) > 1:
                raise UserError(
                    f"{key} is static, but it changes within the series {name or path.name} ({listed(sorted(found), 3)}): "
                    "leave it out of --static, or correct it."
                )
            fixed[key] = found.pop()
        series.append(
            Series(np.array([[_number(row[at], header[at], line, path) for at in places] for line, row in group]), fixed)
        )
    notes = [f"every row is a step of {listed(values, 6)}"]
    if entity:
        notes.append(f"{len(series)} series are told apart by the column {entity}")
    if calendar:
        notes.append(f"the column {time} holds the times ({calendar.rule})")
    name = path.name.split(".")[0]
    return Sequences(name=name, series=_typed(series), columns=tuple(values), calendar=calendar, notes=tuple(notes))


def _time_column(
    header: Sequence[str], rows: Sequence[tuple[int, list[str]]], wanted: Cutting, entity: str | None, path: Path
) -> tuple[str | None, str | None]:
    """The column of times and how they are written: the one named, or the first that is no number and reads as times."""
    candidates = [wanted.time] if wanted.time else [name for name in header if name != entity and name not in wanted.static]
    for name in candidates:
        cells = [row[header.index(name)] for _, row in rows]
        if known := format_of(cells):
            return name, known
    if wanted.time:
        cell = rows[0][1][header.index(wanted.time)]
        raise UserError(f"--time names the column {wanted.time}, whose {cell!r} in {path} is no date or time: write 2024-01-31.")
    return None, None


def _number(cell: str, column: str, line: int, path: Path) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = None
    if value is None and cell:
        raise UserError(
            f"{column} is {cell[:40]!r} in line {line} of {path}, where a number is needed: correct it, name the column with --static or "
            "--entity, or remove it."
        )
    if value is None or not np.isfinite(value):
        raise UserError(f"{column} is missing in line {line} of {path}: fill it in, or remove the row.")
    return value


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _typed(series: Sequence[Series]) -> list[Series]:
    """Static attributes as numbers where all of them are; a single one in words is the class."""
    names = list(series[0].static)
    numeric = [name for name in names if all(_is_number(str(one.static[name])) for one in series)]
    lone = [name for name in names if len(names) == 1 and name not in numeric]
    return [
        Series(
            one.values,
            {
                ("class" if name in lone else name): float(one.static[name])
                if name in numeric and name != "class"
                else one.static[name]
                for name in names
            },
        )
        for one in series
    ]


def from_series_array(array: np.ndarray, name: str, where: str, beside: Mapping[str, np.ndarray] | None = None) -> Sequences:
    """[N, T, D], [T, D] or [T] numbers. `beside` may hold length [N], class [N], static_NAME [N] and columns [D].

    Raises UserError for other shapes and missing values.
    """
    beside = beside or {}
    if array.ndim not in (1, 2, 3) or 0 in array.shape or array.dtype.kind not in "buif":
        raise UserError(
            f"{where} must hold numbers [N, T, D], or one series [T, D], not {array.dtype} {list(array.shape)}: reshape it."
        )
    values = array.astype(np.float64)
    values = values[None, :, None] if array.ndim == 1 else values[None] if array.ndim == 2 else values
    lengths = np.asarray(beside[LENGTH]).astype(int) if LENGTH in beside else np.full(len(values), values.shape[1])
    if len(lengths) != len(values) or lengths.min() < 1 or lengths.max() > values.shape[1]:
        raise UserError(f"{LENGTH} in {where} must hold {len(values)} numbers from 1 to {values.shape[1]}: correct it.")
    series = []
    for index, (one, length) in enumerate(zip(values, lengths, strict=True)):
        if not np.isfinite(one[:length]).all():
            step = int(np.flatnonzero(~np.isfinite(one[:length]).all(1))[0])
            raise UserError(
                f"{where} has a missing or infinite value in series {index} at step {step}: fill it in, or remove it."
            )
        fixed = {
            key.removeprefix("static_"): given[index].item()
            for key, given in beside.items()
            if key == "class" or key.startswith("static_")
        }
        series.append(Series(one[:length], fixed))
    columns = beside.get("columns", [f"x{i}" for i in range(values.shape[2])])
    return Sequences(name=name, series=_typed(series), columns=tuple(map(str, columns)))


def from_series_npz(path: Path) -> Sequences:
    """An .npz with `series`, or with a single array of numbers; see `from_series_array` for what may lie beside it."""
    try:
        with np.load(path) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as an .npz file ({error}): save it with numpy.savez.") from error
    key = SERIES if SERIES in arrays else next((name for name in ("data", "x", "X", "arr_0") if name in arrays), None)
    if key is None:
        raise UserError(f"{path.name} has the arrays {listed(list(arrays))}: name the series {SERIES}.")
    return from_series_array(arrays[key], path.stem, f'"{key}" in {path.name}', {k: v for k, v in arrays.items() if k != key})
