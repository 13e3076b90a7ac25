"""One column of a table: what was learned of it, and its way into numbers and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Cells, key, value_of
from gansmith.kinds.tables.column_types import is_whole, number_of, spelled_whole, type_of
from gansmith.kinds.tables.dates import ZONED, has_year, spelled_date
from gansmith.kinds.tables.forms import WIDEST, Form, bounds_of, form_of
from gansmith.kinds.tables.knots import KNOTS
from gansmith.kinds.tables.notation import Notation
from gansmith.kinds.tables.numeric import EPOCH, EXACT, exact, numeric_facts, seconds_of
from gansmith.kinds.tables.personal import recognise

OPTIONS = 64
"""The most options that a row holds side by side; a column of more is written in two digits."""
MADE_UP = ("identifier", "personal")
"""Types of columns of which nothing is kept but the form."""
UNLEARNED = (*MADE_UP, "constant", "text")
"""Types of columns that a row has no place for."""
_EDGE = 1e-5
"""How near to 0 and 1 the ranks go that normal scores are taken of."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as choices (categories, missing cells, frequent numbers) and, for all other cells, a number.

    A number is represented by the normal score of its rank, so that heavy tails and gaps cost nothing; equal numbers share the
    ranks among them at random, and come back exactly.
    """

    name: str
    column_type: str
    """See `column_types.COLUMN_TYPES`."""
    dtype: str
    """What a data frame called its type, "text" from files of text."""
    choices: tuple[Any, ...] = ()
    """Texts or numbers, None for a missing cell; the most frequent first."""
    counts: tuple[int, ...] = ()
    """How many rows chose each, and how many had another number."""
    values: tuple[float, ...] = ()
    """Numbers in ascending order."""
    shares: tuple[float, ...] = ()
    """The share of the other numbers up to each value; one more than values where each value is a step of its own."""
    decimals: int | None = None
    """Digits after the point, None for whole numbers."""
    spelling: str = ""
    """The format of dates; for numbers in text, their digits after the point if all have the same number, see `_decimal_text`."""
    start: int = 0
    """Of dates the seconds from one to the next."""
    origin: int = 0
    """What is taken off whole numbers that are too large to be exact as floating point numbers."""
    min_count: int = 1
    """What fewer rows have is not kept."""
    redrawn: int = 0
    """Rows of categories that are not kept."""
    what: str = ""
    """What personal values were recognised as, in the plural."""
    form: Form | None = None
    """Of identifiers and personal values, how new ones look."""
    notation: Notation | None = None
    """How numbers are written in text, if not as Python writes them."""

    def __post_init__(self) -> None:
        """Raises UserError for numbers with more decimals than any text has, which would fill memory."""
        for decimals in (self.decimals, int(digits[:9]) if (digits := str(self.spelling).lstrip("eE")).isdecimal() else None):
            if isinstance(decimals, int) and decimals > WIDEST:
                raise UserError(f"columns can have up to {WIDEST:,} decimals, but {self.name[:60]} has {decimals:.9g}.")

    @classmethod
    def fit(
        cls, name: str, cells: Cells, column_type: str | None = None, min_count: int = 1, notation: Notation | None = None
    ) -> Column:
        """Learns a column, of the type it has or of the one requested, and keeps no category or number of fewer rows than `min_count`.

        Raises UserError where the cells cannot be of that type, and where no category has so many rows.
        """
        found = column_type or type_of(name, cells, min_count)
        counts = cells.counts()
        tally = {key(level): int(count) for level, count in zip(cells.levels, counts, strict=True) if count}
        known = {value_of(each): count for each, count in tally.items()}
        spelled = found != "categorical" and all(isinstance(level, str) for level in known if level is not None)
        dtype = "text" if spelled and found not in ("boolean", "constant") else cells.dtype
        about: dict[str, Any] = {"name": name, "column_type": found, "dtype": dtype, "min_count": min_count, "notation": notation}
        if found == "constant":
            value = next((level for level in known if level is not None), None)
            return cls(**about, choices=(_plain(value),), counts=(len(cells), 0))
        if found in MADE_UP:
            return cls(**about, **_made_up(name, found, known, cells.dtype, min_count))
        if found == "text":
            return cls(**about)
        if found in ("categorical", "boolean"):
            if any(isinstance(level, date) for level in known):
                raise UserError(f'"{name}" holds dates and other cells: make text of all, or leave the column out.')
            if any(isinstance(level, Decimal) for level in known) and dtype != "decimal":
                raise UserError(f'"{name}" holds decimals and other cells: make text or numbers of all.')
            tally = {_choice(level): count for level, count in tally.items()}
            rare = {level for level in tally if level is not None and tally[level] < min_count and found == "categorical"}
            ranked = sorted(tally.keys() - rare, key=lambda level: (-tally[level], str(level)))
            if rare and not any(level is not None for level in ranked):
                raise UserError(
                    f'no category of "{name}" is in {min_count} rows, and what fewer have is not kept: make it an identifier, or give '
                    "--min-count 1 to keep all."
                )
            about["redrawn"] = sum(tally[level] for level in rare)
            return cls(**about, choices=tuple(map(value_of, ranked)), counts=(*(tally[level] for level in ranked), 0))
        return cls(**about, **numeric_facts(name, found, known, min_count))

    # ---- what a row holds -------------------------------------------------------------------------------------------------------

    @property
    def sizes(self) -> tuple[int, ...]:
        """The groups of a row that this column takes; see `Spec.columns`."""
        if self.column_type in UNLEARNED:
            return ()
        if self.values:
            return (len(self.choices) + 1, 1) if self.choices else (1,)
        if len(self.choices) > OPTIONS:
            low = math.ceil(math.sqrt(len(self.choices)))
            return math.ceil(len(self.choices) / low), low
        return (len(self.choices),) if len(self.choices) > 1 else ()

    def pack(
        self, cells: Cells, rng: np.random.Generator | None = None, lenient: bool = False
    ) -> list[Float[np.ndarray, " rows"]]:
        """One array for each of `sizes`: chosen options, normal scores. `rng` decides the ranks of equal numbers, else the middle.

        Raises UserError for a category that was not learned, also where it stands among numbers; if `lenient`, another is drawn for it.
        """
        if not self.sizes:
            return []
        places = {key(choice): place for place, choice in enumerate(self.choices)}
        keys = [self.key_of(level) for level in cells.levels]
        used = np.flatnonzero(cells.counts())
        option = np.full(len(keys), len(self.choices))
        for i in used:
            option[i] = places.get(key(keys[i]), len(self.choices))
        if self.is_numeric and self.min_count > 1:
            self._bring_near(option, keys, used)
        if not self.values:
            unknown = [i for i in used if option[i] == len(self.choices)]
            if unknown and (self.redrawn or lenient):
                return self._digits(self._redrawn(option[cells.codes], rng))
            if unknown:
                text = str(cells.levels[unknown[0]])
                guess = did_you_mean(text, [str(choice) for choice in self.choices])
                raise UserError(f'"{self.name}" never is {text!r} in the data that was learned{guess}: correct it.')
            return self._digits(option[cells.codes])
        for i in () if lenient else used:
            if option[i] == len(self.choices) and not isinstance(keys[i], float):
                what = "has missing cells" if keys[i] is None else f"holds {cells.levels[i]!r}"
                raise UserError(f'"{self.name}" {what}, which the training data does not have: correct it, or train on it too.')
        chosen = option[cells.codes]
        numbers = np.array([key if isinstance(key, float) else np.nan for key in keys])
        low, high = self._ranks(numbers)
        return self._scored(chosen, low[cells.codes], high[cells.codes], rng)

    def pack_numbers(
        self, numbers: Float[np.ndarray, " rows"], rng: np.random.Generator | None = None
    ) -> list[Float[np.ndarray, " rows"]]:
        """What `pack` makes of the numbers, or seconds, of many rows at once, NaN where they are missing; what was not learned goes to the
        nearest place."""
        if not self.sizes:
            return []
        chosen = np.full(len(numbers), len(self.choices))
        for place, choice in enumerate(self.choices):
            if choice is None or isinstance(choice, float):
                chosen[np.isnan(numbers) if choice is None else numbers == choice] = place
        if self.values:
            return self._scored(chosen, *self._ranks(numbers), rng)
        places = np.array([place for place, choice in enumerate(self.choices) if isinstance(choice, float)])
        steps, others = np.array([self.choices[place] for place in places], float), np.flatnonzero(chosen == len(self.choices))
        if len(others) and not len(steps):
            chosen = self._redrawn(chosen, rng)
        elif len(others):
            chosen[others] = places[np.abs(numbers[others, None] - steps).argmin(1)]
        return self._digits(chosen)

    def _scored(self, chosen: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator | None) -> list[np.ndarray]:
        """Options, and the normal scores of ranks between these; of what is no number, of any rank."""
        low, high = np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0)
        rank = low + (high - low) * (rng.random(len(low)) if rng else 0.5)
        score = ndtri(rank.clip(_EDGE, 1 - _EDGE))
        return [chosen, np.where(chosen == len(self.choices), score, 0.0)] if self.choices else [score]

    def _digits(self, chosen: np.ndarray) -> list[np.ndarray]:
        return [chosen // self.sizes[1], chosen % self.sizes[1]] if len(self.sizes) == 2 else [chosen]

    def _redrawn(self, chosen: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
        """The options with those of categories that are not kept drawn among the others, as frequent as these are."""
        places = np.flatnonzero(chosen == len(self.choices))
        known = [place for place, choice in enumerate(self.choices) if choice is not None]
        shares = np.array([self.counts[place] for place in known], float)
        drawn = (rng or np.random.default_rng(0)).choice(known, len(places), p=shares / shares.sum())
        chosen = chosen.copy()
        chosen[places] = drawn
        return chosen

    def _bring_near(self, option: np.ndarray, keys: list[Any], used: np.ndarray) -> None:
        """Steps that are not kept become the nearest one, and rare words among numbers missing cells."""
        steps = [(choice, place) for place, choice in enumerate(self.choices) if isinstance(choice, float)]
        for i in used:
            if option[i] < len(self.choices):
                continue
            if isinstance(keys[i], float) and not self.values and steps:
                option[i] = min(steps, key=lambda step: abs(step[0] - keys[i]))[1]
            elif not isinstance(keys[i], float) and keys[i] is not None and self.redrawn and None in self.choices:
                option[i] = self.choices.index(None)

    def unpack(self, parts: list[np.ndarray]) -> list[Any]:
        """The values of what `pack` made: in Python's types, or the column's own texts. Not for identifiers."""
        if self.column_type == "constant":
            raise AssertionError("a constant column takes no parts")
        if not self.values:
            chosen = parts[0].astype(int)
            if len(self.sizes) == 2:
                chosen = np.minimum(chosen * self.sizes[1] + parts[1].astype(int), len(self.choices) - 1)
            words = [self.spelled(choice) for choice in self.choices]
            return [words[place] for place in chosen]
        numbers = self.number_at(ndtr(parts[-1].astype(np.float64)))
        if not self.choices:
            return [self.spelled(number) for number in numbers.tolist()]
        words = [self.spelled(choice) for choice in self.choices]
        rest = len(self.choices)
        return [
            words[place] if place < rest else self.spelled(number)
            for place, number in zip(parts[0].astype(int).tolist(), numbers.tolist(), strict=True)
        ]

    def number_at(self, rank: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The numbers at these ranks (0 to 1) among the numbers that are no choice."""
        values, shares = np.array(self.values), np.array(self.shares)
        if len(shares) > len(values):
            return values[(np.searchsorted(shares, rank, side="right") - 1).clip(0, len(values) - 1)]
        numbers = np.interp(rank, shares, values)
        return numbers if (self.decimals or 0) > 15 else np.round(numbers, self.decimals or 0)

    def _ranks(self, numbers: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest rank of each number."""
        values, shares = np.array(self.values), np.array(self.shares)
        low, high = np.searchsorted(values, numbers, "left"), np.searchsorted(values, numbers, "right")
        if len(shares) > len(values):  # between two steps: on the border
            return shares[low], shares[np.maximum(high, low)]
        inner = np.interp(numbers, values, shares)
        last = len(values) - 1
        equal = high > low
        return np.where(equal, shares[low.clip(0, last)], inner), np.where(equal, shares[(high - 1).clip(0, last)], inner)

    # ---- numbers and words ------------------------------------------------------------------------------------------------------

    def steps(self) -> tuple[Any, ...]:
        """The values that are kept each by itself, as the column spells them; none where those between two of them occur too."""
        if self.column_type in UNLEARNED or (self.values and len(self.shares) <= len(self.values)):
            return ()
        return tuple(map(self.spelled, (*self.choices, *self.values)))

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers or dates, which can be compared."""
        return self.column_type in ("continuous", "integer", "ordinal", "datetime")

    def key_of(self, level: Any) -> Any:
        """What a level is among `choices` and `values`."""
        if level is None:
            return None
        if self.column_type == "datetime":
            return seconds_of(level, self.spelling)
        if self.is_numeric:
            if isinstance(level, str) and self.notation is not None:
                level = self.undressed(level)
            return exact(level, self.origin) if number_of(level) is not None else level
        return _choice(level)

    def undressed(self, cell: Any) -> Any:
        """A cell with its number as Python writes it, whatever the column's notation."""
        plain = self.notation.plain(cell) if self.notation is not None and isinstance(cell, str) else None
        return cell if plain is None else plain

    def dressed(self, cell: Any) -> Any:
        """A cell with its number in the column's notation."""
        return self.notation.text(cell) if self.notation is not None and isinstance(cell, str) else cell

    def number(self, text: str) -> float:
        """The number or date that a condition names. Raises UserError for anything else."""
        try:
            return self._dated(text) if self.column_type == "datetime" else self._moved(text)
        except ValueError as error:
            example = self.spelled(self.values[0] if self.values else next(c for c in self.choices if c is not None))
            raise UserError(
                f'"{self.name}" is compared with {text!r}, but its values are like {example}: give such a one.'
            ) from error

    def _dated(self, text: str) -> float:
        """A date as the column writes it or, but for times of day, as 2024-01-31 or 2024-01-31T12:00 in the column's zone."""
        try:
            return seconds_of(text, self.spelling)
        except ValueError:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None or not has_year(self.spelling):
                raise
            return (moment - EPOCH).total_seconds()

    def _moved(self, text: str) -> float:
        text = self.undressed(text)
        return exact(text, self.origin) if self.origin and is_whole(text) else float(text) - self.origin

    def spelled(self, value: Any) -> Any:
        """A number as the data has it: text from files of text, Python's own types from data frames."""
        if not self.is_numeric:
            return Decimal(value) if self.dtype == "decimal" and isinstance(value, str) else value
        if not isinstance(value, float):
            return value
        if self.column_type == "datetime":
            seconds = round(value / self.start) * self.start if self.start else value
            moment = EPOCH + timedelta(microseconds=round(seconds * 1e6))
            if self.spelling == ZONED:
                return f"{moment.isoformat()}+00:00" if self.dtype == "text" else moment.replace(tzinfo=UTC)
            if self.dtype == "text":
                return spelled_date(moment, self.spelling)
            if "%" in self.spelling:  # numbers like 20240131
                return int(spelled_date(moment, self.spelling))
            return moment.date() if self.spelling == "date" else moment
        if self.decimals is None:
            low, high = self._bounds
            whole = min(max(round(value) + self.origin, low), high)
            return str(whole) if self.dtype == "text" else Decimal(whole) if self.dtype == "decimal" else whole
        number = round(value, self.decimals)
        if self.dtype in ("text", "decimal"):
            text = _decimal_text(number, self.decimals, self.spelling)
            return Decimal(text) if self.dtype == "decimal" else text
        return number

    def sentence(self) -> str:
        """What it is, for people: "integer, 72 values, 3% missing"."""
        said = [self.column_type if not self.what else f"{self.column_type}: {self.what}"]
        if self.notation is not None:
            said.append(f"written like {self.dressed('1234.5' if self.decimals else '1234')}")
        different = sum(choice is not None for choice in self.choices) + len(self.values)
        if self.column_type not in UNLEARNED:
            said.append(f"{different:,}{'+' if len(self.values) >= KNOTS else ''} values")
        if (
            max((abs(n) for n in (*self.values, *self.choices) if isinstance(n, float)), default=0) > EXACT
            and self.decimals is None
        ):
            said.append("to 16 digits")
        rows = sum(self.counts)
        missing = self.counts[self.choices.index(None)] if None in self.choices else 0
        return ", ".join([*said, *([f"{missing / rows:.1%} missing"] if missing else [])])

    def kept(self) -> str:
        """What a model holds of the column's values, for people: "every value, none of fewer than 5 rows"."""
        if self.column_type in MADE_UP:
            return f"no value: the form of new ones, like {self.new_identifiers(1)[0]}"
        if self.column_type == "text":
            return "nothing"
        few = f" of fewer than {self.min_count} rows" if self.min_count > 1 else ""
        rare = f"; {self.redrawn:,} rows of rarer ones are {'missing' if self.is_numeric else 'redrawn'}" if self.redrawn else ""
        if not self.values or len(self.shares) > len(self.values):
            return f"every value{f', but none{few}' if few else ''}{rare}"
        low, high = self.spelled(self.values[0]), self.spelled(self.values[-1])
        means = f"means of at least {self.min_count} rows" if self.min_count > 1 else f"{len(self.values):,} quantiles"
        often = ", frequent values" if self.choices or len(set(self.values)) < len(self.values) else ""
        return f"{means}{often}, and the bounds {low} and {high}{rare}"

    def new_identifiers(self, count: int, first: int = 0) -> list[Any]:
        """So many identifiers that no row of the data has, each another one, from the one of number `first`."""
        return self.identifiers(np.arange(first, first + count))

    def identifiers(self, numbers: np.ndarray) -> list[Any]:
        """The new identifiers of these numbers, as the column spells them."""
        form = self.form or self._counting
        distinct, back = np.unique(numbers, return_inverse=True)
        texts = [form.text(number) for number in distinct.tolist()]
        if self.spelling == "number" and self.dtype != "text":
            made: list[Any] = [float(int(text)) if self.dtype.lower().startswith("float") else int(text) for text in texts]
        else:
            made = texts
        return [made[place] for place in back.tolist()]

    @property
    def _counting(self) -> Form:
        """The form of identifiers of versions that counted on from the largest."""
        return Form(prefix=f"{self.name}-") if self.spelling == "word" else Form(start=self.start)

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        """The least and the largest whole number of the column's type."""
        return bounds_of(self.dtype)

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        for field in fields(self)[-5:]:  # younger ones are left out where they say nothing, so that older files stay as they are
            if facts[field.name] == field.default:
                del facts[field.name]
        return {"name": facts.pop("name"), "kind": facts.pop("column_type"), **facts}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Column:
        known: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
        if known.get("form") is not None:
            known["form"] = Form.from_json(known["form"])
        if known.get("notation") is not None:
            known["notation"] = Notation.from_json(known["notation"])
        return cls(column_type=known.pop("kind"), **known)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | time) else str(value) if isinstance(value, Decimal) else value


