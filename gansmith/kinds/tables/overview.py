"""What a report shows of tables: every column of the sides over each other, and how pairs of columns depend on each other."""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from gansmith.evaluation.distributions import spread
from gansmith.evaluation.sides import Side
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.metrics.table_shapes import Against, cramers_v
from gansmith.kinds.tables.views import View, view

MAXIMUM = 60
"""Columns that are shown; of more, those whose shapes are worst."""
YEAR = 365.2425 * 86400


@dataclass(frozen=True, kw_only=True)
class ColumnPortrait:
    """One column on every side."""

    name: str
    shape: float | None
    """Its column shape, 1 being equal; None where a side has no number."""
    spread: dict[str, Any] | None
    """Numeric columns only; see `spreads.Spread`."""
    classes: dict[str, Any] | None
    """Categorical columns only: names and shares by side."""
    missing: dict[str, float]
    """The share of missing cells by side; empty if there are none."""


@dataclass(frozen=True, kw_only=True)
class TablePortrait:
    """Columns, those whose shapes are worst first, and how much each pair depends on each other, in the order of the table."""

    columns: list[ColumnPortrait]
    names: list[str]
    real: list[list[float]]
    """The correlation of two numbers, Cramer's V of any other pair."""
    generated: list[list[float]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def table_portrait(side: Side) -> TablePortrait:
    """Of generated rows beside training and held-out ones."""
    real = side.real
    views = {"training": view(real.train), "held-out": view(real.held_out), "generated": view(side.data)}
    against = Against(views["training"], views["generated"])
    shapes = against.shapes(np.arange(len(views["generated"].values)))
    by_name = cast("TableCodec", real.train.codec).by_name
    names = views["training"].names
    worst = sorted(range(len(names)), key=lambda i: np.nan_to_num(shapes[names[i]], nan=-1.0))[:MAXIMUM]
    shown = sorted(worst)
    return TablePortrait(
        columns=[_column(by_name[names[i]], i, views, shapes[names[i]]) for i in worst],
        names=[names[i] for i in shown],
        real=associations(views["training"], against.binned[0], shown),
        generated=associations(views["generated"], against.binned[1], shown),
    )


def associations(table: View, binned: np.ndarray, columns: list[int]) -> list[list[float]]:
    """For every pair of columns their correlation, or Cramer's V if one is a category (numbers in ten bins); 1 on the diagonal."""
    found = np.eye(len(columns))
    for (a, i), (b, j) in combinations(enumerate(columns), 2):
        if table.categorical[i] or table.categorical[j]:
            strength = cramers_v(binned[:, i], binned[:, j])
        else:
            strength = _correlation(table.values[:, [i, j]])
        found[a, b] = found[b, a] = strength
    return found.round(4).tolist()


def _correlation(pairs: Float[np.ndarray, "rows 2"]) -> float:
    known = pairs[~np.isnan(pairs).any(1)]
    if len(known) < 2 or (known == known[0]).all(0).any():
        return 0.0
    return float(np.corrcoef(known.T)[0, 1])


def _column(column: Column, place: int, views: dict[str, View], shape: float) -> ColumnPortrait:
    cells = {side: each.values[:, place] for side, each in views.items()}
    about: dict[str, Any] = {"name": column.name, "shape": None if np.isnan(shape) else float(shape)}
    if not column.is_numeric:
        size = 1 + int(max(each.max() for each in cells.values()))
        names = ["missing" if choice is None else str(choice) for choice in column.choices]
        names += ["not in the data"] * (size - len(names))
        shares = {
            side: (np.bincount(each.astype(int), minlength=len(names)) / len(each)).tolist() for side, each in cells.items()
        }
        return ColumnPortrait(**about, spread=None, classes={"names": names, "shares": shares}, missing={})
    gaps = {side: float(np.isnan(each).mean()) for side, each in cells.items()}
    known = {side: each[~np.isnan(each)] for side, each in cells.items()}
    missing = gaps if any(gaps.values()) else {}
    if not all(map(len, known.values())):
        return ColumnPortrait(**about, spread=None, classes=None, missing=missing)
    name = column.name
    if column.column_type == "datetime":
        name, known = f"{name} (year)", {side: 1970 + each / YEAR for side, each in known.items()}
    return ColumnPortrait(**about, spread=asdict(spread(name, known)), classes=None, missing=missing)
