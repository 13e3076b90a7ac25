"""The live line: where the run stands, in one line on stderr."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from gansmith.report.numbers import finite, significant
from gansmith.watch.alarms import Alarms
from gansmith.watch.arrival import Arrival
from gansmith.watch.moment import Moment
from gansmith.watch.screens import Lasting, Plain, Screen, Terminal
from gansmith.watch.watcher import Record, Watcher


class Live(Watcher):
    """Elapsed time, budget, throughput, time left, memory and the named terms; alarms and messages scroll above.

    On a terminal the line is drawn over itself, elsewhere a plain line is written every ten seconds.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        shown: TextIO = sys.stderr if stream is None else stream
        drawable = shown.isatty() and os.environ.get("TERM") != "dumb"
        self.screen: Screen = Lasting(Terminal(shown, clock) if drawable else Plain(shown, clock), shown)
        self.moment = Moment()
        self.arrival = Arrival()
        self._seen = False
        self.alarms = Alarms()
        self._told_of_pictures = False

    def started(self, run: Record) -> None:
        data = run.get("data", {}).get("name", "data")
        players = ", ".join(f"{player} {size:,} parameters" for player, size in run.get("parameters", {}).items())
        self.screen.say(f"{run.get('name', 'run')}: {run.get('gan', 'gan')} on {data}" + (f" ({players})" if players else ""))
        self.moment.total = run.get("settings", {}).get("samples")

    def progress(self, samples: int, total: int | None, seconds: float) -> None:
        if total is not None:
            self.moment.total = total
        self._advance(samples, seconds)
        self.screen.show(self.moment)

    def tick(self, record: Record) -> None:
        self.moment.terms = {name: number for name, value in record["terms"].items() if (number := finite(value)) is not None}
        self.moment.memory_mb = finite(record.get("memory_mb"))
        self._advance(record["samples"], record["seconds"])
        if self.moment.rate is None:
            self.moment.rate = finite(record.get("examples_per_second"))
        for alarm in self.alarms.raised(record):
            self.screen.say(alarm["sentence"], alarm["level"])
        self.screen.show(self.moment)

    def preview(self, samples: int, path: Path) -> None:
        if not self._told_of_pictures:
            self.screen.say(f"Pictures of what it generates: {path.parent}")
            self._told_of_pictures = True

    def judging(self, metrics: Sequence[str], number: int, total: int) -> None:
        self.screen.note(f"Judging, {number} of {total}: {', '.join(metrics)}")

    def evaluation(self, scores: Sequence[Record]) -> None:
        for score in scores:
            self.screen.say(score_line(score))

    def message(self, sentence: str) -> None:
        self.screen.say(sentence)

    def finished(self, sentence: str) -> None:
        self.screen.close(self.moment if self._seen else None)
        self.screen.say(sentence)

    def _advance(self, samples: int, seconds: float) -> None:
        self._seen = True
        self.moment.samples, self.moment.seconds = samples, seconds
        self.arrival.observe(samples, seconds)
        self.moment.rate = self.arrival.rate or self.moment.rate
        self.moment.left = self.arrival.left(self.moment.total)


def score_line(score: Record) -> str:
    """One score in words: precision[digits-cnn] 0.860 (0.826 to 0.886; baseline 0.0200, ceiling 0.930; higher is better)."""
    low, high = finite(score.get("low")), finite(score.get("high"))
    facts = [f"{significant(low)} to {significant(high)}"] if low is not None and high is not None else []
    companions = [(key, finite(score.get(key))) for key in ("baseline", "ceiling")]
    facts.append(", ".join(f"{key} {significant(number)}" for key, number in companions if number is not None))
    facts.append(f"{score['better']} is better" if score.get("better") else "")
    value = finite(score.get("value"))
    known = "; ".join(fact for fact in facts if fact)
    return f"{score['name']} {'not a number' if value is None else significant(value)}" + (f" ({known})" if known else "")
