"""What is asked of generated rows: `income` to be `>50K`, `age` to be `>60`."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import key
from gansmith.kinds.tables.columns import MADE_UP, Column

_TESTS = {">=": operator.ge, "<=": operator.le, "!=": operator.ne, ">": operator.gt, "<": operator.lt, "=": operator.eq}
_TEST = re.compile(r"(>=|<=|!=|==|>|<|=)?\s*(.+)", re.DOTALL)


@dataclass(frozen=True)
class Condition:
    """A column and what its values must pass."""

    column: Column
    words: frozenset[Any] | None
    """Categories and missing cells, one of which it must be; None for a comparison."""
    tests: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, column: Column, text: str) -> Condition:
        """A category (several with |), "missing", a number, or comparisons such as ">60" or ">=20&<30".

        Raises UserError for a category that the data do not hold, and for a comparison with something other than a number.
        """
        if column.column_type in (*MADE_UP, "text"):
            raise UserError(
                f'"{column.name}" is {column.column_type}, which is made up or left out, so it cannot be a condition.'
            )
        spelled = {_text(column, choice): choice for choice in column.choices}
        asked = [text] if text in spelled else text.split("|")
        if all(part in spelled for part in asked):
            return cls(column, frozenset(key(spelled[part]) for part in asked))
        if not column.is_numeric:
            unknown = next(part for part in asked if part not in spelled)
            raise UserError(
                f'"{column.name}" never is {unknown!r} in the data{did_you_mean(unknown, list(spelled))}: it is {listed(list(spelled))}.'
            )
        tests = []
        for part in text.split("&"):
            match = _TEST.fullmatch(part.strip())
            if match is None:
                raise UserError(f'"{column.name}" takes a value or comparisons such as ">60", but {text!r} came.')
            sign = (match[1] or "=").replace("==", "=")
            tests.append((sign, column.number(match[2].strip())))
        condition = cls(column, None, tuple(tests))
        options, low, high = condition.box()
        if not options.any() and (not column.values or low > high):
            raise UserError(f'"{column.name}" never is {text} in the data: it is between {_range(column)}.')
        return condition

    def allows(self, value: Any) -> bool:
        """Whether a value (as the column spells it) meets the condition; a missing cell passes no comparison."""
        own = self.column.key_of(value)
        if self.words is not None:
            return key(own) in self.words
        return isinstance(own, float) and all(_TESTS[sign](own, number) for sign, number in self.tests)

    def box(self) -> tuple[np.ndarray, float, float]:
        """Which choices are allowed, and between which normal scores the numbers must lie (crossed where none may)."""
        column = self.column
        options = np.array([self._allows_choice(choice) for choice in column.choices], bool)
        if not column.values or self.words is not None:
            return options, np.inf, -np.inf
        values, shares = np.array(column.values), np.array(column.shares)
        if len(shares) <= len(values):
            return options, *self._between(values, shares)
        allowed = np.ones(len(values), bool)
        for sign, number in self.tests:
            allowed &= _TESTS[sign](values, number)
        places = np.flatnonzero(allowed)
        if not len(places):
            return options, np.inf, -np.inf
        return options, float(ndtri(shares[places[0]])), float(ndtri(shares[places[-1] + 1]))

    def _between(self, values: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
        """The normal scores between which numbers pass, where those between two knots occur too."""
        half = 0.5 * 10.0 ** -(self.column.decimals or 0)
        if self.column.column_type == "datetime":
            half = self.column.start / 2
        low, high = values[0], values[-1]
        for sign, number in self.tests:
            if sign in (">", ">=", "="):
                low = max(low, number + (half if sign == ">" else -half))
            if sign in ("<", "<=", "="):
                high = min(high, number - (half if sign == "<" else -half))
        if low > high or (self.tests and not values[0] <= max(low, values[0]) <= values[-1]):
            return np.inf, -np.inf
        first, last = np.searchsorted(values, low, "left"), np.searchsorted(values, high, "right")
        ranks = np.interp([low, high], values, shares)
        lowest = shares[first] if first < len(values) and values[first] == low else ranks[0]
        highest = shares[last - 1] if last and values[last - 1] == high else ranks[1]
        return float(ndtri(lowest)), float(ndtri(highest))

    def _allows_choice(self, choice: Any) -> bool:
        if self.words is not None:
            return key(choice) in self.words
        return isinstance(choice, float) and all(_TESTS[sign](choice, number) for sign, number in self.tests)


def parse_conditions(columns: Mapping[str, Column], conditions: Mapping[str, Any]) -> list[Condition]:
    """The conditions, from texts by the names of columns. Raises UserError for a column that there is not."""
    for name in conditions:
        if name not in columns:
            raise UserError(
                f'there is no column "{name}"{did_you_mean(name, list(columns))}: the columns are {listed(list(columns), 40)}.'
            )
    return [Condition.parse(columns[name], str(value)) for name, value in conditions.items()]


def askable(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """What may be asked of each column that can be a condition, for a form (see `data.codec.Askable`)."""
    found: list[dict[str, Any]] = []
    for column in columns:
        if column.column_type in (*MADE_UP, "text", "constant"):
            continue
        numbers = [*column.values, *(choice for choice in column.choices if isinstance(choice, float))]
        if column.is_numeric and numbers:
            low, high = (column.spelled(edge(numbers)) for edge in (min, max))
            found.append({"name": column.name, "low": _plain(low), "high": _plain(high), "compares": True})
        else:
            found.append({"name": column.name, "choices": [_text(column, choice) for choice in column.choices]})
    return found


def _plain(value: Any) -> Any:
    """A number where it is spelled as one, else a text, as dates are."""
    try:
        return float(value) if not isinstance(value, int) else value
    except (TypeError, ValueError):
        return str(value)


def _text(column: Column, choice: Any) -> str:
    return "missing" if choice is None else str(column.spelled(choice))


def _range(column: Column) -> str:
    numbers = [*column.values, *(choice for choice in column.choices if isinstance(choice, float))]
    return f"{column.spelled(min(numbers))} and {column.spelled(max(numbers))}"
