"""Series from NumPy arrays and files of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gansmith.data.readers.rows import array_names, load_or_map
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.windowed import passes
from gansmith.errors import UserError
from gansmith.kinds.series.files import LENGTH, SERIES
from gansmith.kinds.series.gaps import filled
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.series import Series
from gansmith.kinds.series.source import AsLearned, Sequences, typed

LARGEST = 1e38
"""Numbers beyond this do not fit into 32 bits."""
COPIED = 2**24
"""Arrays of at most so many bytes are copied; larger ones, in memory or mapped from their file, must not be changed while they are used."""
OTHER_KEYS = ("data", "x", "X", "arr_0")


def from_series_array(
    array: np.ndarray, name: str, where: str, wanted: Options, beside: Mapping[str, np.ndarray] | None = None
) -> Sequences:
    """[N, T, D], [T, D] or [T] numbers. `beside` may hold length [N], class [N], static_NAME [N] and columns [D].

    Raises UserError for other shapes and, without `fill`, missing values.
    """
    beside = beside or {}
    if array.ndim not in (1, 2, 3) or 0 in array.shape or array.dtype.kind not in "buif":
        raise UserError(
            f"{where} must hold numbers [N, T, D], or one series [T, D], not {array.dtype} {list(array.shape)}: reshape it."
        )
    is_kept = array.nbytes > COPIED and array.dtype.kind in "iuf" and not wanted.fill
    values = array if is_kept else array.astype(np.float64)
    values = values[None, :, None] if array.ndim == 1 else values[None] if array.ndim == 2 else values
    lengths = np.asarray(beside[LENGTH]).astype(int) if LENGTH in beside else np.full(len(values), values.shape[1])
    if len(lengths) != len(values) or lengths.min() < 1 or lengths.max() > values.shape[1]:
        raise UserError(f"{LENGTH} in {where} must hold {len(values)} numbers from 1 to {values.shape[1]}: correct it.")
    columns = [str(column) for column in beside.get("columns", [f"x{i}" for i in range(values.shape[2])])]
    if len(columns) != values.shape[2]:
        raise UserError(f"columns in {where} must hold {values.shape[2]} names, but there are {len(columns)}: correct them.")
    if isinstance(wanted, AsLearned) and "columns" not in beside and len(wanted.columns) == len(columns):
        columns = list(wanted.columns)
    for column in wanted.columns:
        if column not in columns:
            if isinstance(wanted, AsLearned):
                raise UserError(f"{where} has no column {column!r}, which the series that were learned have: add it.")
            raise UserError(f"--columns names {column!r}, which {where} does not have{did_you_mean(column, columns)}.")
    kept = list(wanted.columns) or columns
    statics = {
        key.removeprefix("static_"): np.asarray(beside[key]) for key in beside if key == "class" or key.startswith("static_")
    }
    for key, given in statics.items():
        if len(given) != len(values):
            raise UserError(f"{key} in {where} must hold a value for each of {len(values)} series, but it holds {len(given)}.")
    chosen, series = [columns.index(column) for column in kept], []
    values = _columns(values, chosen) if is_kept else values[:, :, chosen]
    for index, (one, length) in enumerate(zip(values, lengths, strict=True)):
        one = one[:length]
        _check(one, index, where, wanted)
        made = filled(one, wanted.fill, kept, f"series {index} of {where}") if wanted.fill else one
        series.append(Series(made, {key: given[index].item() for key, given in statics.items()}))
    together = values if is_kept and lengths.min() == values.shape[1] else None
    return Sequences(name=name, series=typed(series), columns=tuple(kept), together=together)


def _columns(values: np.ndarray, chosen: list[int]) -> np.ndarray:
    """These columns of an array [N, T, D], without a copy where they are equally spaced."""
    step = chosen[1] - chosen[0] if len(chosen) > 1 else 1
    if step > 0 and chosen == list(range(chosen[0], chosen[-1] + 1, step)):
        return values[:, :, chosen[0] : chosen[-1] + 1 : step]
    return values[:, :, chosen]


def _check(one: np.ndarray, index: int, where: str, wanted: Options) -> None:
    """Raises UserError for numbers that no series may have."""
    seen = 0
    for part in passes(one):
        sizes = np.abs(part.astype(np.float64))
        bad = ~(sizes <= LARGEST)
        if (bad & ~np.isnan(sizes)).any() or (bad.any() and not wanted.fill):
            step = seen + int(np.flatnonzero(bad.any(1))[0])
            raise UserError(
                f"{where} has a missing, infinite or far too large value in series {index} at step {step}: correct it, or fill missing "
                "ones in with --fill linear."
            )
        seen += len(part)


def from_series_npz(path: Path, wanted: Options) -> Sequences:
    """An .npz with `series`, or with a single array of numbers; see `from_series_array` for what may lie beside it."""
    arrays = {key: load_or_map(path, key, COPIED) for key in array_names(path)}
    key = SERIES if SERIES in arrays else next((name for name in OTHER_KEYS if name in arrays), None)
    if key is None and len(arrays) == 1:
        key = next(iter(arrays))
    if key is None:
        raise UserError(f"{path.name} has the arrays {listed(list(arrays))}: name the series {SERIES}.")
    beside = {name: array for name, array in arrays.items() if name != key}
    return from_series_array(arrays[key], path.stem, f'"{key}" in {path.name}', wanted, beside)
