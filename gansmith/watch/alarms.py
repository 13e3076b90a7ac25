"""Alarms are reported when they are raised, not again while they last."""

from collections.abc import Sequence

from gansmith.watch.watcher import Record

QUIET = 10
"""Ticks without an alarm after which it is reported again; not every check is made at every tick."""


class Alarms:
    """Remembers how many ticks ago each alarm was raised."""

    def __init__(self) -> None:
        self._ticks = 0
        self._raised_at: dict[str, int] = {}

    def raised(self, tick: Record) -> Sequence[Record]:
        """The alarms of this tick ({"level", "name", "sentence"}) that were not raised lately."""
        self._ticks += 1
        health = tick.get("health", ())
        fresh = [alarm for alarm in health if self._ticks - self._raised_at.get(alarm["name"], -QUIET) > QUIET]
        self._raised_at |= {alarm["name"]: self._ticks for alarm in health}
        return fresh
