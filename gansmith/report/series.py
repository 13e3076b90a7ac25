"""The curves that a run can show, found in its log and its evaluations."""

import math
from collections.abc import Mapping

from gansmith.report.curves import Series
from gansmith.report.numbers import finite
from gansmith.report.records import Record, Records

Group = tuple[str, list[Series]]
GOOD = {
    "Scores over time": "Good: curves move from the baseline to the ceiling, and are level at the end only once they are near it.",
    "Terms": "What each player minimises. They say how the game stands, not how good the examples are. Good: the terms of both sides "
    "stay in bounds; a critic's term that falls to 0 and stays there has won, and the generator learns nothing from it.",
    "Gradient norms": "Good: level or slowly falling; bursts to many times their usual height come before a collapse.",
    "Learning rates": "As the schedule has them.",
    "Machine": "Good: level; memory that grows all the time will run out.",
}
"""What the reader should hope to see under each heading."""


def groups(records: Records) -> list[Group]:
    """(heading, curves) in the order of the page; groups without curves are left out."""
    ticks = records.ticks
    players = list(dict.fromkeys([name.partition("/")[0] for name in _nested(ticks, "terms")] + _nested(ticks, "gradient_norms")))
    found: list[Group] = [("Scores over time", _scores(records.evaluations))]
    for heading, key in (("Terms", "terms"), ("Gradient norms", "gradient_norms"), ("Learning rates", "learning_rates")):
        found.append((heading, [_series(ticks, key, name, players) for name in _nested(ticks, key)]))
    machine = _plain(ticks, "examples_per_second", "examples per second") + _plain(ticks, "memory_mb", "memory (MB)")
    found.append(("Machine", machine))
    return [(heading, curves) for heading, curves in found if curves]


def _nested(ticks: list[Record], key: str) -> list[str]:
    """The names under a key such as "terms", in the order in which they first appear."""
    return list(dict.fromkeys(name for tick in ticks for name in _mapping(tick, key)))


def _mapping(tick: Record, key: str) -> Mapping[str, object]:
    inner = tick.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _series(ticks: list[Record], key: str, name: str, players: list[str]) -> Series:
    """Ticks without the name are left out: a lazy term does not occur in every one."""
    owners = [tick for tick in ticks if name in _mapping(tick, key)]
    player = name.partition("/")[0]
    return Series(
        name=name,
        samples=[tick["samples"] for tick in owners],
        values=[_or_nan(tick[key][name]) for tick in owners],
        colour=players.index(player) if player in players else 0,
    )


def _plain(ticks: list[Record], key: str, name: str) -> list[Series]:
    owners = [tick for tick in ticks if key in tick]
    if not owners:
        return []
    values = [_or_nan(tick[key]) for tick in owners]
    return [Series(name=name, samples=[tick["samples"] for tick in owners], values=values, colour=3)]


def _scores(evaluations: list[Record]) -> list[Series]:
    """A curve for every score that was taken at two or more moments on as many examples; the last of several at one moment counts."""
    taken: dict[str, dict[object, dict[float, Record]]] = {}
    for record in evaluations:
        samples = finite(record.get("samples_seen"))
        if samples is not None and finite(record.get("value")) is not None:
            alike = taken.setdefault(str(record.get("name", "unnamed")), {})
            alike.setdefault(record.get("samples"), {})[samples] = record
    curves = []
    for name, alike in taken.items():
        moments = max(alike.values(), key=len)  # values on more examples are others: they would look like a step
        if len(moments) < 2:
            continue
        samples = sorted(moments)
        ordered = [moments[moment] for moment in samples]
        companions = {key: finite(ordered[-1].get(key)) for key in ("baseline", "ceiling")}
        curves.append(
            Series(
                name=name,
                samples=samples,
                values=[float(record["value"]) for record in ordered],
                low=[_or_nan(record.get("low")) for record in ordered],
                high=[_or_nan(record.get("high")) for record in ordered],
                references={key: level for key, level in companions.items() if level is not None},
                colour=2,
            )
        )
    return curves


def _or_nan(value: object) -> float:
    number = finite(value)
    return math.nan if number is None else number
