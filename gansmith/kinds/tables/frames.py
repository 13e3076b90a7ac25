"""Data frames of any library (pandas, polars, pyarrow, ...) as tables, and back, through narwhals."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from gansmith.data.readers.text import check_names
from gansmith.errors import UserError, missing_extra
from gansmith.kinds.tables.cells import Table, cells_of, plain
from gansmith.kinds.tables.column_types import is_category, number_of
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.dates import ZONED, as_read, has_year


def table_from_frame(frame: Any, name: str = "data") -> Table:
    """The table in a data frame; the names of columns become text."""
    narwhals = _narwhals()
    frame = named_by_text(frame)
    whole = narwhals.from_native(frame, eager_only=True)
    if not len(whole):
        raise UserError("the data frame has no rows: give at least one.")
    native: Any = getattr(frame, "dtypes", None)
    columns = {}
    for place, column in enumerate(whole.columns):
        dtype = str(native.iloc[place]) if hasattr(native, "iloc") else str(whole.schema[column])
        cells = [plain(value, column, "the data frame") for value in whole[column].to_list()]
        if any(isinstance(cell, Decimal) for cell in cells):
            dtype = "decimal" if all(cell is None or isinstance(cell, Decimal) for cell in cells) else dtype
        columns[column] = cells_of(cells, dtype)
    return Table(name=name, columns=columns)


def names_in(frame: Any) -> list[Any]:
    """The names of the columns of a data frame of any library; none of what is none."""
    return list(getattr(frame, "column_names", frame.columns if hasattr(frame, "columns") else ()))


def named_by_text(frame: Any) -> Any:
    """The data frame with names of columns that are text. Raises UserError for none, for empty ones and for two of one name."""
    names = [str(name) for name in names_in(frame)]
    if not names:
        raise UserError("the data frame has no columns: give at least one.")
    check_names(names, "the data frame")
    return frame.set_axis(names, axis=1) if type(frame).__module__.split(".")[0] == "pandas" else frame


def frame_from_columns(columns: dict[str, list[Any]], like: Any, dtypes: dict[str, str]) -> Any:
    """A data frame of the library of `like`, with the dtypes that its columns had."""
    narwhals = _narwhals()
    original = narwhals.from_native(like, eager_only=True)
    if type(like).__module__.split(".")[0] == "pandas":
        import pandas

        names, like = dict(zip(map(str, like.columns), like.columns, strict=True)), named_by_text(like)
        made = pandas.DataFrame({name: pandas.Series(values, dtype=object) for name, values in columns.items()})
        for name, dtype in dtypes.items():
            if dtype == "text":  # what came as text in a column of any type
                dtype = str(like[name].dtype)
            if is_category(dtype):
                known = set(like[name].dtype.categories)
                if all(cell is None or cell in known for cell in columns[name]):
                    made[name] = pandas.Categorical(made[name], dtype=like[name].dtype)
            elif dtype == "decimal":
                continue
            elif dtype.startswith("timedelta"):
                made[name] = pandas.Series(pandas.to_timedelta(columns[name], unit="s")).astype(dtype)
            elif dtype.startswith("datetime") and "," in dtype:  # of a time zone: what comes is in UTC
                made[name] = pandas.to_datetime(made[name], utc=True).astype(dtype)
            else:
                with suppress(OverflowError):  # sums of columns may leave 64 bits: they stay Python's whole numbers
                    made[name] = made[name].astype(dtype)
        return made.rename(columns=names)
    schema = {name: original.schema[name] for name in columns}
    lasting = {name for name, kind in schema.items() if kind == narwhals.Duration}
    columns = {name: [_lasting(cell) for cell in cells] if name in lasting else cells for name, cells in columns.items()}
    made = narwhals.from_dict(columns, schema=schema, backend=original.implementation)
    return made.to_native()


def with_column(frame: Any, name: str, values: Any) -> Any:
    """The data frame with one more column."""
    narwhals = _narwhals()
    whole = narwhals.from_native(frame, eager_only=True)
    column = narwhals.new_series(name, list(values), backend=whole.implementation).to_native()
    if hasattr(column, "index") and hasattr(frame, "index"):
        column.index = frame.index
    return whole.with_columns(narwhals.from_native(column, series_only=True).alias(name)).to_native()


def grown(frame: Any, y: Any, parts: Sequence[Any], name: str) -> tuple[Any, Any]:
    """(frame, y) of another library than pandas with rows added: `parts` are frames of that library that hold y as a column of this name.

    y comes back as what it was, a column of that library or an array.
    """
    import numpy

    if not parts:
        return frame, y
    narwhals = _narwhals()
    wholes = [narwhals.from_native(part, eager_only=True) for part in (frame, *parts)]
    rows = narwhals.concat([whole.select(*wholes[0].columns) for whole in wholes]).to_native()
    if type(wholes[1][name].to_native()) is not type(y):
        return rows, numpy.concatenate([numpy.asarray(y), *(whole[name].to_numpy() for whole in wholes[1:])])
    own = narwhals.from_native(y, series_only=True)
    answers = [own.alias(name).to_frame(), *(whole.select(name) for whole in wholes[1:])]
    return rows, narwhals.concat(answers)[name].alias(own.name).to_native()


def pandas_from_columns(columns: dict[str, list[Any]], known: Sequence[Column]) -> Any:
    """A pandas data frame of columns that came from a file: numbers as numbers, dates as dates, the rest as text."""
    try:
        import pandas
    except ImportError as error:
        raise missing_extra("pandas", "frames", "a data frame of what came from a file") from error
    made = {}
    for column in known:
        if column.name not in columns:
            continue
        cells = columns[column.name]
        zone = re.search(r"tz=([^\]]+)", column.dtype)
        if column.column_type == "datetime" and (zone or column.spelling == ZONED):
            moments = pandas.to_datetime(pandas.Series(cells), utc=True)
            made[column.name] = moments.dt.tz_convert(zone[1]) if zone else moments
        elif column.column_type == "datetime" and column.dtype == "text" and not has_year(column.spelling):
            made[column.name] = pandas.Series(cells, dtype=object)  # times of day
        elif column.column_type == "datetime" and column.dtype == "text":
            made[column.name] = pandas.to_datetime(pandas.Series(cells), format=as_read(column.spelling))
        elif column.is_numeric and all(cell is None or number_of(cell) is not None for cell in cells):
            made[column.name] = pandas.to_numeric(pandas.Series(cells))
        else:
            made[column.name] = pandas.Series(cells, dtype=object)
    return pandas.DataFrame(made)


def _lasting(cell: Any) -> Any:
    return None if cell is None else timedelta(seconds=float(cell))


def _narwhals() -> Any:
    try:
        import narwhals
    except ImportError as error:
        raise missing_extra("narwhals", "frames", "reading data frames") from error
    return narwhals
