"""The table of scores: every value between its trivial baseline and its ceiling."""

from collections.abc import Mapping, Sequence
from typing import Any

from gansmith.metrics.registry import Subject, subjects
from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import count, finite, significant
from gansmith.report.records import Record

BASELINE_AT, CEILING_AT = 12.0, 88.0
"""Where the two companions stand on the bar, in percent of its length; what lies beyond them stays visible."""
GROUPS: dict[Subject, tuple[str, str]] = {
    "both": ("Quality and diversity in one", "how near the distributions are, but not which of the two is wrong"),
    "quality": ("Quality", "do generated examples look real? One good example over and over would pass"),
    "diversity": (
        "Diversity",
        "is everything there that the data hold? Noise passes those that look at generated examples alone",
    ),
    "memorisation": ("Memorisation", "are they new? Copies of training examples pass all of the above"),
    "other": ("Other", "what the groups above do not cover"),
}
"""Heading and caption of what scores tell of, in the order of the page."""


def newest(evaluations: Sequence[Record]) -> list[Record]:
    """The last record of every score, in the order in which the scores first appeared."""
    last: dict[str, Record] = {}
    for record in evaluations:
        if finite(record.get("value")) is not None:
            last[str(record.get("name", "unnamed"))] = record
    return list(last.values())


def score_table(evaluations: Sequence[Record], skipped: Mapping[str, Any] | None = None) -> Markup | None:
    """The scores by what they tell of, and notes below: remarks, and why metrics were skipped. None if there is no finite value."""
    records = newest(evaluations)
    if not records:
        return None
    latest = max(finite(record.get("samples_seen")) or 0 for record in records)
    shared = {key: _shared(records, key) for key in ("baseline_name", "rival_name", "seed")}
    told: dict[Subject, list[Markup]] = {}
    for record in records:
        told.setdefault(subjects().get(_metric(record), "other"), []).append(_row(record, latest, shared))
    heads = ["Score", "Value", "From baseline to ceiling", "Baseline", "Ceiling", "Judged on"]
    if shared["rival_name"]:
        heads.insert(4, shared["rival_name"])
    table = tag(
        "table",
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        *(_group(subject, told[subject], len(heads)) for subject in GROUPS if subject in told),
        class_="scores",
    )
    return join(table, _notes(records, shared, skipped or {}))


def _group(subject: Subject, rows: list[Markup], columns: int) -> Markup:
    heading, caption = GROUPS[subject]
    head = tag("th", heading, " ", _small(caption), colspan=columns, scope="rowgroup", class_="group")
    return tag("tbody", tag("tr", head), *rows)


def _shared(records: Sequence[Record], key: str) -> str | None:
    """What all records that say it have in common, to be said once."""
    found = {str(record[key]) for record in records if record.get(key) not in (None, "")}
    return found.pop() if len(found) == 1 else None


def _notes(records: Sequence[Record], shared: Mapping[str, str | None], skipped: Mapping[str, Any]) -> Markup | None:
    notes: dict[str, list[str]] = {}
    for record in records:
        if record.get("note"):
            notes.setdefault(str(record["note"]), []).append(_metric(record))
    said = [("baseline", shared["baseline_name"])] if shared["baseline_name"] else []
    said += [("seed", shared["seed"])] if shared["seed"] is not None else []
    said += [(", ".join(dict.fromkeys(names)), note) for note, names in notes.items()]
    said += [(f"{metric} skipped", str(reason)) for metric, reason in skipped.items()]
    return tag("ul", *(tag("li", tag("b", name), " ", note) for name, note in said), class_="notes") if said else None


def _metric(record: Record) -> str:
    return str(record.get("name", "unnamed")).partition("[")[0]


def _row(record: Record, latest: float, shared: Mapping[str, str | None]) -> Markup:
    space = str(record.get("name", "unnamed")).partition("[")[2]
    better = record.get("better")
    direction = f"{better} is better" if better in ("lower", "higher") else ""
    about = ", ".join(part for part in (space.removesuffix("]"), direction) if part)
    low, high = finite(record.get("low")), finite(record.get("high"))
    interval = f"{significant(low)} to {significant(high)}" if low is not None and high is not None else "no interval"
    baseline_name = record.get("baseline_name") if shared["baseline_name"] is None else None
    return tag(
        "tr",
        tag("th", _metric(record), _small(about), scope="row"),
        _cell("Value", tag("strong", significant(float(record["value"]))), _small(interval)),
        _cell("Place", _bar(record) or "—", _small("no scale: the baseline is beyond the ceiling" if _beyond(record) else None)),
        _cell("Baseline", _optional(record.get("baseline")), _small(baseline_name)),
        _cell(shared["rival_name"], _optional(record.get("rival"))) if shared["rival_name"] else None,
        _cell("Ceiling", _optional(record.get("ceiling"))),
        _cell("Judged on", *_judged(record, latest, shared["seed"] is None)),
    )


def _judged(record: Record, latest: float, with_seed: bool) -> list[Markup | str | None]:
    samples, seed, seen = finite(record.get("samples")), record.get("seed"), finite(record.get("samples_seen"))
    return [
        f"{count(samples)} examples" if samples is not None else "—",
        _small(f"seed {seed}" if with_seed and seed is not None else None),
        _small(f"after {count(seen)} samples" if seen is not None and seen < latest else None),
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


def _beyond(record: Record) -> bool:
    """Whether the baseline is better than the ceiling: noise is new, for example, and newer than any real example."""
    baseline, ceiling = finite(record.get("baseline")), finite(record.get("ceiling"))
    if baseline is None or ceiling is None:
        return False
    return ceiling > baseline if record.get("better") == "lower" else record.get("better") == "higher" and ceiling < baseline


def _bar(record: Record) -> Markup | None:
    """A dot with its interval between two marks. Lower-is-better needs no case of its own: the ceiling is always right."""
    value, baseline, ceiling = (finite(record.get(key)) for key in ("value", "baseline", "ceiling"))
    if value is None or baseline is None or ceiling is None or baseline == ceiling or _beyond(record):
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
