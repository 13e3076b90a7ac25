"""Series of a source: which reader reads what."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith.data.readers.rows import array_names, open_npy
from gansmith.data.readers.tensors import array_of
from gansmith.data.source import Source, is_frame
from gansmith.errors import UserError
from gansmith.kinds.series.arrays import from_series_array, from_series_npz
from gansmith.kinds.series.files import SERIES
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.sheets import sheet_from_csv, sheet_from_table
from gansmith.kinds.series.source import Sequences, from_series_folder, from_series_sheet
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.files import table_from_parquet
from gansmith.kinds.tables.frames import table_from_frame


def sequences_of(source: Source, options: Options) -> Sequences:
    """The series of a source. Raises UserError where it holds none."""
    data, path = source.given, source.path
    if is_frame(data):
        return from_series_sheet(sheet_from_table(_with_index(data), "the data frame"), options)
    if isinstance(data, torch.Tensor | np.ndarray):
        array = array_of(data, "the data") if isinstance(data, torch.Tensor) else data
        return from_series_array(array, "series", "the array", options)
    if path is None:
        raise UserError(f"there are no series in {data}: give a csv, Parquet, npz or npy file, or an array [N, T, D].")
    if source.is_folder:
        own = sorted(path.glob("series*.npz"))
        return from_series_npz(own[-1], options) if own else from_series_folder(path, options)
    if source.suffix in (".csv", ".csv.gz"):
        return from_series_sheet(sheet_from_csv(path), options)
    if source.suffix == ".npz":
        return from_series_npz(path, options)
    if source.suffix == ".npy":
        return from_series_array(open_npy(path), path.stem, path.name, options)
    if source.suffix == ".parquet":
        return from_series_sheet(sheet_from_table(table_from_parquet([path], path.stem), str(path)), options)
    raise UserError(f"{path} is no file of series: give a csv, Parquet, npz or npy file.")


def has_series(path: Path) -> bool:
    """Whether an .npz file holds an array named series."""
    with contextlib.suppress(UserError):
        return SERIES in array_names(path)
    return False


def _with_index(frame: Any) -> Table:
    """A data frame as a table; the dates that are the index of a pandas one become its first column."""
    if type(getattr(frame, "index", None)).__name__ == "DatetimeIndex":
        frame = frame.reset_index(names=frame.index.name or "time")
    return table_from_frame(frame)
