"""Days on which nothing happens: holidays that return each year are found in the weekdays that data leave out, others are kept as dates.

A holiday is written as `12-25` (that day, where it is no weekend), `12-25+` (on the Monday after, if it is a Sunday), `12-25~` (on the
Friday before, too, if it is a Saturday), `12-25>` (on the Monday after both), `11/4/3` (the fourth Thursday of November, Mondays being 0;
-1 is the last) or `easter-2` (so many days after Easter Sunday), each with `@1998` for its first year; other days as `2001-09-11`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from gansmith.errors import UserError

AROUND_EASTER = (-48, -47, -3, -2, 1, 39, 50, 60)
"""Carnival, Maundy Thursday, Good Friday, Easter Monday, Ascension, Whit Monday, Corpus Christi."""
OBSERVED = {"": (0, 0), "+": (0, 1), "~": (-1, 1), ">": (2, 1)}
"""By how many days a holiday moves that falls on a Saturday, or a Sunday."""
SURE = 3
"""A holiday is left out in at least so many years, or in all years of shorter data, but never in fewer than two."""


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Butcher's algorithm, Nature 1876)."""
    a, b, c = year % 19, *divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    over = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * over) // 451
    month, day = divmod(h + over - 7 * m + 114, 31)
    return date(year, month, day + 1)


def day_of(rule: str, year: int) -> date | None:
    """The day of a holiday in a year; None for the 29th of February in most.

    Raises UserError for a rule that is none.
    """
    try:
        if rule.startswith("easter"):
            return easter(year) + timedelta(days=int(rule.removeprefix("easter")))
        if "/" in rule:
            month, count, weekday = map(int, rule.split("/"))
            first = date(year, month, 1)
            after = date(year + month // 12, month % 12 + 1, 1)
            if count > 0:
                return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))
            return after - timedelta(days=(after.weekday() - 1 - weekday) % 7 + 1)
        month, day = map(int, rule[:5].split("-"))
        if (month, day) == (2, 29) and (year % 4 or (not year % 100 and year % 400)):
            return None
        plain = date(year, month, day)
        saturday, sunday = OBSERVED[rule[5:]]
        return plain + timedelta(days={5: saturday, 6: sunday}.get(plain.weekday(), 0))
    except (ValueError, KeyError, OverflowError) as error:
        raise UserError(f"{rule!r:.60} is no holiday: write 12-25, 11/4/3 or easter-2.") from error


def checked(closed: Iterable[str]) -> tuple[str, ...]:
    """The same holidays and dates. Raises UserError for one that is none."""
    for each in (rules := tuple(closed)):
        rule, _, since = str(each).partition("@")
        try:
            if since:
                day_of(rule, int(since))
            else:
                date.fromisoformat(rule)
        except ValueError as error:
            raise UserError(f"{each!r:.60} is no holiday and no date: write 12-25@1998 or 2001-09-11.") from error
    return rules


def closed_days(closed: Iterable[str], first: date, last: date) -> np.ndarray:
    """The days in a range [datetime64[D]] that these holidays and dates close."""
    found: list[date] = []
    for each in closed:
        rule, _, since = each.partition("@")
        if not since:
            found.append(date.fromisoformat(rule))
            continue
        years = range(max(first.year - 1, int(since)), min(last.year + 2, date.max.year))
        found += [day for year in years if (day := day_of(rule, year)) is not None]
    return np.array(sorted({day for day in found if first <= day <= last}), "datetime64[D]")


def holidays_of(missing: np.ndarray, first: date, last: date, mask: str) -> tuple[str, ...]:
    """The holidays and single days that these missing days [datetime64[D]], all of them open by the mask of weekdays, are."""
    left = {day for day in missing.astype(object).tolist() if first <= day <= last}
    every, found = frozenset(left), []
    while left:
        best, gain = "", 0
        for rule in _candidates(left):
            days = [day for day in _days(rule, first, last, mask) if first <= day <= last]
            since = next((at for at in range(len(days)) if all(day in every for day in days[at:])), len(days))
            kept = days[since:]
            new = len(left.intersection(kept))
            if len(kept) >= max(2, min(SURE, len(days))) and new > gain and new >= 2:
                best, gain = f"{rule}@{kept[0].year}", new
        if not best:
            break
        found.append(best)
        left -= set(closed_days([best], first, last).astype(object).tolist())
    return (*sorted(found), *(day.isoformat() for day in sorted(left)))


def _days(rule: str, first: date, last: date, mask: str) -> list[date]:
    """The days of a holiday that would be open, in order."""
    days = (day_of(rule, year) for year in range(max(1, first.year - 1), min(last.year + 2, date.max.year)))
    return [day for day in days if day is not None and mask[day.weekday()] == "1"]


def _candidates(days: Sequence[date] | set[date]) -> Iterator[str]:
    """The holidays that one of these days could be, the plainest first."""
    seen: set[str] = set()
    for day in sorted(days):
        own = [f"{day:%m-%d}"]
        own += [f"easter{offset:+d}" for offset in AROUND_EASTER if easter(day.year) + timedelta(days=offset) == day]
        counted = [f"{day.month}/{(day.day + 6) // 7}/{day.weekday()}"]
        if (day + timedelta(days=7)).month != day.month:  # of Mondays the last are more often holidays than the fourth
            counted.insert(0 if day.weekday() == 0 else 1, f"{day.month}/-1/{day.weekday()}")
        own += counted
        own += [f"{near:%m-%d}{mark}" for mark in "+~>" for near in (day, day - timedelta(days=1), day + timedelta(days=1))]
        own.append(f"{day - timedelta(days=2):%m-%d}>")
        for rule in own:
            if rule not in seen:
                seen.add(rule)
                yield rule