def _choice(level: Any) -> Any:
    """A category as JSON holds it: decimals as text."""
    return str(level) if isinstance(level, Decimal) else level


def _decimal_text(number: float, decimals: int, spelling: str) -> str:
    """A number with decimals as text: always as many ("2"), without zeros at the end ("trim"), with a power of ten and so many before it
    ("e2", "E2"), or as Python writes it ("")."""
    if spelling[:1] in ("e", "E"):
        return f"{number:.{spelling[1:]}{spelling[0]}}"
    if spelling == "trim":
        return f"{number:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{number:.0f}"
    return f"{number:.{spelling}f}" if spelling else repr(number)


def _made_up(name: str, column_type: str, known: Mapping[Any, int], dtype: str, min_count: int) -> dict[str, Any]:
    """The form of new values, and how many cells are missing."""
    levels = [level for level in known if level is not None]
    numeric = bool(levels) and all(
        not isinstance(level, str) and number_of(level) is not None and is_whole(level) for level in levels
    )
    texts = [spelled_whole(level) if numeric else str(level) for level in levels]
    what = (recognise(name, texts, nearly_unique=True) or "values of the same form") if column_type == "personal" else ""
    about = {} if None not in known else {"choices": (None,), "counts": (known[None], sum(known.values()) - known[None])}
    form = form_of(what, name, texts, dtype if numeric else "text", min_count)
    return {"form": form, "what": what, "spelling": "number" if numeric else "word", **about}
