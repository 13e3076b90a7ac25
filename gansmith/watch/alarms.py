"""Alarms are told when they are raised, not again while they last."""

from collections.abc import Sequence

from gansmith.watch.watcher import Record


class Alarms:
    """Remembers the alarms of the last tick."""

    def __init__(self) -> None:
        self._standing: set[str] = set()

    def raised(self, tick: Record) -> Sequence[Record]:
        """The alarms of this tick ({"level", "name", "sentence"}) that the tick before did not have."""
        health = tick.get("health", ())
        fresh = [alarm for alarm in health if alarm["name"] not in self._standing]
        self._standing = {alarm["name"] for alarm in health}
        return fresh
