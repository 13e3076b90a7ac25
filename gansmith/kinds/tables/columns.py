"""One column of a table: what was learned of it, and its way into numbers and back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Cells
from gansmith.kinds.tables.column_types import ZONED, date_format, is_whole, number_of, type_of

KNOTS = 1024
"""Up to so many different numbers are remembered each with its share; of more, so many quantiles."""
PEAK = 0.05
"""The share of the rows from which one number is a choice of its own."""
PEAKS = 12
OPTIONS = 64
"""The most options that a row holds side by side; a column of more is written in two digits."""
EXACT = 2**53
"""Up to here, floating point numbers hold every whole number."""
_CROWDED = 2**62
"""Beyond this number, those above are no longer sure to fit into 64 bits."""
_EDGE = 1e-5
"""How near to 0 and 1 the ranks go that normal scores are taken of."""
_EPOCH = datetime(1970, 1, 1)


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
    """The format of dates; for numbers in text, their digits after the point if all have the same number."""
    start: int = 0
    """Of identifiers the first new number, of dates the seconds from one to the next."""
    origin: int = 0
    """What is taken off whole numbers that are too large to be exact as floating point numbers."""

    @classmethod
    def fit(cls, name: str, cells: Cells, column_type: str | None = None) -> Column:
        """Learns a column, of the type it has or of the one requested. Raises UserError where the cells cannot be of that type."""
        found = column_type or type_of(name, cells)
        counts = cells.counts()
        known = {level: int(count) for level, count in zip(cells.levels, counts, strict=True) if count}
        about: dict[str, Any] = {"name": name, "column_type": found, "dtype": cells.dtype}
        if found == "constant":
            value = next((level for level in known if level is not None), None)
            return cls(**about, choices=(_plain(value),), counts=(len(cells), 0))
        if found == "identifier":
            return cls(**about, **_identifier(list(known)))
        if found == "text":
            return cls(**about)
        if found in ("categorical", "boolean"):
            if any(isinstance(level, date) for level in known):
                raise UserError(f'"{name}" holds dates and other cells: make text of all, or leave the column out.')
            ranked = sorted(known, key=lambda level: (-known[level], str(level)))
            return cls(**about, choices=tuple(ranked), counts=(*(known[level] for level in ranked), 0))
        return cls(**about, **_numeric(name, found, known))

    # ---- what a row holds -------------------------------------------------------------------------------------------------------

    @property
    def sizes(self) -> tuple[int, ...]:
        """The groups of a row that this column takes; see `Spec.columns`."""
        if self.column_type in ("constant", "identifier", "text"):
            return ()
        if self.values:
            return (len(self.choices) + 1, 1) if self.choices else (1,)
        if len(self.choices) > OPTIONS:
            low = math.ceil(math.sqrt(len(self.choices)))
            return math.ceil(len(self.choices) / low), low
        return (len(self.choices),) if len(self.choices) > 1 else ()

    def pack(self, cells: Cells, rng: np.random.Generator | None = None) -> list[Float[np.ndarray, " rows"]]:
        """One array for each of `sizes`: chosen options, normal scores. `rng` decides the ranks of equal numbers, else the middle.

        Raises UserError for a category that was not learned, also where it stands among numbers.
        """
        if not self.sizes:
            return []
        places = {choice: place for place, choice in enumerate(self.choices)}
        keys = [self.key_of(level) for level in cells.levels]
        used = np.flatnonzero(cells.counts())
        option = np.full(len(keys), len(self.choices))
        for i in used:
            option[i] = places.get(keys[i], len(self.choices))
        if not self.values:
            unknown = [i for i in used if option[i] == len(self.choices)]
            if unknown:
                text = str(cells.levels[unknown[0]])
                guess = did_you_mean(text, [str(choice) for choice in self.choices])
                raise UserError(f'"{self.name}" never is {text!r} in the data that was learned{guess}: correct it.')
            chosen = option[cells.codes]
            if len(self.sizes) == 2:
                return [chosen // self.sizes[1], chosen % self.sizes[1]]
            return [chosen]
        for i in used:
            if option[i] == len(self.choices) and not isinstance(keys[i], float):
                what = "has missing cells" if keys[i] is None else f"holds {cells.levels[i]!r}"
                raise UserError(f'"{self.name}" {what}, which the training data does not have: correct it, or train on it too.')
        chosen = option[cells.codes]
        numbers = np.array([key if isinstance(key, float) else np.nan for key in keys])
        low, high = self._ranks(numbers)
        low, high = np.nan_to_num(low, nan=0.5)[cells.codes], np.nan_to_num(high, nan=0.5)[cells.codes]
        rank = low + (high - low) * (rng.random(len(low)) if rng else 0.5)
        score = ndtri(rank.clip(_EDGE, 1 - _EDGE))
        return [chosen, np.where(chosen == len(self.choices), score, 0.0)] if self.choices else [score]

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
        return np.round(np.interp(rank, shares, values), self.decimals or 0)

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

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers or dates, which can be compared."""
        return self.column_type in ("continuous", "integer", "ordinal", "datetime")

    def key_of(self, level: Any) -> Any:
        """What a level is among `choices` and `values`."""
        if level is None:
            return None
        if self.column_type == "datetime":
            return _seconds(level, self.spelling)
        if self.is_numeric:
            return _exact(level, self.origin) if number_of(level) is not None else level
        return level

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
            return _seconds(text, self.spelling)
        except ValueError:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None or not {"%Y", "%y"} & {self.spelling[at : at + 2] for at in range(len(self.spelling))}:
                raise
            return (moment - _EPOCH).total_seconds()

    def _moved(self, text: str) -> float:
        return _exact(text, self.origin) if self.origin and is_whole(text) else float(text) - self.origin

    def spelled(self, value: Any) -> Any:
        """A number as the data has it: text from files of text, Python's own types from data frames."""
        if not isinstance(value, float) or not self.is_numeric:
            return value
        if self.column_type == "datetime":
            seconds = round(value / self.start) * self.start if self.start else value
            moment = _EPOCH + timedelta(microseconds=round(seconds * 1e6))
            if self.spelling == ZONED:
                return f"{moment.isoformat()}+00:00" if self.dtype == "text" else moment.replace(tzinfo=UTC)
            if self.dtype == "text":
                return moment.strftime(self.spelling)
            return moment.date() if self.spelling == "date" else moment
        if self.decimals is None:
            whole = round(value) + self.origin
            return str(whole) if self.dtype == "text" else whole
        number = round(value, self.decimals)
        if self.dtype == "text":
            return f"{number:.{self.spelling}f}" if self.spelling else repr(number)
        return number

    def sentence(self) -> str:
        """What it is, for people: "integer, 72 values, 3% missing"."""
        said = [self.column_type]
        different = sum(choice is not None for choice in self.choices) + len(self.values)
        if self.column_type not in ("constant", "identifier", "text"):
            said.append(f"{different:,}{'+' if len(self.values) == KNOTS else ''} values")
        if (
            max((abs(n) for n in (*self.values, *self.choices) if isinstance(n, float)), default=0) > EXACT
            and self.decimals is None
        ):
            said.append("to 16 digits")
        rows = sum(self.counts)
        missing = self.counts[self.choices.index(None)] if None in self.choices else 0
        return ", ".join([*said, *([f"{missing / rows:.1%} missing"] if missing else [])])

    def new_identifiers(self, count: int) -> list[Any]:
        """So many identifiers that no row of the data has."""
        if self.spelling == "word":
            return [f"{self.name}-{number}" for number in range(1, count + 1)]
        numbers = range(self.start, self.start + count)
        return [str(number) for number in numbers] if self.dtype == "text" else list(numbers)

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return {"name": facts.pop("name"), "kind": facts.pop("column_type"), **facts}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Column:
        known: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
        return cls(column_type=known.pop("kind"), **known)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | time) else value


