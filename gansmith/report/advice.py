"""Health in words: what the watchers of the run had to say, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import count
from gansmith.report.records import Record

GROWN = 20_000
"""Samples from which a game is checked by what it generates; see `gansmith.training.health`."""
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
    pause: float = 0.0
    """Samples between the last two times: not every check is made at every tick."""

    def stands_at(self, samples: float) -> bool:
        """Whether it had not been checked again, or was raised again, when so many samples were seen."""
        return samples == self.last or samples - self.last < self.pause


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
            alarm.pause = samples - alarm.last
            alarm.sentence, alarm.last, alarm.times = sentence, samples, alarm.times + 1
    return sorted(found.values(), key=lambda alarm: (_rank(alarm.level), -alarm.last))


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def advice(ticks: Sequence[Record], messages: Sequence[Record] = ()) -> Markup:
    """The alarms with when they were raised, or the sentence that there was none; then what the run itself had to say."""
    said = [tag("li", str(message["sentence"])) for message in messages if message.get("sentence")]
    return join(_alarms(ticks), tag("h3", "What the run said"), tag("ul", *said, class_="said")) if said else _alarms(ticks)


def _alarms(ticks: Sequence[Record]) -> Markup:
    if not ticks:
        return tag("p", "Nothing was logged, so nothing is known about the health of this run.", class_="calm")
    raised = alarms(ticks)
    final = ticks[-1]["samples"]
    if not raised and final < GROWN:
        return tag("p", f"No alarm, but what is generated is only checked from {count(GROWN)} samples on.", class_="calm")
    if not raised:
        return tag("p", "No alarm.", class_="calm good")
    return tag("ul", *(_item(alarm, final) for alarm in raised), class_="advice")


def _item(alarm: Alarm, final: float) -> Markup:
    if alarm.times == 1:
        when = f"once, at {count(alarm.first)} samples"
    else:
        when = f"{count(alarm.times)} times, from {count(alarm.first)} to {count(alarm.last)} samples"
    when += "; still so at the end" if alarm.stands_at(final) else "; not after that"
    level = alarm.level if alarm.level in LEVELS else LEVELS[-1]
    return tag(
        "li",
        tag("p", tag("b", alarm.name.replace("_", " ")), " ", alarm.sentence),
        tag("small", f"{alarm.level}, {when}"),
        class_=f"level-{level}",
    )
