"""Tables as numbers for metrics: every column a number or a category, as it would be saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key
from gansmith.kinds.tables.cells import key
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.columns import UNLEARNED, Column

_MOST_HELD = 8
_held: dict[str, "View"] = {}


@dataclass(frozen=True, eq=False)
class View:
    """The columns of a table that vary, side by side."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "rows columns"]
    """Numbers, NaN where missing; of categories their place in the column's choices, a missing cell having one too."""
    categorical: Bool[np.ndarray, " columns"]
    missing: tuple[int, ...] = ()
    """The place of a category's missing cell, -1 where it has none; empty for a table without any."""

    def take(self, rows: np.ndarray) -> "View":
        return View(self.names, self.values[rows], self.categorical, self.missing)


def view(data: Dataset) -> View:
    """The table of a data set, held for a while as several metrics ask for it."""
    content = content_key(data)
    if content not in _held:
        while len(_held) >= _MOST_HELD:
            _held.pop(next(iter(_held)))
        _held[content] = _seen(data)
    return _held[content]


def _seen(data: Dataset) -> View:
    codec = cast("TableCodec", data.codec)
    return view_of(codec.table(data.packed(slice(None))), codec.columns)


def view_of(columns: Mapping[str, Sequence[Any]], known: Sequence[Column]) -> View:
    """The table in these columns, whose types `known` holds. Categories that are not known have one place in common."""
    kept = [column for column in known if column.name in columns and column.column_type not in UNLEARNED]
    numbers = []
    for column in kept:
        if column.is_numeric:
            keys = {key(cell): column.key_of(cell) for cell in set(columns[column.name])}
            found = {cell: number if isinstance(number, float) else np.nan for cell, number in keys.items()}
        else:
            places = {key(column.spelled(choice)): place for place, choice in enumerate(column.choices)}
            found = {cell: float(places.get(cell, len(places))) for cell in map(key, columns[column.name])}
        numbers.append(np.array([found[key(cell)] for cell in columns[column.name]], np.float64))
    categorical = np.array([not column.is_numeric for column in kept])
    gaps = [not column.is_numeric and None in column.choices for column in kept]
    missing = tuple(column.choices.index(None) if gap else -1 for column, gap in zip(kept, gaps, strict=True))
    return View(tuple(column.name for column in kept), np.stack(numbers, 1), categorical, missing)


def target_of(data: Dataset) -> int:
    """The target column of a view: the named one, or the last, where tables usually have it."""
    names, named = view(data).names, getattr(data.codec, "target", "")
    return names.index(named) if named in names else len(names) - 1