def _identifier(levels: list[Any]) -> dict[str, Any]:
    """Where new identifiers begin, so that none is anybody's: after the largest number or, near the end of 64 bits, in the widest gap."""
    whole = sorted(int(level) if is_whole(level) else int(number) for level in levels if (number := number_of(level)) is not None)
    start = whole[-1] + 1 if whole else 1
    if start > _CROWDED:
        start = max(zip([-_CROWDED, *whole], whole, strict=False), key=lambda gap: gap[1] - gap[0])[0] + 1
    return {"start": start, "spelling": "number" if len(whole) == len(levels) else "word"}


def _numeric(name: str, column_type: str, known: dict[Any, int]) -> dict[str, Any]:
    """Choices, values and shares of numbers or dates."""
    facts: dict[str, Any] = {}
    if column_type == "datetime":
        texts = [level for level in known if isinstance(level, str)]
        facts["spelling"] = date_format(texts) or "" if texts else _type_of_dates(known)
        if texts and not facts["spelling"]:
            raise UserError(f'"{name}" cannot be datetime: its values, like {texts[0]!r}, are no dates of one usual format.')
        numbers = {level: _seconds(level, facts["spelling"]) for level in known if level is not None}
        seconds = np.array(list(numbers.values()))
        facts["decimals"] = None if (seconds == seconds.round()).all() else 6
        facts["start"] = next((step for step in (86400, 3600, 60, 1) if (seconds % step == 0).all()), 0)
    else:
        numeric = [level for level in known if level is not None and number_of(level) is not None]
        facts |= _digits(numeric)
        if facts["decimals"] is None and numeric:
            wholes = [int(level) for level in numeric]
            facts["origin"] = min(wholes) if max(map(abs, wholes)) > EXACT else 0
        numbers = {level: _exact(level, facts.get("origin", 0)) for level in numeric}
    if not numbers:
        raise UserError(f'"{name}" cannot be {column_type}: it holds no number.')
    tally: dict[float, int] = {}
    for level, number in numbers.items():
        tally[number] = tally.get(number, 0) + known[level]
    rows = sum(known.values())
    words = {level: count for level, count in known.items() if level not in numbers}
    most = len(tally) if column_type == "ordinal" else PEAKS
    peaks = sorted((n for n in tally if column_type == "ordinal" or tally[n] >= PEAK * rows), key=lambda n: (-tally[n], n))[:most]
    if len(peaks) < len(tally) <= len(peaks) + 1:
        peaks = list(tally)
    choices = words | {number: tally.pop(number) for number in peaks}
    ranked = sorted(choices, key=lambda choice: (-choices[choice], str(choice)))
    values = np.array(sorted(tally))
    counts = np.array([tally[value] for value in values])
    if len(values) <= KNOTS:
        shares = np.concatenate([[0.0], counts.cumsum() / max(counts.sum(), 1)]) if len(values) else np.empty(0)
    else:
        shares = np.linspace(0, 1, KNOTS)
        values = np.repeat(values, counts)[np.round(shares * (counts.sum() - 1)).astype(int)]
    return facts | {
        "choices": tuple(ranked),
        "counts": (*(choices[choice] for choice in ranked), int(counts.sum())),
        "values": tuple(values.tolist()),
        "shares": tuple(shares.tolist()),
    }


