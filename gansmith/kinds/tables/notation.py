"""How numbers are written in text: $1,234.50, 12.5 %, (123), 1.234,5, 90:12:05, 1h 30m. Read as numbers, and written back as they were."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, pairwise
from typing import Any
from unicodedata import category

from gansmith.kinds.tables.cells import Cells
from gansmith.kinds.tables.column_types import MIXED, is_category

SPACES = " \u00a0\u202f\u2009"
"""Spaces that stand between thousands."""
GROUPS = (",", ".", "'", "\u2019", *SPACES)
"""Marks between thousands."""
LOOKED_AT = 1000
"""Different texts by which a notation is chosen; all must then follow it."""
_UNIT = r"[^\d\s.,'’()+−-]"
_SIGNS = "%‰°"
_BEFORE = re.compile(rf"(?:[A-Z]{{3}}|[A-Z]{{1,2}}\$|R|kr|Fr|zł|Kč)[{SPACES}]?")
_BEHIND = re.compile(rf"[{SPACES}][^\W\d_]{{1,4}}\.?|°[CF]")
_AT_ONCE = re.compile(
    "[kmc]?g|lbs?|oz|[kcm]m|mi|ft|yd|ml|[kM]Wh|[kMG]?Hz|ms|min|px|bpm|kcal|[kMGT]B|mph|kmh|rpm|ppm|dB|mV|mmHg",
)
"""Units that also stand right behind the digits; other letters there may be part of a name."""
_SCALES = ("k", "K", "M", "B", "T", "m", "bn", "mn")
"""What stands right behind an amount of money: $1.2M."""
_SHAPE = re.compile(
    rf"(?P<open>\()?(?P<minus>-)?(?P<prefix>(?:{_UNIT}{{1,4}}[{SPACES}]?)?)(?P<inner>-)?(?P<body>\d[\d.,'’{SPACES}]*\d|\d|[.,]\d+)"
    rf"(?P<suffix>(?:[{SPACES}]?{_UNIT}{{1,4}}\.?)?)(?P<after>-)?(?P<close>\))?"
)
_STEPS = {
    ("d", "h"): 24,
    ("h", "m"): 60,
    ("m", "s"): 60,
    ("w", "d"): 7,
    ("ft", "in"): 12,
    ("lb", "oz"): 16,
    ("st", "lb"): 14,
}
"""How many of a smaller unit are one of the larger one."""
_NAMES = {
    "d": ("d", "day", "days", "D"),
    "w": ("w", "week", "weeks", "W"),
    "h": ("h", "hr", "hrs", "hour", "hours", "H"),
    "m": ("m", "min", "mins", "minutes", "M", "\u2032"),
    "s": ("s", "sec", "secs", "seconds", "S", "\u2033"),
    "ft": ("ft", "feet", "'", "\u2019"),
    "in": ("in", "inches", '"', "\u201d", "''"),
    "lb": ("lb", "lbs"),
    "oz": ("oz",),
    "st": ("st",),
}
_UNIT_OF = {name: unit for unit, names in _NAMES.items() for name in names}
_COMPOUND = re.compile(r"(?P<minus>-)?(?P<prefix>P?T?)(?P<rest>\d+(?:[^\d.]+\d+)*?(?:[^\d.]+\d+(?:\.\d+)?)[^\d.]*)")
_PIECES = re.compile(r"(\d+(?:\.\d+)?)([^\d.]*)")
_PLAIN = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Notation:
    """One way to write numbers."""

    prefix: str = ""
    """What stands before every number: "$", "EUR "."""
    suffix: str = ""
    """What stands behind every number: "%", " kg"."""
    group: str = ""
    """The mark between thousands, none where it is empty."""
    point: str = "."
    """The mark before the decimals."""
    negative: str = "-"
    """How numbers below 0 are marked: "-" before all, "inner" behind the prefix, "after" behind all, "()" around all."""
    minus: str = "-"
    """The sign of these; some write U+2212."""
    plus: bool = False
    """Whether numbers that are not below 0 have a sign, too: +1.5%."""
    pairs: bool = False
    """Whether, as in India, only the last three digits are a group and those before stand in pairs: 12,34,567."""
    behind: tuple[str, ...] = ()
    """Of durations and the like, what stands behind each number: (":", ":", "") of 90:12:05, ("h ", "m") of 1h 30m, which are read as
    324,725 seconds and as 90 minutes."""
    steps: tuple[int, ...] = ()
    """How many of the next one each of these but the last holds: (60, 60)."""
    digits: tuple[int, ...] = ()
    """How many digits each has at least."""

    @property
    def is_bare(self) -> bool:
        """Whether nothing but digits and marks is written."""
        return not self.prefix and not self.suffix

    def plain(self, text: str) -> str | None:
        """The number as Python writes it, None where the text does not follow this notation."""
        if self.behind:
            return self._joined(text)
        if self.minus != "-":
            if "-" in text:
                return None
            text = text.replace(self.minus, "-")
        if self.plus:
            if text[:1] not in "+-":
                return None
            text = text.removeprefix("+")
        match = _SHAPE.fullmatch(text)
        if match is None or match["prefix"] != self.prefix or match["suffix"] != self.suffix:
            return None
        signs = [bool(match["open"] and match["close"]), bool(match["minus"]), bool(match["inner"]), bool(match["after"])]
        if sum(signs) > 1 or bool(match["open"]) != bool(match["close"]):
            return None
        whole, mark, decimals = match["body"].partition(self.point)
        if self.group:
            parts = whole.split(self.group)
            if not all(part.isdigit() for part in parts) or parts != self.grouped("".join(parts)):
                return None
            whole = "".join(parts)
        if (whole and not whole.isdigit()) or (mark and not decimals.isdigit()) or (len(whole) > 1 and whole[0] == "0"):
            return None
        number = f"{whole or '0'}{'.' if mark else ''}{decimals}"
        sign = "-" if any(signs) else ""
        made = f"{sign}{number}"
        return made if not sign or self.text(made).replace(self.minus, "-") == text else None

    def grouped(self, digits: str) -> list[str]:
        """Digits in their groups, the last of three."""
        size, ends = 2 if self.pairs else 3, digits[-3:]
        before = digits[:-3]
        short = len(before) % size
        return [
            part for part in (before[:short], *(before[at : at + size] for at in range(short, len(before), size)), ends) if part
        ]

    def text(self, number: str) -> str:
        """A number as Python writes it, in this notation."""
        if not _PLAIN.fullmatch(number):
            return number
        sign, size = ("-", number[1:]) if number.startswith("-") else ("", number)
        if "e" in size.lower():
            size = f"{float(size):.17f}".rstrip("0").rstrip(".")
        if self.behind:
            return f"{sign}{self.prefix}{self._parted(size)}"
        whole, mark, decimals = size.partition(".")
        if self.group:
            whole = self.group.join(self.grouped(whole))
        body = f"{whole}{self.point if mark else ''}{decimals}"
        if not sign:
            return f"{'+' * self.plus}{self.prefix}{body}{self.suffix}"
        made = {
            "-": f"-{self.prefix}{body}{self.suffix}",
            "inner": f"{self.prefix}-{body}{self.suffix}",
            "after": f"{self.prefix}{body}{self.suffix}-",
            "()": f"({self.prefix}{body}{self.suffix})",
        }[self.negative]
        return made.replace("-", self.minus)

    def _joined(self, text: str) -> str | None:
        """A compound of numbers, as how many of the last one it is."""
        found = _compound(text)
        if found is None or (found[0], found[2]) != (self.prefix, self.behind):
            return None
        _, numbers, _, negative = found
        if any(float(number) >= step for number, step in zip(numbers[1:], self.steps, strict=True)):
            return None
        whole, mark, decimals = numbers[-1].partition(".")
        total = 0
        for number, step in zip(numbers[:-1], self.steps, strict=True):
            total = (total + int(number)) * step
        made = f"{'-' * negative}{total + int(whole)}{mark}{decimals}"
        return made if self.text(made) == text else None

    def _parted(self, size: str) -> str:
        """So many of the last one, as a compound of numbers."""
        whole, mark, decimals = size.partition(".")
        left, parts = int(whole or "0"), []
        for step in reversed(self.steps):
            left, part = divmod(left, step)
            parts.append(str(part))
        parts.append(str(left))
        written = [part.zfill(digits) for part, digits in zip(reversed(parts), self.digits, strict=True)]
        written[-1] += mark + decimals
        return "".join(f"{part}{behind}" for part, behind in zip(written, self.behind, strict=True))

    def follows(self, texts: Iterable[str]) -> bool:
        """Whether all of these texts are numbers in this notation, and are written so again."""
        return all((number := self.plain(text)) is not None and self.text(number) == text for text in texts)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Notation:
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()})


def notations(columns: Mapping[str, Sequence[str]]) -> dict[str, Notation]:
    """How the numbers of these columns of texts are written, for those that are numbers, but not as Python writes them.

    A comma or point before three digits may stand before decimals or between thousands. What the column itself does not tell is taken from
    the other columns; where these do not tell it either, a comma is between thousands, and a point before decimals.
    """
    able = {name: found for name, texts in columns.items() if (found := _able(texts))}
    sure = Counter(ways[0].point for ways in able.values() if len({way.point for way in ways}) == 1 and _tells(ways[0]))
    chosen = {}
    for name, ways in able.items():
        points = [point for point, _ in sure.most_common() if any(way.point == point for way in ways)]
        fitting = [way for way in ways if way.point == points[0]] if len(sure) == 1 and points else ways
        if fitting[0] != Notation():
            chosen[name] = fitting[0]
    return chosen


def _tells(way: Notation) -> bool:
    return bool(way.group) or way.point == ","


def _able(texts: Sequence[str]) -> list[Notation]:
    """The ways that write exactly these texts, the likeliest first; none where no text is a number that needs one."""
    looked = list(islice(texts, LOOKED_AT))
    if _compound_way(looked) is not None:
        compound = _compound_way(texts)
        return [] if compound is None else [compound]
    minus = "−" if any("−" in text for text in looked) else "-"
    if minus != "-":
        if any("-" in text for text in looked):
            return []
        ways = _able([text.replace(minus, "-") for text in texts]) or [Notation()]
        return [way for way in (replace(way, minus=minus) for way in ways) if way.follows(looked) and way.follows(texts)]
    if any(text.startswith("+") for text in looked):
        ways = _able([text.removeprefix("+") for text in texts])
        signed = [replace(way, plus=True) for way in ways if way.prefix or way.suffix]
        return [way for way in signed if way.follows(looked) and way.follows(texts)]
    matches = [_SHAPE.fullmatch(text) for text in looked]
    if not looked or any(match is None for match in matches):
        return []
    known = [match for match in matches if match is not None]
    fixes = {(match["prefix"], match["suffix"]) for match in known}
    if len(fixes) != 1:
        return []
    prefix, suffix = fixes.pop()
    scaled = bool(_AT_ONCE.fullmatch(suffix)) or (suffix in _SCALES and any(category(sign) == "Sc" for sign in prefix))
    if not (_is_unit(prefix, _BEFORE) and (scaled or _is_unit(suffix, _BEHIND))):
        return []
    bodies = [match["body"] for match in known]
    marks = {mark for body in bodies for mark in GROUPS if mark in body}
    negative = next(
        (
            way
            for match in known
            for way, seen in (("()", match["open"]), ("-", match["minus"]), ("inner", match["inner"]), ("after", match["after"]))
            if seen
        ),
        "-",
    )
    if negative == "-" and not prefix and not suffix and not marks - {"."}:
        pairs = [("", ".")] if "." not in marks else []
        pairs += [(".", ",")] if "." in marks and _are_thousands(bodies, ".") else []
        if len(pairs) < 1 or (pairs == [("", ".")]):
            return []
        ways = [Notation(), *(Notation(group=group, point=point) for group, point in pairs)]
        return [way for way in ways if way.follows(looked) and way.follows(texts)]
    pairs = [(",", "."), (".", ","), ("", "."), ("", ","), *((group, point) for group in GROUPS[2:] for point in ".,")]
    pairs = [(group, point) for group, point in pairs if not group or group in marks]
    pairs = [(group, point) for group, point in pairs if point in marks or (point == ".") == (group != ".")]
    found = [
        way
        for group, point in pairs
        for pairs_of_digits in ((False, True) if group == "," and prefix + suffix else (False,))
        for way in (Notation(prefix=prefix, suffix=suffix, group=group, point=point, negative=negative, pairs=pairs_of_digits),)
        if way.follows(looked) and way.follows(texts)
    ]
    return sorted(found, key=lambda way: (way.point in marks and way.group == "" and way.point == ",", way.group == "."))


def _compound(text: str) -> tuple[str, list[str], tuple[str, ...], bool] | None:
    """What stands before two or more numbers, the numbers, what stands behind each, and whether all is below 0."""
    match = _COMPOUND.fullmatch(text)
    if match is None:
        return None
    pieces = _PIECES.findall(match["rest"])
    return match["prefix"], [number for number, _ in pieces], tuple(behind for _, behind in pieces), bool(match["minus"])


def _compound_way(texts: Sequence[str]) -> Notation | None:
    """How durations, feet and inches and the like are written here: 90:12:05, 1h 30m, PT1H30M, 5'11"; None where these are none, or where
    one of these texts is written in another way."""
    found = [_compound(text) for text in texts]
    if not found or found[0] is None:
        return None
    prefix, _, behind, _ = found[0]
    if behind in ((":", ""), (":", ":", "")) and not prefix:
        steps = (60,) * (len(behind) - 1)
    else:
        units = [_UNIT_OF.get(each.strip().rstrip(",").removesuffix("T"), "") for each in behind]
        if units == ["ft", ""]:
            units[1] = "in"
        steps = tuple(_STEPS.get(pair, 0) for pair in pairwise(units))
    if not all(steps):
        return None
    columns = [each[1] for each in found if each is not None]
    if any(len(numbers) != len(behind) for numbers in columns):
        return None
    places = list(zip(*columns, strict=True))
    digits = tuple(min(len(number.partition(".")[0]) for number in place) for place in places)
    if behind[0] == ":" and digits[1:] != (2,) * (len(digits) - 1):
        return None  # 2:1 is a score, or a ratio
    way = Notation(prefix=prefix, behind=behind, steps=steps, digits=digits)
    return way if way.follows(texts) else None


def _are_thousands(bodies: Sequence[str], mark: str) -> bool:
    """Whether these could be numbers with the mark between thousands."""
    return any(mark in body for body in bodies) and all(
        len(body.split(mark)[0]) <= 3 and all(len(part) == 3 for part in body.split(mark)[1:]) and not body.startswith("0")
        for body in bodies
    )


def _is_unit(text: str, letters: re.Pattern[str]) -> bool:
    """Whether what stands beside numbers is a currency or a unit: what stands in names such as A1 and #7 is none."""
    bare = text.strip()
    return not bare or all(category(sign) == "Sc" or sign in _SIGNS for sign in bare) or bool(letters.fullmatch(text))


def notations_of(columns: Mapping[str, Cells], types: Mapping[str, str], requested: Mapping[str, str]) -> dict[str, Notation]:
    """How numbers are written in the columns of text that hold some, where a schema does not say that they are words."""
    texts = {}
    for name, cells in columns.items():
        numeric = requested.get(name) in ("continuous", "integer", "ordinal")
        if (
            is_category(cells.dtype)
            or types[name] in ("personal", "datetime", "boolean", "constant")
            or (name in requested and not numeric)
        ):
            continue
        levels = [level for level, count in zip(cells.levels, cells.counts(), strict=True) if level is not None and count]
        words = [level for level in levels if not isinstance(level, str) or not any(map(str.isdigit, level))]
        if len(words) <= MIXED and len(levels) > 2 * len(words) and all(isinstance(word, str) for word in words):
            texts[name] = [level for level in levels if level not in words]
    return notations(texts)


def undressed(cells: Cells, notation: Notation | None) -> Cells:
    """Cells with their numbers as Python writes them."""
    if notation is None:
        return cells
    plain = [notation.plain(level) if isinstance(level, str) else None for level in cells.levels]
    return Cells(
        [level if own is None else own for level, own in zip(cells.levels, plain, strict=True)], cells.codes, cells.dtype
    )
