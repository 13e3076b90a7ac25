"""What is kept of the numbers of a column: no number that fewer than `min_count` rows have, but means of so many."""

import math
from datetime import datetime, timedelta

import numpy as np
from jaxtyping import Float, Int

KNOTS = 1024
"""Up to so many different numbers are remembered each with its share; of more, so many quantiles or means."""
_EPOCH = datetime(1970, 1, 1)
_DAY = 86400.0


def knots_of(
    values: Float[np.ndarray, " different"], counts: Int[np.ndarray, " different"], min_count: int, step: float | None = None
) -> tuple[Float[np.ndarray, " knots"], Float[np.ndarray, " shares"]]:
    """(numbers, shares) of ascending different numbers that so many rows have.

    Where every number is kept, there is one share more than numbers and each is a step; else a number between two knots is as likely as
    any other between them. Frequent numbers are knots twice, at their first and last rank; the others are told as means of at least
    `min_count` rows, and the ends are rounded outwards: of dates, of which one follows after `step` seconds at the earliest, to the
    beginning or end of a year, month, day or hour.
    """
    total = int(counts.sum())
    if len(values) == 0:
        return values, np.empty(0)
    if len(values) <= KNOTS and counts.min() >= min_count:
        return values, np.concatenate([[0.0], counts.cumsum() / total])
    if min_count <= 1:
        shares = np.linspace(0, 1, KNOTS)
        return np.repeat(values, counts)[np.round(shares * (total - 1)).astype(int)], shares
    kept = counts >= max(min_count, total // (4 * KNOTS))
    if kept.sum() > KNOTS:
        kept &= counts >= np.sort(counts[kept])[-KNOTS]
    kept[[0, -1]] = counts[[0, -1]] >= min_count
    after = counts.cumsum()
    group = max(min_count, math.ceil(total / KNOTS))
    numbers: list[np.ndarray] = []
    ranks: list[np.ndarray] = []
    inner = np.searchsorted(after, [0.02 * total, 0.98 * total])
    span = float(values[inner[1]] - values[inner[0]])
    borders = np.flatnonzero(np.diff(kept.astype(int), prepend=2, append=2))
    for first, end in zip(borders, borders[1:], strict=False):
        own, rows = values[first:end], counts[first:end]
        if kept[first]:
            numbers.append(np.repeat(own, 2))
            ranks.append(np.stack([after[first:end] - rows, after[first:end]], 1).ravel())
            continue
        before = int(after[first] - rows[0])
        inside = rows.cumsum()
        few = int(inside[-1]) < min_count
        low, high = _rounded_outwards(own[0], own[-1], span, step)
        low = max(low, values[first - 1]) if first else low
        high = min(high, values[end]) if end < len(values) else high
        if few:  # too few to say more than that they are there
            ends = ([low] if first == 0 else []) + ([high] if end == len(values) else [])
            numbers.append(np.array(ends, np.float64))
            ranks.append(
                np.array(([before] if first == 0 else []) + ([before + inside[-1]] if end == len(values) else []), float)
            )
            continue
        place = (inside - rows) // group
        heads = np.flatnonzero(np.diff(place, prepend=-1))
        weights = np.add.reduceat(rows, heads)
        if weights[-1] < min_count and len(heads) > 1:
            heads, weights = heads[:-1], np.append(weights[:-2], weights[-2:].sum())
        means = np.add.reduceat(own * rows, heads) / weights
        middle = before + weights.cumsum() - weights / 2
        numbers.append(np.concatenate([[low], means, [high]]))
        ranks.append(np.concatenate([[before], middle, [before + inside[-1]]]))
    return np.maximum.accumulate(np.concatenate(numbers)), np.concatenate(ranks) / total


def _rounded_outwards(low: float, high: float, span: float, step: float | None) -> tuple[float, float]:
    """A lower and a higher number, both round."""
    span = max(span, high - low)
    if step is not None:
        lower, higher = _dates_outwards(low, high, span, step or 1.0)
        return min(low, lower), max(high, higher)
    span = span if span > 0 else abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(span / 20))
    unit *= next(step for step in (1, 2, 5, 10) if step * unit >= span / 20 * (1 - 1e-9))
    lower, higher = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
    if low > 0:
        lower = max(lower, _one_digit(low))
    if high < 0:
        higher = min(higher, -_one_digit(-high))
    return min(low, lower), max(high, higher)


def _one_digit(number: float) -> float:
    """The largest number of a single digit and zeros that is not larger."""
    unit = 10.0 ** math.floor(math.log10(number))
    return math.floor(number / unit) * unit


def _dates_outwards(low: float, high: float, span: float, step: float) -> tuple[float, float]:
    """The beginning of the year, month, day, hour or minute of the first, and the end of that of the last."""

    def seconds(moment: datetime) -> float:
        return (moment - _EPOCH).total_seconds()

    try:
        first, last = (_EPOCH + timedelta(seconds=each) for each in (low, high))
        if span > 6 * 365 * _DAY:
            return seconds(datetime(first.year, 1, 1)), seconds(datetime(last.year, 12, 31)) + max(0.0, _DAY - step)
        if span > 180 * _DAY:
            following = datetime(last.year + last.month // 12, last.month % 12 + 1, 1)
            return seconds(datetime(first.year, first.month, 1)), seconds(following) - min(step, _DAY)
    except (OverflowError, ValueError):
        return low, high
    unit = next((unit for unit in (7 * _DAY, _DAY, 3600.0, 60.0) if span > 6 * unit), 1.0)
    lower, higher = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
    if first.date() == last.date():  # times of day stay within the day
        higher = min(higher, (low // _DAY + 1) * _DAY - step)
    return lower, higher