def _exact(level: Any, origin: int) -> float:
    """A number less its column's origin; what is not exact is rounded towards the origin, so that none leaves the range of its type."""
    if not origin:
        number = number_of(level)
        assert number is not None
        return number
    if not is_whole(level):
        return float(level) - origin
    exact = int(level) - origin
    near = float(exact)
    return math.nextafter(near, 0.0) if abs(int(near)) > abs(exact) else near


def _digits(levels: list[Any]) -> dict[str, Any]:
    """How numbers are written."""
    if all(is_whole(level) and not isinstance(level, float) for level in levels):
        return {"decimals": None}
    texts = [level.strip() if isinstance(level, str) else repr(float(level)) for level in levels]
    plain = all("e" not in text.lower() for text in texts)
    behind = {len(text.partition(".")[2]) for text in texts}
    needed = max(len(text.partition(".")[2].rstrip("0")) for text in texts) if plain else 12
    fixed = plain and len(behind) == 1 and isinstance(levels[0], str)
    return {"decimals": needed, "spelling": str(max(behind)) if fixed else ""}


def _type_of_dates(known: dict[Any, int]) -> str:
    if any(isinstance(level, datetime) and level.tzinfo is not None for level in known):
        return ZONED
    return "moment" if any(isinstance(level, datetime) for level in known) else "date"


def _seconds(level: Any, form: str) -> float:
    """Seconds since 1970 of a date."""
    if isinstance(level, str):
        moment = datetime.strptime(level, form) if form not in ("", "date", "moment", ZONED) else datetime.fromisoformat(level)
    elif isinstance(level, datetime):
        moment = level
    else:
        moment = datetime(level.year, level.month, level.day)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - _EPOCH).total_seconds()
