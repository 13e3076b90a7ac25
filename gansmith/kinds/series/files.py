"""Series saved as CSV, one row a step, and as NumPy arrays."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import Writer
from gansmith.kinds.series.calendar import Calendar
from gansmith.kinds.series.series import Series, fits_float32

SERIES, LENGTH = "series", "length"
"""The column, and the keys of arrays, by which our own files are recognised."""


def write_series(raws: Sequence[Series], folder: Path, columns: Sequence[str], calendar: Calendar | None) -> list[Path]:
    """series.csv and series.npz, or series-1.csv and so on beside earlier ones."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    while any((folder / f"series{f'-{number}' if number else ''}.{suffix}").exists() for suffix in ("csv", "npz")):
        number += 1
    stem = f"series-{number}" if number else "series"
    paths = [folder / f"{stem}.csv", folder / f"{stem}.npz"]
    with whole(paths[0]) as part:
        part.write_text(csv_of(raws, columns, calendar), encoding="utf-8", newline="")
    with whole(paths[1]) as part:
        write_npz(raws, part, columns)
    return paths


def csv_of(raws: Sequence[Series], columns: Sequence[str], calendar: Calendar | None) -> str:
    """One row a step, with the columns series, time (if there is a calendar), static attributes and values."""
    times = calendar.times(max(len(raw.values) for raw in raws)) if calendar else None
    statics = list(raws[0].static)
    lines = io.StringIO()
    table = Writer(lines)
    table.writerow([SERIES, *([calendar.column] if calendar else []), *statics, *columns])
    for index, raw in enumerate(raws):
        fixed = [_written(raw.static[name]) for name in statics]
        for step, row in enumerate(raw.values.tolist()):
            table.writerow([index, *([times[step]] if times else []), *fixed, *map(_written, row)])
    return lines.getvalue()


def write_npz(raws: Sequence[Series], path: Path, columns: Sequence[str]) -> None:
    """All series [N, T, D] with their columns, lengths and static attributes."""
    longest = max(len(raw.values) for raw in raws)
    single = all(fits_float32(raw.values.min(0), raw.values.max(0)) for raw in raws)
    values = np.zeros((len(raws), longest, len(columns)), np.float32 if single else np.float64)
    for place, raw in zip(values, raws, strict=True):
        place[: len(raw.values)] = raw.values
    arrays = {SERIES: values, "columns": np.array(columns)}
    if len({len(raw.values) for raw in raws}) > 1:
        arrays[LENGTH] = np.array([len(raw.values) for raw in raws])
    for name in raws[0].static:
        arrays["class" if name == "class" else f"static_{name}"] = np.array([raw.static[name] for raw in raws])
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType], NumPy's stubs want allow_pickle alone


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.9g}" if abs(value) < 1e8 else f"{value:.15g}"
