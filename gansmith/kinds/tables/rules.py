"""Rules that hold in every row of a table: found in the data, kept in every row that is generated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from gansmith.kinds.tables.cells import Cells
from gansmith.kinds.tables.column_types import in_digits, is_whole, number_of
from gansmith.kinds.tables.dates import date_format
from gansmith.kinds.tables.numeric import seconds_of

MINIMUM = 50
"""Rows below which no rule is inferred, as all would be chance."""
SUPPORT = 5
"""How many rows on average each value must have for a fixed combination to be more than chance."""
MAXIMUM = 1000
"""The most values of a column that decides another."""
TOLERANCE = 1e-9
MISSING = "\0missing"
"""The key of a missing cell: no word is."""
PROBED = 16
"""Rows on which sums and products are tried before they are tried on all."""
MOST_COLUMNS = {2: 150, 3: 40, 4: 20}
"""The most columns of numbers among which sums of so many are looked for."""
CHANCE = 1e-9
"""How likely a rule may be to hold among columns that have nothing to do with each other."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`column` follows from others: it is left out of what networks learn, and computed for generated rows."""

    form: str
    """decided: by the value of another column; sum, product: of others; at_least: not below another column (its excess is learned)."""
    column: str
    by: tuple[str, ...]
    table: dict[str, Any] = field(default_factory=dict)
    """Of a decided column: its value by the text of the deciding one."""

    def sentence(self) -> str:
        """The rule in words."""
        if self.form == "decided":
            return f"{self.column} is decided by {self.by[0]}"
        if self.form == "at_least":
            return f"{self.column} >= {self.by[0]}"
        return f"{self.column} = {(' + ' if self.form == 'sum' else ' * ').join(self.by)}"

    def value(self, by: Any) -> Any:
        """The value of a decided column where the deciding one has this value. Raises KeyError for one that was not learned."""
        key = text(by)
        return self.table[key if key in self.table else str(by)]  # files of version 0.1 wrote missing cells as words

    def knows(self, by: Any) -> bool:
        """Whether a decided column has a value where the deciding one has this value."""
        return text(by) in self.table or (by is None and str(by) in self.table)

    def violations(self, columns: Mapping[str, list[Any]]) -> np.ndarray:
        """Which rows break it; rows with missing cells do not."""
        own, others = columns[self.column], [columns[name] for name in self.by]
        if self.form == "decided":
            pairs = zip(others[0], own, strict=True)
            return np.array([self.knows(by) and text(self.value(by)) != text(stored(value)) for by, value in pairs])
        values, *parts = (_numbers(column) for column in (own, *others))
        right = np.prod(parts, axis=0) if self.form == "product" else np.sum(parts, axis=0)
        with np.errstate(invalid="ignore"):
            slack = TOLERANCE * np.maximum(1, np.abs(right)) + (_half_unit(values) if self.form == "product" else 0)
            return values < right - slack if self.form == "at_least" else np.abs(values - right) > slack

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return {"kind": facts.pop("form"), **facts}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Rule:
        return cls(form=facts["kind"], column=facts["column"], by=tuple(facts["by"]), table=facts["table"])


def infer(columns: Mapping[str, Cells], types: Mapping[str, str], kept: Mapping[str, Sequence[Any]] | None = None) -> list[Rule]:
    """The rules that no row breaks. A column follows from others at most once, and never from one that follows itself.

    `kept` are the values of columns that may be remembered, all where it is not given; a column decides others by those alone.
    """
    rows = len(next(iter(columns.values())))
    if rows < MINIMUM:
        return []
    rules: list[Rule] = []
    derived: set[str] = set()
    deciding: set[str] = set()

    def add(rule: Rule) -> None:
        chained = rule.form in ("sum", "product")  # may be computed of what is computed, where that does not lead back to it
        if rule.column in derived or (not chained and (rule.column in deciding or derived & set(rule.by))):
            return
        if chained and rule.column in _origins(rule.by, rules):
            return
        rules.append(rule)
        derived.add(rule.column)
        deciding.update(rule.by)

    for rule in [*_decided(columns, types, kept), *_computed(columns, types), *_inequalities(columns, types)]:
        add(rule)
    return _in_order(rules)


def _origins(names: Sequence[str], rules: Sequence[Rule]) -> set[str]:
    """All columns of which these are computed, and they themselves."""
    found, new = set(names), set(names)
    while new:
        new = {name for rule in rules if rule.column in new for name in rule.by} - found
        found |= new
    return found


def _in_order(rules: Sequence[Rule]) -> list[Rule]:
    """The rules in an order in which each follows those that compute what it needs."""
    left, ordered = list(rules), []
    while left:
        waiting = {rule.column for rule in left}
        ready = [rule for rule in left if not waiting & set(rule.by)]
        ordered += ready
        left = [rule for rule in left if rule not in ready]
    return ordered


