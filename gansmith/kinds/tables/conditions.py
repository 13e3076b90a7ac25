"""What is asked of generated rows: `income` to be `>50K`, `age` to be `>60`."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import key
from gansmith.kinds.tables.columns import MADE_UP, Column
from gansmith.kinds.tables.rules import TOLERANCE, Rule, combined

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


def check_together(
    conditions: Sequence[Condition], said: Mapping[str, str], rules: Sequence[Rule], columns: Mapping[str, Column]
) -> None:
    """Raises UserError for conditions that no row can meet together: on one column, or through a rule between columns.

    `conditions` are on the columns that decide (see `TableCodec._decided`), `said` are the conditions as they were given.
    """
    told = " and ".join(f"{name} {value}" if value[:1] in "<>=!" else f"{name} = {value}" for name, value in said.items())
    of_column: dict[str, list[Condition]] = {}
    for condition in conditions:
        of_column.setdefault(condition.column.name, []).append(condition)
    for name, several in of_column.items():
        options, low, high = common_box(several)
        if not options.any() and (not several[0].column.values or low > high):
            others = [rule.sentence() for rule in rules if name in rule.by and rule.form == "decided" and rule.column in said]
            why = f", since {others[0]}" if others else ""
            raise UserError(f"no row can have {told}{why}: leave one of the conditions out.")
    for rule in rules:
        names = (rule.column, *rule.by)
        if rule.form == "decided" or sum(name in of_column for name in names) < 2:
            continue
        (least, most), *others = (_reach(columns[name], of_column.get(name, ())) for name in names)
        low, high = combined(rule.form, others)
        if most < low - TOLERANCE * max(1, abs(low)) or (
            rule.form != "at_least" and least > high + TOLERANCE * max(1, abs(high))
        ):
            raise UserError(f"no row can have {told}, since {rule.sentence()}: leave one of the conditions out.")


def bounds(
    width: int, places: Sequence[tuple[int, Sequence[Condition]]]
) -> tuple[Float[np.ndarray, " width"], Float[np.ndarray, " width"]]:
    """Between which numbers the entries of a row lie that meets conditions; each goes with the start of its column in the row."""
    low, high = np.full(width, -np.inf, np.float32), np.full(width, np.inf, np.float32)
    for start, together in places:
        column = together[0].column
        options, lowest, highest = common_box(together)
        if len(column.sizes) == 2 and not column.values:
            place = np.flatnonzero(options)
            for size, used in zip(column.sizes, (place // column.sizes[1], place % column.sizes[1]), strict=True):
                high[start : start + size] = 0.0
                high[start + np.unique(used)] = 1.0
                start += size
            continue
        groups = len(options) + bool(column.values)
        if groups > 1:
            high[start : start + groups] = [*options.tolist(), *([lowest <= highest] if column.values else [])]
            start += groups
        if column.values and lowest <= highest:
            low[start], high[start] = lowest, highest
    return low, high


def common_box(conditions: Sequence[Condition]) -> tuple[np.ndarray, float, float]:
    """Where all of these conditions on one column hold: see `Condition.box`."""
    boxes = [condition.box() for condition in conditions]
    return np.logical_and.reduce([box[0] for box in boxes]), max(box[1] for box in boxes), min(box[2] for box in boxes)


def excesses(
    conditions: Sequence[Condition], rules: Sequence[Rule], columns: Mapping[str, Column], learned: Sequence[Column]
) -> list[Condition]:
    """What conditions on a column that is at least another one, and on that one, say of how far it lies above it."""
    found = []
    for rule in rules:
        own = [condition for condition in conditions if condition.column.name == rule.column]
        excess = next((column for column in learned if column.name == rule.column), None)
        if rule.form != "at_least" or not own or excess is None:
            continue
        by = [condition for condition in conditions if condition.column.name == rule.by[0]]
        (least, most), (low, high) = _reach(columns[rule.column], own), _reach(columns[rule.by[0]], by)
        condition = Condition(excess, None, ((">=", max(0.0, least - high)), ("<=", most - low)))
        options, lowest, highest = condition.box()
        if options.any() or (excess.values and lowest <= highest):
            found.append(condition)
    return found


def share_of(condition: Condition) -> float:
    """How many of the training rows meet a condition, told from what the column keeps."""
    column, (options, low, high) = condition.column, condition.box()
    counts = np.array(column.counts, float)
    allowed = counts[: len(options)][options].sum()
    if column.values and low <= high:
        allowed += counts[-1] * float(ndtr(high) - ndtr(low))
    return float(allowed / max(counts.sum(), 1))


def _reach(column: Column, conditions: Sequence[Condition]) -> tuple[float, float]:
    """Between which numbers (or seconds) a column lies where these conditions hold."""
    numbers = [*column.values, *(choice for choice in column.choices if isinstance(choice, float))]
    low, high = (min(numbers), max(numbers)) if numbers else (-np.inf, np.inf)
    for condition in conditions:
        if condition.words is not None:
            named = [word for word in condition.words if isinstance(word, float)]
            low, high = (max(low, min(named)), min(high, max(named))) if named else (low, high)
        for sign, number in condition.tests:
            low = max(low, number) if sign in (">", ">=", "=") else low
            high = min(high, number) if sign in ("<", "<=", "=") else high
    return low + column.origin, high + column.origin


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
