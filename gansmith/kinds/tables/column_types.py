"""The type of a column, recognised from its cells."""

import math
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from gansmith.kinds.tables.cells import Cells
from gansmith.kinds.tables.dates import date_format
from gansmith.kinds.tables.personal import recognise

COLUMN_TYPES = (
    "continuous",
    "integer",
    "categorical",
    "ordinal",
    "boolean",
    "datetime",
    "identifier",
    "personal",
    "text",
    "constant",
)
MIN_COUNT = 5
"""What fewer rows have is not kept, unless it is said otherwise."""
FEW = 20
"""Numbers of at most so many different values are a scale of steps (ordinal)."""
WIDEST_SCALE = 2.0**53
"""Whole numbers as far apart as this are no scale but names: floating point numbers do not hold their steps."""
UNIQUE = 0.98
"""The share of different values from which a column may be an identifier."""
LONG = 30
"""Mean length from which mostly different texts are prose, not names."""
MIXED = 5
"""At most so many different words may stand among numbers."""
_TRUTHS = ({"true", "false"}, {"t", "f"}, {"yes", "no"}, {"y", "n"}, {"0", "1"})
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_PADDED = re.compile(r"\+|-?0\d")
_NAMED = re.compile(r"(^|[_\s-])(id|uuid|guid|key|index|no|nr)$", re.IGNORECASE)
_REPEATED = re.compile(r"(?i:(^|[_\s-])(id|uuid|guid)$)|[a-z](Id|ID)$")
"""Names of columns of numbers that stand for something that several rows share."""
NEARLY_UNIQUE = 0.5
"""The share of rows with a value of fewer than `min_count` rows from which a column of words is nearly unique."""


def type_of(name: str, cells: Cells, min_count: int = 1) -> str:
    """The type of this column. Values of fewer rows than `min_count` are rare: words that mostly are become no categories."""
    counts = cells.counts()
    known = [(level, int(count)) for level, count in zip(cells.levels, counts, strict=True) if level is not None and count]
    rows = sum(count for _, count in known)
    levels = [level for level, _ in known]
    rare = sum(count for _, count in known if count < min_count)
    scattered = len(levels) >= UNIQUE * rows and rows >= FEW
    unique = scattered or (rows >= FEW and rare > NEARLY_UNIQUE * rows)
    is_text = bool(levels) and all(isinstance(level, str) for level in levels)
    if is_text and recognise(name, levels, nearly_unique=unique):
        return "personal"
    if len(known) <= 1 and rows in (0, len(cells)):
        return "constant"
    if _is_truth(levels):
        return "boolean"
    if is_mixed(levels):
        return "categorical"
    if all(isinstance(level, date) for level in levels):
        return "datetime"
    if is_category(cells.dtype) and not unique:
        return "ordinal" if len(levels) <= FEW and all(number_of(level) is not None for level in levels) else "categorical"
    numeric = [(level, count) for level, count in known if number_of(level) is not None]
    words = len(levels) - len(numeric)
    share = sum(count for _, count in numeric) / max(rows, 1)
    if (is_text or len(levels) > FEW) and in_digits(levels):
        return "datetime"
    if not any(isinstance(level, str) and _PADDED.match(level) for level in levels) and (
        share == 1 or (words <= MIXED and share >= 0.5 and len(numeric) > FEW)
    ):
        return _of_numbers(name, [level for level, _ in numeric], len(levels), rows, rare)
    texts = [str(level) for level in levels]
    if date_format(texts) is not None:
        return "datetime"
    if unique:
        return "text" if _is_prose(texts) else "identifier"
    prose = np.mean([len(text) for text in texts]) > LONG and len(levels) > rows / 2
    if not prose and min_count > 1 and rare == rows:
        return "identifier"
    return "text" if prose else "categorical"


def in_digits(levels: Iterable[Any]) -> str | None:
    """The format of dates like 20240131 or 20240131235959, texts or numbers, of years that people write about; None if these are none."""
    known = [level for level in levels if level is not None]
    if not known or any(isinstance(level, bool) or not isinstance(level, str | int | float) for level in known):
        return None
    texts = [level if isinstance(level, str) else f"{level:.0f}" for level in known if isinstance(level, str) or is_whole(level)]
    days = all(len(text) in (8, 12, 14) and text.isdigit() and "1800" <= text[:4] < "2200" for text in texts)
    if not days or len(texts) != len(known):
        return None
    form = date_format(texts)
    return form if form in ("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S") else None


def _is_prose(texts: list[str]) -> bool:
    """Whether most of these are sentences: of three words or many letters, and not of digits in blocks."""
    prosy = [
        (text.count(" ") >= 2 or len(text) > LONG) and " " in text and sum(map(str.isdigit, text)) < len(text) / 4
        for text in texts
    ]
    return sum(prosy) > len(texts) / 2


def _of_numbers(name: str, levels: list[Any], different: int, rows: int, rare: int) -> str:
    values = np.array([number_of(level) for level in levels])
    whole = all(is_whole(level) for level in levels)
    if whole and recognise(name, [spelled_whole(level) for level in levels]):
        return "personal"
    if whole and different > FEW and rare > NEARLY_UNIQUE * rows and _REPEATED.search(name):
        return "identifier"
    counted = different == rows and np.ptp(values) == rows - 1
    if whole and different >= UNIQUE * rows and rows >= FEW and (_NAMED.search(name) or _REPEATED.search(name) or counted):
        return "identifier"
    if different <= min(FEW, rows / 3):
        return "categorical" if whole and np.ptp(values) >= WIDEST_SCALE else "ordinal"
    return "integer" if whole and all(not isinstance(level, float) for level in levels) else "continuous"


def is_category(dtype: str) -> bool:
    """Whether a data frame says itself that a column is of categories."""
    return dtype.casefold().startswith(("category", "categorical", "enum", "dictionary"))


def is_mixed(levels: Iterable[Any]) -> bool:
    """Whether numbers stand beside truth values, or beside texts that spell numbers: as numbers they could not be told apart."""
    kinds = {
        bool if isinstance(level, bool) else str if isinstance(level, str) else float
        for level in levels
        if number_of(level) is not None
    }
    return len(kinds) > 1


def number_of(level: Any) -> float | None:
    """The number that a level is or spells, None if it does neither or is too large for a floating point number."""
    if not isinstance(level, int | float | Decimal) and not (isinstance(level, str) and _NUMBER.fullmatch(level)):
        return None
    try:
        number = float(level)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def is_whole(level: Any) -> bool:
    """Whether a level is written as a whole number."""
    if isinstance(level, str):
        return level.strip().lstrip("+-").isdigit()
    return level == level.to_integral_value() if isinstance(level, Decimal) else float(level).is_integer()


def spelled_whole(level: Any) -> str:
    """A whole number as text: the text itself, or the digits of a number, which may be a floating point one."""
    return level.strip() if isinstance(level, str) else str(int(level))


def _is_truth(levels: list[Any]) -> bool:
    if len(levels) != 2:
        return False
    return all(isinstance(level, bool) for level in levels) or {str(level).strip().casefold() for level in levels} in _TRUTHS
