"""Health in words: what the watchers of the run had to say, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from gansmith.report.markup import Markup, tag
from gansmith.report.numbers import count
from gansmith.report.records import Record

LEVELS = ("error", "warning", "notice")
"""From the worst; a level that is not among them counts as the last."""


@dataclass
class Alarm:
    """One kind of alarm, gathered over the ticks that raised it."""

    name: str
    level: str
    sentence: str
    first: float
    last: float
    times: int = 1


def alarms(ticks: Sequence[Record]) -> list[Alarm]:
    """One alarm for every name, with its newest sentence and its worst level; the worst and then the latest first."""
    found: dict[str, Alarm] = {}
    for tick in ticks:
        health = tick.get("health")
        for entry in health if isinstance(health, list) else ():
            if not isinstance(entry, dict):
                continue
            name, level = str(entry.get("name", "health")), str(entry.get("level", "warning"))
            sentence, samples = str(entry.get("sentence", "")), tick["samples"]
            if name not in found:
                found[name] = Alarm(name, level, sentence, samples, samples)
                continue
            alarm = found[name]
            alarm.level = min(alarm.level, level, key=_rank)
            alarm.sentence, alarm.last, alarm.times = sentence, samples, alarm.times + 1
    return sorted(found.values(), key=lambda alarm: (_rank(alarm.level), -alarm.last))


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def advice(ticks: Sequence[Record]) -> Markup:
    """The list of alarms with when they were raised, or the sentence that there was none."""
    if not ticks:
        return tag("p", "Nothing was logged, so nothing is known about the health of this run.", class_="calm")
    raised = alarms(ticks)
    if not raised:
        return tag("p", "No alarm: nothing went wrong that we know how to see.", class_="calm good")
    final = ticks[-1]["samples"]
    return tag("ul", *(_item(alarm, final) for alarm in raised), class_="advice")


def _item(alarm: Alarm, final: float) -> Markup:
    if alarm.times == 1:
        when = f"once, at {count(alarm.first)} samples"
    else:
        when = f"{count(alarm.times)} times, from {count(alarm.first)} to {count(alarm.last)} samples"
    when += "; still so at the end" if alarm.last == final else "; gone at the end"
    level = alarm.level if alarm.level in LEVELS else LEVELS[-1]
    return tag(
        "li", tag("p", tag("b", alarm.name), " ", alarm.sentence), tag("small", f"{alarm.level}, {when}"), class_=f"level-{level}"
    )
