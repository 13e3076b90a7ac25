"""Dates as they are written in text: the format of a column, recognised from its cells, and the way there and back."""

import re
from collections.abc import Iterator
from datetime import datetime

USUAL = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%Y%m%dT%H%M%S",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d-%b-%Y",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%-m/%-d/%Y",
    "%-d/%-m/%Y",
    "%-d.%-m.%Y",
    "%H:%M:%S",
    "%H:%M",
    "%b %Y",
    "%B %Y",
    "%b-%y",
    "%m/%Y",
    "%Y-%m",
)
"""Formats that are tried first. "%-d" and the like are numbers without a zero before them, "%^b" is a month in capitals, "%P" am or pm."""
ZONED = "zoned"
"""The spelling of dates of several time zones, which come back in UTC."""
LOOKED_AT = 50
"""Texts by which a format is chosen; all must then follow it."""
_ZONE = re.compile(r":\d\d(?:\.\d+)?\s?(Z|[+-]\d\d:?\d\d)$")
_TIME = re.compile(r"(?P<before>T|,? )(?P<hour>\d\d?):\d\d(?P<second>:\d\d)?(?P<part>\.\d{1,6})?(?: ?(?P<half>[AaPp][Mm]))?$")
_PARTS = re.compile(r"(\d+|[A-Za-z]+)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def date_format(texts: list[str]) -> str | None:
    """The format of these dates, None if they are no dates of one format. A time zone that all share is part of it."""
    looked = texts[:LOOKED_AT]
    for form in USUAL:
        if _follows(looked, form) and _follows(texts, form):
            return form
    zones = {match[1] if (match := _ZONE.search(text)) else "" for text in texts}
    if "" in zones or not zones:
        return _of_fewest_years(
            [form for form in formats_like(looked) if _follows(looked, form) and _follows(texts, form)], texts
        )
    if len(zones) > 1:
        return ZONED if all(map(_is_zoned, texts)) else None
    zone = zones.pop()
    bare = date_format([text.removesuffix(zone) for text in texts])
    return bare + zone if bare else None


def formats_like(texts: list[str]) -> Iterator[str]:
    """The formats that the first of these texts could have: any order and mark of day, month and year, months as words, two digits of the
    year, a time behind it, of twelve hours too. Of a day and a month that could be either, the month is first between strokes alone."""
    if not texts or not texts[0].isascii() or "%" in texts[0] or len(texts[0]) > 40:
        return
    text = texts[0]
    time = _TIME.search(text)
    pieces = _PARTS.split(text[: time.start()] if time else text)
    marks, words = pieces[::2], pieces[1::2]
    head = ""
    if len(words) == 4 and words[0].lower()[:3] in _DAYS:  # a weekday before all
        head = ("%A" if len(words[0]) > 3 else "%a") + marks[1]
        marks, words = ["", *marks[2:]], words[1:]
    if len(words) != 3 or marks[0] or marks[3] or not all(0 < len(mark) <= 2 for mark in marks[1:3]):
        return
    for date in _orders(words, marks[1]):
        for clock in _clocks(time) if time else [""]:
            yield f"{head}{date[0]}{marks[1]}{date[1]}{marks[2]}{date[2]}{clock}"


def _orders(words: list[str], mark: str) -> Iterator[tuple[str, ...]]:
    """What each of three parts of a date may be."""
    named = [place for place, word in enumerate(words) if word.isalpha()]
    if len(named) > 1 or (named and words[named[0]].lower()[:3] not in _MONTHS):
        return
    orders = ["mdy", "dmy", "ymd"] if mark == "/" else ["dmy", "mdy", "ymd"]
    for order in orders:
        year, month = order.index("y"), order.index("m")
        if (
            (named and month != named[0])
            or len(words[year]) not in (2, 4)
            or any(len(words[i]) > 2 for i in {0, 1, 2} - {year, *named})
        ):
            continue
        months = ["%m", "%-m"]
        if named:
            whole = "%B" if len(words[month]) > 3 else "%b"
            months = [whole.replace("%", "%^") if words[month].isupper() else whole]
            months += ["%B"] if words[month] == "May" else []
        for own in months:
            for day in ("%d", "%-d") if named or own == "%m" else ("%-d",):
                if own == "%m" and day == "%-d":
                    continue
                parts = {"y": "%Y" if len(words[year]) == 4 else "%y", "m": own, "d": day}
                yield tuple(parts[letter] for letter in order)


def _clocks(time: re.Match[str]) -> Iterator[str]:
    half = "" if not time["half"] else " " * (time[0][-3] == " ") + ("%p" if time["half"].isupper() else "%P")
    for hour in ("%I", "%-I") if half else ("%H", "%-H"):
        yield f"{time['before']}{hour}:%M{':%S' if time['second'] else ''}{'.%f' if time['part'] else ''}{half}"


def _of_fewest_years(forms: list[str], texts: list[str]) -> str | None:
    """Of formats that all fit, as 19-03-01 can be of two, the first by which the dates lie in the fewest years."""
    if len(forms) < 2:
        return forms[0] if forms else None
    return min(forms, key=lambda form: len({read_date(text, form).year for text in texts}))


def _is_zoned(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _follows(texts: list[str], form: str) -> bool:
    try:
        return all(spelled_date(read_date(text, form), form) == text for text in texts)
    except ValueError:
        return False


def read_date(text: str, form: str) -> datetime:
    """The date that a text of this format spells."""
    return datetime.strptime(text, as_read(form))


def as_read(form: str) -> str:
    """The format with marks that Python reads."""
    return form.replace("%-", "%").replace("%^", "%").replace("%P", "%p")


def has_year(form: str) -> bool:
    """Whether dates of this format are days, not times of day; "date" and the like are formats of data frames."""
    return "%" not in form or "%Y" in form or "%y" in form


def spelled_date(moment: datetime, form: str) -> str:
    """A date as text of this format."""
    if "%-" in form:
        for mark, number in (("d", moment.day), ("m", moment.month), ("H", moment.hour), ("I", (moment.hour - 1) % 12 + 1)):
            form = form.replace(f"%-{mark}", str(number))
    for mark in ("b", "B", "p"):
        wanted = "%P" if mark == "p" else f"%^{mark}"
        if wanted in form:
            word = moment.strftime(f"%{mark}")
            form = form.replace(wanted, word.lower() if mark == "p" else word.upper())
    return moment.strftime(form)