def _decided(columns: Mapping[str, Cells], types: Mapping[str, str], kept: Mapping[str, Sequence[Any]] | None) -> list[Rule]:
    """Columns whose value is fixed by that of another with as many values or more, the finest first."""
    found = []
    of_steps = [name for name in columns if types[name] in ("categorical", "ordinal", "boolean", "datetime")]
    sizes = {name: len(np.unique(columns[name].codes)) for name in of_steps}
    for by, column in permutations(of_steps, 2):
        if not 1 < sizes[column] <= sizes[by] <= min(MAXIMUM, len(columns[by]) // SUPPORT):
            continue
        own, other = columns[column].codes.astype(np.int64), columns[by].codes.astype(np.int64)
        pairs = np.unique(other * (own.max() + 1) + own)
        if len(pairs) > sizes[by] or (sizes[column] == sizes[by] and _finer(columns, column, by)):
            continue
        if not _is_more_than_chance(own, other):
            continue
        table = {
            text(columns[by].levels[pair // (own.max() + 1)]): stored(columns[column].levels[pair % (own.max() + 1)])
            for pair in pairs
        }
        if kept is not None:
            known = set(map(text, kept[by]))
            table = {key: value for key, value in table.items() if key in known}
            if len(table) < len(known) or not table:
                continue
            reached = {pair % (own.max() + 1) for pair in pairs if text(columns[by].levels[pair // (own.max() + 1)]) in known}
            lost = {
                text(columns[column].levels[pair % (own.max() + 1)]) for pair in pairs if pair % (own.max() + 1) not in reached
            }
            if lost & set(map(text, kept[column])):  # rows of values that are not kept go to others: the column would lose these
                continue
        found.append(Rule(form="decided", column=column, by=(by,), table=table))
    return sorted(found, key=lambda rule: -sizes[rule.by[0]])


def _is_more_than_chance(own: np.ndarray, by: np.ndarray) -> bool:
    """Whether independent columns of these values would hardly have one value of the first for each of the second."""
    shares = np.unique(own, return_counts=True)[1] / len(own)
    groups, often = np.unique(np.unique(by, return_counts=True)[1], return_counts=True)
    agreeing = np.log((shares[None] ** groups[:, None]).sum(1).clip(1e-300))  # that all rows of a value agree
    return bool((agreeing * often).sum() < np.log(CHANCE))


def _finer(columns: Mapping[str, Cells], column: str, by: str) -> bool:
    """Of two columns that decide each other, the words stay and the numbers follow; else the first stays."""
    numeric = [all(level is None or number_of(level) is not None for level in columns[name].levels) for name in (column, by)]
    if numeric[0] != numeric[1]:
        return numeric[1]
    return list(columns).index(column) < list(columns).index(by)


def _computed(columns: Mapping[str, Cells], types: Mapping[str, str]) -> list[Rule]:
    """Numbers that are the sum of two to four others, or the product of two, rounded as they are written."""
    numbers = {name: as_numbers(columns[name]) for name in columns if types[name] in ("integer", "continuous", "ordinal")}
    names, rows = list(numbers), len(next(iter(columns.values())))
    if len(names) < 3:
        return []
    seen = np.random.default_rng(0).permutation(rows)[:PROBED]
    probes = np.stack([numbers[name][seen] for name in names])
    units = np.array([_half_unit(numbers[name]) for name in names])
    found = []
    for form, count in (("sum", 2), ("product", 2), ("sum", 3), ("sum", 4)):
        if len(names) > MOST_COLUMNS[count]:
            continue
        for by in combinations(range(len(names)), count):
            parts = probes[list(by)]
            right = parts.prod(0) if form == "product" else parts.sum(0)
            with np.errstate(invalid="ignore"):
                slack = TOLERANCE * np.maximum(1, np.abs(right)) + (units[:, None] if form == "product" else 0)
                off = np.abs(probes - right) > slack
            fitting = ~off.any(1) & (np.isfinite(probes) & np.isfinite(right)).any(1)
            fitting[list(by)] = False
            for place in np.flatnonzero(fitting).tolist():
                rule = Rule(form=form, column=names[place], by=tuple(names[each] for each in by))
                if _is_computed(rule, numbers, units[place]):
                    found.append(rule)
    return found


def _is_computed(rule: Rule, numbers: Mapping[str, np.ndarray], unit: float) -> bool:
    """Whether a sum or product holds in all rows, hardly by chance, and with each part."""
    values, parts = numbers[rule.column], np.stack([numbers[name] for name in rule.by])
    right = parts.prod(0) if rule.form == "product" else parts.sum(0)
    if any(np.nanmin(part) == np.nanmax(part) for part in parts):
        return False
    if rule.form == "product" and any(np.isin(part[np.isfinite(part)], (0, 1)).all() for part in parts):
        return False  # a mark of rows, no factor
    slack = _slack(values, right) + (unit if rule.form == "product" else 0)
    if not _holds(np.abs(values - right) <= slack, values, right):
        return False
    mixed = np.random.default_rng(0).permutation(values)
    return _holds_beyond_chance(np.abs(mixed - right) <= slack, mixed, right) and all(
        _holds_beyond_chance(np.abs(values - _without(parts, place, rule.form)) <= slack, values, right)
        for place in range(len(parts))
    )


def _without(parts: np.ndarray, place: int, form: str) -> np.ndarray:
    """What comes out where the rows of one part are mixed."""
    others = parts.copy()
    others[place] = np.random.default_rng(1).permutation(parts[place])
    return others.prod(0) if form == "product" else others.sum(0)


def combined(form: str, ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Between which numbers what a rule computes of these ranges lies."""
    if form == "product":
        corners = [math.prod(corner) for corner in product(*ranges)]
        return min(corners), max(corners)
    low, high = sum(low for low, _ in ranges), sum(high for _, high in ranges)
    return low, math.inf if form == "at_least" else high


def _half_unit(values: np.ndarray) -> float:
    """Half of the last decimal with which numbers are written; 0 where they have more than six."""
    known = values[np.isfinite(values)]
    return next((0.5 * 10.0**-k for k in range(7) if np.allclose(known, known.round(k), rtol=1e-12, atol=1e-9)), 0.0)


def _slack(values: np.ndarray, total: np.ndarray) -> np.ndarray:
    """How far a sum may be off: by TOLERANCE, but of large numbers that differ little by rounding or a share of their spread."""
    size = np.maximum(1, np.abs(total))
    known = values[np.isfinite(values)]
    spread = np.ptp(known) if len(known) else 0.0
    return np.minimum(TOLERANCE * size, np.maximum(4 * np.finfo(float).eps * size, 1e-3 * spread))


def _inequalities(columns: Mapping[str, Cells], types: Mapping[str, str]) -> list[Rule]:
    """Numbers or dates of overlapping range of which one is never below the other, but sometimes near."""
    found = []
    numbers = {
        name: as_numbers(cells)
        for name, cells in columns.items()
        if types[name] == "datetime" or (types[name] in ("integer", "continuous") and not in_digits(cells.levels))
    }
    for low, high in permutations(numbers, 2):
        if (types[low] == "datetime") != (types[high] == "datetime"):
            continue
        a, b = numbers[low], numbers[high]
        if not _holds(b >= a, a, b) or (a == b).mean() > 0.99:
            continue
        spread = np.nanmax(b) - np.nanmin(b)
        mixed = np.random.default_rng(0).permutation(b)
        if not _holds_beyond_chance(mixed >= a, a, mixed):
            continue
        if np.nanmax(a) > np.nanmin(b) + spread / 4 and np.nanmin(b - a) <= spread / 100:
            found.append(Rule(form="at_least", column=high, by=(low,)))
    return found


def _holds(true: np.ndarray, a: np.ndarray, b: np.ndarray) -> bool:
    """Whether something is true wherever both numbers are known, which must be in most rows."""
    known = np.isfinite(a) & np.isfinite(b)
    return known.mean() > 0.5 and bool(true[known].all()) and bool((known == np.isfinite(b)).all())


def _holds_beyond_chance(true: np.ndarray, a: np.ndarray, b: np.ndarray) -> bool:
    """Whether what holds in all rows, but only in these of columns whose rows were mixed, hardly holds in all of them by chance."""
    known = np.isfinite(a) & np.isfinite(b)
    share = (true[known].sum() + 1) / (known.sum() + 2)
    return bool(known.sum() * np.log(share) < np.log(CHANCE))


def as_numbers(cells: Cells) -> np.ndarray:
    """The numbers of a column, or seconds of dates; NaN for missing cells and words."""
    return _numbers(cells.levels)[cells.codes]


def _numbers(values: list[Any]) -> np.ndarray:
    numbers = np.array([np.nan if (number := number_of(value)) is None else number for value in values], np.float64)
    if form := in_digits(values):
        return np.array([np.nan if value is None else seconds_of(value, form) for value in values], np.float64)
    if len(values) and np.isnan(numbers).all():
        different = [value for value in dict.fromkeys(values) if value is not None]
        texts = [value for value in different if isinstance(value, str)]
        form = date_format(texts) if texts else ""
        if form is not None and all(isinstance(value, str | date) for value in different):
            seconds: dict[Any, float] = {value: seconds_of(value, form) for value in different}
            return np.array([seconds.get(value, np.nan) for value in values], np.float64)
    return numbers


def text(value: Any) -> str:
    """A value as the key of a table in JSON: numbers by their value, however written."""
    number = None if isinstance(value, bool) else number_of(value)
    if number is not None and abs(number) >= 2**53 and is_whole(value):
        return str(int(value))
    if number is not None:
        return repr(number)
    return MISSING if value is None else f"\0{value}" if isinstance(value, bool) else str(value)


def stored(value: Any) -> Any:
    """A value as JSON holds it: dates and decimals as text."""
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
