"""Dates and times of rows: how they are written, how far they are apart, and how they go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from jaxtyping import Int

from gansmith.errors import UserError
from gansmith.kinds.series.holidays import checked, closed_days, holidays_of

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y",
    "%Y-%m",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%d-%m-%Y",
    "%d-%m-%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%b %d, %Y",
    "%d-%b-%Y",
    "%G-W%V",
    "%GW%V",
    "%YQ%q",
    "%Y-Q%q",
    "%Y Q%q",
    "Q%q %Y",
    "Q%q-%Y",
    "Q%q/%Y",
)
"""The ways to write a time that are known; the first that reads every row is taken."""
NUMBER = "number"
"""The way to write times that are plain numbers: steps, years, seconds since 1970."""
SLACK = 0.15
"""How much steps may differ and still count as equal: months and years do."""
DAY = 86_400
CLOSED, LONGEST_CLOSED = 0.06, 8
"""Holidays and closed markets: data of weekdays may skip this share of them, and so many at once."""
OFFSET = re.compile(r"(:\d\d(?:\.\d+)?)(\s?)(Z|[+-]\d\d:?\d\d)$")
"""An offset from UTC behind a time of day."""
WELL_KNOWN = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/London", "Europe/Berlin")
WELL_KNOWN += ("Europe/Helsinki", "Australia/Sydney", "America/Sao_Paulo", "Asia/Jerusalem")
"""Time zones that are tried first."""


@dataclass(frozen=True)
class Calendar:
    """Equally spaced times, written as in the source."""

    column: str
    """The name of the column."""
    format: str
    start: str
    """The first time of the data, as it is written."""
    step: float
    """Seconds from row to row; days of the week that never occur are skipped, and months counted as such. Plain numbers have no unit."""
    rule: str
    """"seconds", "weekdays", "months" or "numbers"."""
    mask: str = ""
    """Of weekdays: for Monday to Sunday whether it occurs ("1111110"); Monday to Friday if it is empty."""
    anchor: str = ""
    """Of months the day: "last", "first weekday", "last weekday", a number; that of the start if it is empty."""
    zone: str = ""
    """The time zone, where its offset from UTC changes."""
    closed: tuple[str, ...] = ()
    """Of weekdays the holidays that are left out; see `holidays`."""

    def __post_init__(self) -> None:
        """Raises UserError for holidays that are none."""
        object.__setattr__(self, "closed", checked(self.closed))

    def times(self, count: int) -> list[str]:
        """As many times from the first one of the data on."""
        if self.rule == "numbers":
            return [f"{float(self.start) + self.step * at:.12g}" for at in range(count)]
        first = read_time(self.start, self.format, self._local)
        if self.rule == "weekdays":
            begin = first.date()
            reach = timedelta(days=int(count * 7 / self._mask.count("1") * (1 + 2 * CLOSED)) + 366)
            closed = closed_days(self.closed, begin, begin + min(reach, date.max - begin))
            days = np.busday_offset(np.datetime64(begin), np.arange(count), roll="forward", weekmask=self._mask, holidays=closed)
            stamps = [datetime.combine(day, first.time()) for day in days.astype(object)]
        elif self.rule == "months":
            months = np.datetime64(first, "M") + self._months * np.arange(count)
            stamps = [
                datetime.combine(day, first.time()) for day in days_in(months, self.anchor or str(first.day)).astype(object)
            ]
        else:
            stamps = (np.datetime64(first, "ms") + (1000 * self.step * np.arange(count)).astype("timedelta64[ms]")).astype(object)
        return [written_time(stamp, self.format, self.zone, self._local) for stamp in stamps]

    def places(self, cells: Sequence[str]) -> Int[np.ndarray, " rows"]:
        """How many steps after the first one of them each of these times lies."""
        seconds = seconds_of(cells, self.format, self._local)
        if self.rule in ("weekdays", "months"):
            days = (1000 * seconds).astype("datetime64[ms]").astype("datetime64[D]")
            if self.rule == "weekdays":
                closed = closed_days(self.closed, days[0].astype(object), days[-1].astype(object))
                return np.busday_count(days[0], days, weekmask=self._mask, holidays=closed).astype(int)
            months = days.astype("datetime64[M]").astype(int)
            return (months - months[0]) // self._months
        return np.round((seconds - seconds[0]) / self.step).astype(int)

    def is_like(self, other: Calendar) -> bool:
        """Whether both go on in the same way."""
        if self.rule == other.rule == "months":
            return self._months == other._months
        return self.rule == other.rule and bool(np.isclose(self.step, other.step, rtol=SLACK))

    @property
    def said(self) -> str:
        """How far times are apart, for people."""
        if self.rule == "months":
            return f"{self._months} month{'s' if self._months > 1 else ''}"
        return _said(self.step, self.format)

    @property
    def _months(self) -> int:
        return max(1, round(self.step / (30.4375 * DAY)))

    @property
    def _mask(self) -> str:
        return self.mask or "1111100"

    @property
    def _local(self) -> bool:
        return self.rule != "seconds" or self.step >= DAY

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        for field in fields(self)[-4:]:  # younger ones are left out where they say nothing, so that older files stay as they are
            if facts[field.name] == field.default:
                del facts[field.name]
        return facts


def format_of(cells: Sequence[str]) -> str | None:
    """The first known way to write times that reads all of these; None if none does. Bare numbers are no times."""
    if not cells or all(cell.replace(".", "", 1).lstrip("-").isdigit() and len(cell) != 8 for cell in cells[:3]):
        return None
    return next(
        (
            known
            for known in FORMATS
            if all(_reads(cell, known) for cell in (*cells[:3], cells[-1])) and all(_reads(cell, known) for cell in cells)
        ),
        _zoned_format(cells),
    )


def _zoned_format(cells: Sequence[str]) -> str | None:
    """The format of times with an offset from UTC; one that never changes is a part of it as it is written."""
    matches = [OFFSET.search(cell) for cell in cells]
    offsets = {match[3] for match in matches if match}
    if None in matches or not offsets:
        return None
    known = format_of([OFFSET.sub(r"\1", cell) for cell in cells])
    if known is None or OFFSET.search(known):
        return None
    gap = " " if all(match[2] for match in matches if match) else ""
    return known + gap + (offsets.pop() if len(offsets) == 1 else "%:z" if all(":" in offset for offset in offsets) else "%z")


def _reads(cell: str, known: str) -> bool:
    try:
        read_time(cell, known)
    except ValueError:
        return False
    return True


def read_time(cell: str, known: str, local: bool = False) -> datetime:
    """The time that a text of this format spells: in UTC where offsets change, unless it is to be the local one.

    Weeks are their Mondays and quarters their first days. Raises ValueError for a text of another format.
    """
    if "%q" in known:
        match = re.fullmatch(re.escape(known).replace("%Y", r"(?P<year>\d{4})").replace("%q", "(?P<quarter>[1-4])"), cell)
        if match is None:
            raise ValueError(f"{cell} is no quarter")
        return datetime(int(match["year"]), 3 * int(match["quarter"]) - 2, 1)
    if known.endswith("%V"):
        return datetime.strptime(f"{cell}-1", f"{known}-%u")
    moment = datetime.strptime(cell, known.replace("%:z", "%z"))
    if moment.tzinfo is None:
        return moment
    return (moment if local else moment.astimezone(UTC)).replace(tzinfo=None)


def written_time(moment: datetime, known: str, zone: str = "", local: bool = False) -> str:
    """A time as text of this format: with a zone it is in UTC, unless it is the local one."""
    if zone:
        place = ZoneInfo(zone)
        moment = moment.replace(tzinfo=place) if local else moment.replace(tzinfo=UTC).astimezone(place)
    if "%q" in known:
        known = known.replace("%q", str((moment.month + 2) // 3))
    if "%:z" in known:
        offset = moment.strftime("%z")
        known = known.replace("%:z", f"{offset[:3]}:{offset[3:5]}")
    return moment.strftime(known)


def seconds_of(cells: Sequence[str], known: str, local: bool = False) -> np.ndarray:
    """The times as seconds since 1970; plain numbers as they are."""
    if known == NUMBER:
        return np.array(cells, np.float64)
    return np.array([np.datetime64(read_time(cell, known, local), "ms") for cell in cells]).astype(np.int64) / 1000


def calendar_of(column: str, cells: Sequence[str], known: str, lines: Sequence[int], where: str, gaps: bool = False) -> Calendar:
    """The calendar of one sequence. Raises UserError for times that are not in order, occur twice or are unequally spaced; with `gaps`
    steps may be left out.

    `lines` are the numbers of the rows in the file `where`, for messages.
    """
    seconds = seconds_of(cells, known)
    zone = ""
    if known.endswith(("%z", "%:z")):
        zone = _zone_of(cells, known)
        if len(cells) > 1 and float(np.median(np.diff(seconds))) >= DAY - 3600:
            seconds = seconds_of(cells, known, local=True)
    steps = np.diff(seconds)
    step = float(np.median(steps)) if len(steps) else float(DAY)
    for bad, what, mend in (
        (
            steps < 0,
            "comes before the row above",
            "sort the rows by time, or name the column that tells the sequences apart with --entity",
        ),
        (
            steps == 0,
            "occurs twice",
            "keep one row for each time, or name the column that tells the sequences apart with --entity",
        ),
    ):
        if bad.any():
            row = int(np.argmax(bad)) + 1
            if steps[row - 1] == step - 3600:
                mend = f"it is the hour that daylight saving repeats, so give times in UTC or with their offset; else {mend}"
            raise UserError(f"{column} {cells[row]} in line {lines[row]} of {where} {what}: {mend}.")
    found = _rule_of(column, cells, known, seconds, step, zone)
    uneven = _uneven(found, seconds, steps, gaps)
    if uneven.any():
        row = int(np.argmax(uneven)) + 1
        saving = "the hour that daylight saving leaves out is missing: give times in UTC or with their offset, or "
        hint = saving if step < DAY and steps[row - 1] == step + 3600 else ""
        raise UserError(
            f"{column} {cells[row]} in line {lines[row]} of {where} is {_said(steps[row - 1], known)} after the row above, where steps "
            f"are {found.said}: {hint}resample to equal steps, fill gaps in with --fill linear, or remove the column {column}."
        )
    return found if gaps or found.rule != "weekdays" else replace(found, closed=_closed(found, seconds))


def _closed(found: Calendar, seconds: np.ndarray) -> tuple[str, ...]:
    """The holidays among the weekdays that are left out."""
    days = (1000 * seconds).astype("datetime64[ms]").astype("datetime64[D]")
    mask = found.mask or "1111100"
    every = np.arange(days[0], days[-1] + 1)
    missing = np.setdiff1d(every[np.is_busday(every, weekmask=mask)], days)
    return holidays_of(missing, days[0].astype(object), days[-1].astype(object), mask)


def _rule_of(column: str, cells: Sequence[str], known: str, seconds: np.ndarray, step: float, zone: str) -> Calendar:
    """How these times go on."""
    if known == NUMBER:
        return Calendar(column, known, cells[0], step, "numbers")
    days = (1000 * seconds).astype("datetime64[ms]").astype("datetime64[D]")
    if (step == DAY and len(cells) > 5) or (DAY < step < 7 * DAY and len(cells) > 21 and (np.diff(seconds) % DAY == 0).all()):
        occurs = np.bincount((days.astype(int) + 3) % 7, minlength=7) > 0
        if (step == DAY and not occurs[5:].any()) or (not occurs.all() and len(cells) > 21):
            mask = "".join("01"[int(day)] for day in occurs) if len(cells) > 21 else "1111100"
            return Calendar(column, known, cells[0], float(DAY), "weekdays", "" if mask == "1111100" else mask, zone=zone)
    if 27 * DAY < step < 400 * DAY and not np.allclose(np.diff(seconds), step):
        months = days.astype("datetime64[M]")
        ways = ("", "last", "last weekday", "first weekday", str(max(_day(days))))
        anchor = next((way for way in ways if (days_in(months, way or str(_day(days)[0])) == days).all()), "")
        last = (days_in(months, "last") == days).all() and not (_day(days) == _day(days)[0]).all()
        return Calendar(column, known, cells[0], step, "months", anchor="last" if last else anchor, zone=zone)
    return Calendar(column, known, cells[0], step, "seconds", zone=zone)


def _uneven(found: Calendar, seconds: np.ndarray, steps: np.ndarray, gaps: bool) -> np.ndarray:
    """Which steps are no step of the calendar; with `gaps`, several at once are."""
    days = (1000 * seconds).astype("datetime64[ms]").astype("datetime64[D]")
    if found.rule == "weekdays":
        missing = np.busday_count(days[:-1], days[1:], weekmask=found.mask or "1111100") - 1
        few = missing.sum() <= max(LONGEST_CLOSED, CLOSED * len(days)) and (missing <= LONGEST_CLOSED).all()
        return (steps % DAY != 0) | ((missing > 0) & (not few and not gaps))
    if found.rule == "months":
        apart = np.diff(days.astype("datetime64[M]").astype(int))
        return (apart % found._months != 0) | ((apart > found._months) & (not gaps)) | (apart == 0)
    uneven = np.abs(steps - found.step) > (SLACK * found.step if found.step != DAY else 0)
    return uneven & (np.abs(steps / found.step - np.round(steps / found.step)) > SLACK) if gaps else uneven


def days_in(months: np.ndarray, anchor: str) -> np.ndarray:
    """The day of each month that the anchor names; a number beyond its last day is the last."""
    if "weekday" in anchor:
        start = months if anchor.startswith("first") else months + 1
        back = 0 if anchor.startswith("first") else -1
        return np.busday_offset(start.astype("datetime64[D]"), back, roll="forward")
    last = (months + 1).astype("datetime64[D]") - 1
    return last if anchor == "last" else np.minimum(last, months.astype("datetime64[D]") + int(anchor) - 1)


def _day(days: np.ndarray) -> np.ndarray:
    """The day of the month."""
    return (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1


def _zone_of(cells: Sequence[str], known: str) -> str:
    """A time zone with these offsets, of several the best known. Raises UserError if there is none."""
    moments = [datetime.strptime(cell, known.replace("%:z", "%z")) for cell in cells]
    changes = [at for at in range(1, len(moments)) if moments[at].utcoffset() != moments[at - 1].utcoffset()]
    looked = [moments[at] for at in sorted({0, len(moments) - 1, *(near for at in changes for near in (at - 1, at))})]
    names = sorted(available_timezones(), key=lambda name: (name not in WELL_KNOWN, "/" not in name, name))
    for name in names:
        place = ZoneInfo(name)
        if all(moment.astimezone(place).utcoffset() == moment.utcoffset() for moment in looked):
            return name
    raise UserError(f"offsets from UTC change from {cells[0]} on as in no time zone: give all times in UTC.")


def _said(seconds: float, known: str) -> str:
    """A length of time in the largest fitting unit."""
    if known == NUMBER:
        return f"{seconds:g}"
    for name, length in (("days", DAY), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= length:
            return f"{seconds / length:g} {name if abs(seconds) != length else name[:-1]}"
    return f"{seconds:g} seconds"
