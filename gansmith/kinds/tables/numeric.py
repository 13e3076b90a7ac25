"""Numbers and dates of a column: how they are written, and what is kept of them."""

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from gansmith.errors import UserError
from gansmith.kinds.tables.column_types import is_whole, number_of
from gansmith.kinds.tables.dates import ZONED, date_format, read_date
from gansmith.kinds.tables.knots import knots_of

PEAK = 0.05
"""The share of the rows from which one number is a choice of its own."""
PEAKS = 12
EXACT = 2**53
"""Up to here, floating point numbers hold every whole number."""
EPOCH = datetime(1970, 1, 1)
_POWER = re.compile(r"-?\d(?:\.(?P<behind>\d+))?(?P<letter>[eE])[+-]\d\d\d?")
"""Numbers as they are written with a power of ten, 1.50e-07."""


def numeric_facts(name: str, column_type: str, known: dict[Any, int], min_count: int) -> dict[str, Any]:
    """Choices, values and shares of numbers or dates."""
    facts: dict[str, Any] = {}
    if column_type == "datetime":
        texts = [level if isinstance(level, str) else f"{level:.0f}" for level in known if isinstance(level, str | int | float)]
        facts["spelling"] = date_format(texts) or "" if texts else _type_of_dates(known)
        if texts and not facts["spelling"]:
            raise UserError(f'"{name}" cannot be datetime: its values, like {texts[0]!r}, are no dates of one usual format.')
        numbers = {level: seconds_of(level, facts["spelling"]) for level in known if level is not None}
        seconds = np.array(list(numbers.values()))
        facts["decimals"] = None if (seconds == seconds.round()).all() else 6
        facts["start"] = next((step for step in (86400, 3600, 60, 1) if (seconds % step == 0).all()), 0)
    else:
        numeric = [level for level in known if level is not None and number_of(level) is not None]
        facts |= _digits(numeric)
        if facts["decimals"] is None and numeric:
            wholes = [int(level) for level in numeric]
            facts["origin"] = _origin(min(wholes), max(wholes), min_count) if max(map(abs, wholes)) > EXACT else 0
        numbers = {level: exact(level, facts.get("origin", 0)) for level in numeric}
    if not numbers:
        raise UserError(f'"{name}" cannot be {column_type}: it holds no number.')
    tally: dict[float, int] = {}
    for level, number in numbers.items():
        tally[number] = tally.get(number, 0) + known[level]
    rows = sum(known.values())
    words = {level: count for level, count in known.items() if level not in numbers}
    rare = {word for word, count in words.items() if word is not None and count < min_count}
    facts["redrawn"] = sum(words.pop(word) for word in rare)
    if rare:  # a rare word among numbers becomes a missing cell
        words[None] = words.get(None, 0) + facts["redrawn"]
    is_ordinal = column_type == "ordinal" and any(count >= min_count for count in tally.values())
    most = len(tally) if is_ordinal else PEAKS
    least = min_count if is_ordinal else max(min_count, PEAK * rows)
    peaks = sorted((n for n in tally if tally[n] >= least), key=lambda n: (-tally[n], n))[:most]
    others = tally.keys() - set(peaks)
    if is_ordinal or (peaks and sum(tally[number] for number in others) < min_count):
        for number in sorted(others):
            tally[min(peaks, key=lambda peak: abs(peak - number))] += tally.pop(number)
    if len(peaks) < len(tally) <= len(peaks) + 1 and min(tally.values()) >= min_count:
        peaks = list(tally)
    choices = words | {number: tally.pop(number) for number in peaks}
    ranked = sorted(choices, key=lambda choice: (-choices[choice], str(choice)))
    values = np.array(sorted(tally), np.float64)
    counts = np.array([tally[value] for value in values.tolist()], np.int64)
    values, shares = knots_of(values, counts, min_count, facts.get("start") if column_type == "datetime" else None)
    return facts | {
        "choices": tuple(ranked),
        "counts": (*(choices[choice] for choice in ranked), int(counts.sum())),
        "values": tuple(values.tolist()),
        "shares": tuple(shares.tolist()),
    }


def _origin(least: int, largest: int, min_count: int) -> int:
    """A number not above the least, which it is not, or only by chance, where what few rows have is not kept."""
    if min_count <= 1:
        return least
    unit = 10 ** len(str(largest - least))
    return least // unit * unit


def exact(level: Any, origin: int) -> float:
    """A number less its column's origin; what is not exact is rounded towards the origin, so that none leaves the range of its type."""
    if not is_whole(level) or (not origin and abs(float(level)) <= EXACT):
        return float(level) - origin
    exact = int(level) - origin
    near = float(exact)
    return math.nextafter(near, 0.0) if abs(int(near)) > abs(exact) else near


def _digits(levels: list[Any]) -> dict[str, Any]:
    """How numbers are written."""
    if all(is_whole(level) and not isinstance(level, float) for level in levels):
        return {"decimals": None}
    written = all(isinstance(level, str | Decimal) for level in levels)
    texts = [_written(level) for level in levels]
    plain = all("e" not in text.lower() for text in texts)
    needed = max(0, *(_behind_point(text) for text in texts))
    powers = {match and (match["letter"], len(match["behind"] or "")) for match in map(_POWER.fullmatch, texts)}
    if written and len(powers) == 1 and (power := powers.pop()):
        return {"decimals": needed, "spelling": f"{power[0]}{power[1]}"}
    behind = {len(text.partition(".")[2]) for text in texts}
    if written and plain and len(behind) == 1:
        return {"decimals": needed, "spelling": str(max(behind))}
    trimmed = written and plain and 0 in behind and not any("." in text and text[-1] in "0." for text in texts)
    return {"decimals": needed, "spelling": "trim" if trimmed else ""}


def _written(level: Any) -> str:
    """A number as it is written."""
    return level.strip() if isinstance(level, str) else f"{level:f}" if isinstance(level, Decimal) else repr(float(level))


def _behind_point(text: str) -> int:
    """Digits behind the point that are not 0: 2 of "1.250", 21 of "1.5e-20"."""
    mantissa, _, power = text.lower().partition("e")
    return len(mantissa.partition(".")[2].rstrip("0")) - int(power or 0)


def _type_of_dates(known: dict[Any, int]) -> str:
    if any(isinstance(level, datetime) and level.tzinfo is not None for level in known):
        return ZONED
    return "moment" if any(isinstance(level, datetime) for level in known) else "date"


def seconds_of(level: Any, form: str) -> float:
    """Seconds since 1970 of a date; numbers are dates in digits."""
    if isinstance(level, int | float):
        level = f"{level:.0f}"
    if isinstance(level, str):
        moment = read_date(level, form) if form not in ("", "date", "moment", ZONED) else datetime.fromisoformat(level)
    elif isinstance(level, datetime):
        moment = level
    else:
        moment = datetime(level.year, level.month, level.day)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - EPOCH).total_seconds()
