"""The numbers of a record under flat names, for the watchers that plot them."""

from typing import Any

from gansmith.report.numbers import finite
from gansmith.watch.watcher import Record


def tick_scalars(record: Record) -> dict[str, float]:
    """The terms under their own names; gradient norms, learning rates and the machine each under a heading."""
    named: dict[str, Any] = dict(record["terms"])
    for heading in ("gradient_norms", "learning_rates"):
        named |= {f"{heading}/{player}": value for player, value in record.get(heading, {}).items()}
    named |= {f"machine/{key}": record.get(key) for key in ("examples_per_second", "memory_mb", "seconds")}
    return {name: number for name, value in named.items() if (number := finite(value)) is not None}


def evaluation_scalars(score: Record) -> dict[str, float]:
    """The value of a score, its interval and its companions, each if known."""
    named = {f"scores/{score['name']}": score.get("value")}
    named |= {f"scores/{score['name']}/{key}": score.get(key) for key in ("low", "high", "baseline", "ceiling")}
    return {name: number for name, value in named.items() if (number := finite(value)) is not None}
