"""Columns that follow from others by a rule: their values in generated rows, and what is learned in their stead."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from jaxtyping import Float

from gansmith.kinds.tables.cells import Cells, cells_of
from gansmith.kinds.tables.column_types import is_whole, number_of
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.rules import Rule, as_numbers


def followed(rule: Rule, found: Mapping[str, list[Any]], columns: Mapping[str, Column]) -> list[Any]:
    """The values of a column that follows from others."""
    column = columns[rule.column]
    if rule.form == "decided":
        values = [rule.value(value) for value in found[rule.by[0]]]
        if column.column_type == "datetime" and column.dtype != "text":
            return [None if value is None else column.spelled(column.key_of(value)) for value in values]
        return [Decimal(value) if isinstance(value, str) else value for value in values] if column.dtype == "decimal" else values
    if column.column_type == "datetime":
        by, excess = columns[rule.by[0]], found[f"{rule.column} excess"]
        pairs = zip(found[by.name], excess, strict=True)
        return [None if None in pair else column.spelled(float(by.key_of(pair[0]) + pair[1])) for pair in pairs]
    if rule.form == "product":
        factors = ([number_of(cell) for cell in cells] for cells in zip(*(found[name] for name in rule.by), strict=True))
        made = (
            math.prod(number for number in numbers if number is not None) if None not in numbers else None for numbers in factors
        )
        return [None if total is None else column.spelled(float(total) - column.origin) for total in made]
    terms = [found[name] for name in rule.by] + ([found[f"{rule.column} excess"]] if rule.form == "at_least" else [])
    whole = column.decimals is None  # whole numbers are added exactly, however large
    sums = ([_term(cell, whole) for cell in cells] for cells in zip(*terms, strict=True))
    totals = (sum(number for number in numbers if number is not None) if None not in numbers else None for numbers in sums)
    return [None if total is None else column.spelled(float(total - column.origin)) for total in totals]


def cells_above(columns: Mapping[str, Cells], rule: Rule) -> Cells:
    """How far the column of a rule lies above the other one."""
    return cells_of(excess_of(columns, rule).tolist(), "float64")


def excess_of(columns: Mapping[str, Cells | np.ndarray], rule: Rule) -> Float[np.ndarray, " rows"]:
    """How far the column of a rule lies above the other one, NaN where either is missing."""
    pair = columns[rule.by[0]], columns[rule.column]
    low, high = (as_numbers(cells) if isinstance(cells, Cells) else cells for cells in pair)
    return np.maximum(high - low, 0)


def _term(cell: Any, whole: bool) -> float | None:
    number = number_of(cell)
    return number if number is None or not whole else int(cell) if is_whole(cell) else round(number)
