"""The table of scores: every value between its trivial baseline and its ceiling."""

from collections.abc import Sequence
from typing import Any

from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import count, finite, significant
from gansmith.report.records import Record

BASELINE_AT, CEILING_AT = 12.0, 88.0
"""Where the two companions stand on the bar, in percent of its length; what lies beyond them stays visible."""


def newest(evaluations: Sequence[Record]) -> list[Record]:
    """The last record of every score, in the order in which the scores first appeared."""
    last: dict[str, Record] = {}
    for record in evaluations:
        if finite(record.get("value")) is not None:
            last[str(record.get("name", "unnamed"))] = record
    return list(last.values())


def score_table(evaluations: Sequence[Record]) -> Markup | None:
    """None if no score has a finite value."""
    records = newest(evaluations)
    if not records:
        return None
    latest = max(finite(record.get("samples_seen")) or 0 for record in records)
    heads = ("Score", "Value", "From baseline to ceiling", "Baseline", "Ceiling", "Judged on")
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        tag("tbody", *(_row(record, latest) for record in records)),
        class_="scores",
    )


def _row(record: Record, latest: float) -> Markup:
    name, _, space = str(record.get("name", "unnamed")).partition("[")
    better = record.get("better")
    direction = f"{better} is better" if better in ("lower", "higher") else None
    low, high = finite(record.get("low")), finite(record.get("high"))
    interval = f"{significant(low)} to {significant(high)}" if low is not None and high is not None else "no interval"
    return tag(
        "tr",
        tag("th", name, _small(space.removesuffix("]")), _small(direction), scope="row"),
        _cell("Value", tag("strong", significant(float(record["value"]))), _small(interval)),
        _cell("Place", _bar(record) or "—"),
        _cell("Baseline", _optional(record.get("baseline")), _small(record.get("baseline_name"))),
        _cell(
            "Ceiling", _optional(record.get("ceiling")), _small("real against real" if finite(record.get("ceiling")) else None)
        ),
        _cell("Judged on", *_judged(record, latest)),
    )


def _judged(record: Record, latest: float) -> list[Markup | str | None]:
    samples, seed, seen = finite(record.get("samples")), record.get("seed"), finite(record.get("samples_seen"))
    return [
        f"{count(samples)} examples" if samples is not None else "—",
        _small(f"seed {seed}" if seed is not None else None),
        _small(f"after {count(seen)} samples" if seen is not None and seen < latest else None),
        _small(record.get("note")),
    ]


def _cell(label: str, *children: Markup | str | None) -> Markup:
    return tag("td", tag("div", *children), data_label=label)


def _small(text: Any) -> Markup | None:
    return tag("small", str(text)) if text else None


def _optional(value: Any) -> str:
    number = finite(value)
    return "—" if number is None else significant(number)


def place(value: float, baseline: float, ceiling: float) -> float:
    """Where a value stands on the bar, in percent of its length from the left; kept inside the bar."""
    share = (value - baseline) / (ceiling - baseline)
    return min(99.0, max(1.0, BASELINE_AT + share * (CEILING_AT - BASELINE_AT)))


def _bar(record: Record) -> Markup | None:
    """A dot with its interval between two marks. Lower-is-better needs no case of its own: the ceiling is always right."""
    value, baseline, ceiling = (finite(record.get(key)) for key in ("value", "baseline", "ceiling"))
    if value is None or baseline is None or ceiling is None or baseline == ceiling:
        return None
    at = place(value, baseline, ceiling)
    low, high = finite(record.get("low")), finite(record.get("high"))
    ends = sorted(place(value if end is None else end, baseline, ceiling) for end in (low, high))
    share = (value - baseline) / (ceiling - baseline)
    words = f"{share:.0%} of the way from baseline to ceiling"
    if share < 0:
        words = "worse than the baseline"
    elif share > 1:
        words = "beyond the ceiling"
    marks = join(
        tag("line", x1="0%", x2="100%", y1=12, y2=12, class_="track"),
        tag("line", x1=f"{BASELINE_AT}%", x2=f"{at:.2f}%", y1=12, y2=12, class_="reach") if share > 0 else None,
        tag("line", x1=f"{BASELINE_AT}%", x2=f"{BASELINE_AT}%", y1=6, y2=18, class_="mark"),
        tag("line", x1=f"{CEILING_AT}%", x2=f"{CEILING_AT}%", y1=6, y2=18, class_="mark"),
        tag("line", x1=f"{ends[0]:.2f}%", x2=f"{ends[1]:.2f}%", y1=12, y2=12, class_="interval"),
        tag("circle", cx=f"{at:.2f}%", cy=12, r=4.5, class_="worse" if share < 0 else "value"),
    )
    return join(tag("svg", marks, class_="bar", height=24, role="img", aria_label=words), tag("small", words))
