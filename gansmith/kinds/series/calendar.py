"""Dates and times of rows: how they are written, how far they are apart, and how they go on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from jaxtyping import Int

from gansmith.errors import UserError

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
)
"""The ways to write a time that are known; the first that reads every row is taken."""
NUMBER = "number"
"""The way to write times that are plain numbers: steps, years, seconds since 1970."""
SLACK = 0.15
"""How much steps may differ and still count as equal: months and years do."""
DAY = 86_400
LONGEST_GAP = 14 * DAY
"""Holidays and closed markets: daily data may skip so much."""


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

    def times(self, count: int) -> list[str]:
        """As many times from the first one of the data on."""
        if self.rule == "numbers":
            return [f"{float(self.start) + self.step * at:.12g}" for at in range(count)]
        first = datetime.strptime(self.start, self.format)
        if self.rule == "weekdays":
            days = np.busday_offset(np.datetime64(first.date()), np.arange(count), roll="forward")
            stamps = [datetime.combine(day, first.time()) for day in days.astype(object)]
        elif self.rule == "months":
            apart = round(self.step / (30.4375 * DAY))
            months = np.datetime64(first, "M") + apart * np.arange(count)
            rest = np.datetime64(first, "s") - np.datetime64(first, "M").astype("datetime64[s]")
            last = (months + 1).astype("datetime64[s]") - np.timedelta64(1, "D")
            stamps = np.minimum(months.astype("datetime64[s]") + rest, last).astype(object)
        else:
            stamps = (np.datetime64(first, "ms") + (1000 * self.step * np.arange(count)).astype("timedelta64[ms]")).astype(object)
        return [stamp.strftime(self.format) for stamp in stamps]

    def places(self, cells: Sequence[str]) -> Int[np.ndarray, " rows"]:
        """How many steps after the first one of them each of these times lies."""
        seconds = seconds_of(cells, self.format)
        return np.round((seconds - seconds[0]) / self.step).astype(int)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


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
        None,
    )


def _reads(cell: str, known: str) -> bool:
    try:
        datetime.strptime(cell, known)
    except ValueError:
        return False
    return True


def seconds_of(cells: Sequence[str], known: str) -> np.ndarray:
    """The times as seconds since 1970; plain numbers as they are."""
    if known == NUMBER:
        return np.array(cells, np.float64)
    return np.array([np.datetime64(datetime.strptime(cell, known), "ms") for cell in cells]).astype(np.int64) / 1000


def calendar_of(column: str, cells: Sequence[str], known: str, lines: Sequence[int], where: str, gaps: bool = False) -> Calendar:
    """The calendar of one sequence. Raises UserError for times that are not in order, occur twice or are unequally spaced; with `gaps`
    steps may be left out.

    `lines` are the numbers of the rows in the file `where`, for messages.
    """
    seconds = seconds_of(cells, known)
    steps = np.diff(seconds)
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
            raise UserError(f"{column} {cells[row]} in line {lines[row]} of {where} {what}: {mend}.")
    step = float(np.median(steps)) if len(steps) else float(DAY)
    uneven = np.abs(steps - step) > SLACK * step
    if step == DAY:
        uneven = (steps % DAY != 0) | (steps > LONGEST_GAP)
    if gaps:
        uneven &= np.abs(steps / step - np.round(steps / step)) > SLACK
    if uneven.any():
        row = int(np.argmax(uneven)) + 1
        raise UserError(
            f"{column} {cells[row]} in line {lines[row]} of {where} is {_said(steps[row - 1], known)} after the row above, where steps "
            f"are {_said(step, known)}: resample to equal steps, fill gaps in with --fill linear, or remove the column {column}."
        )
    if known == NUMBER:
        return Calendar(column, known, cells[0], step, "numbers")
    weekdays = {datetime.strptime(cell, known).weekday() for cell in cells[:1000]} if step == DAY else set()
    rule = "weekdays" if step == DAY and len(cells) > 5 and not weekdays & {5, 6} else "seconds"
    if 27 * DAY < step < 400 * DAY and not np.allclose(steps, step):
        rule = "months"
    return Calendar(column, known, cells[0], step, rule)


def _said(seconds: float, known: str) -> str:
    """A length of time in the largest fitting unit."""
    if known == NUMBER:
        return f"{seconds:g}"
    for name, length in (("days", DAY), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= length:
            return f"{seconds / length:g} {name if abs(seconds) != length else name[:-1]}"
    return f"{seconds:g} seconds"
