"""The facts of a run in words: its headline, its configuration, its environment, and the command that plays it again."""

import json
import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gansmith import kinds
from gansmith.errors import UserError
from gansmith.report.numbers import count, duration, finite
from gansmith.report.records import Records


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested facts under dotted names, every value as text."""
    found: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = text(value)
    return found


def text(value: Any) -> str:
    """One value as people write it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping) and not value:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(text(entry) for entry in value) or "none"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def moment(written: str) -> str:
    """An ISO 8601 moment to the minute; anything else as it stands."""
    try:
        return f"{datetime.fromisoformat(written):%d %B %Y, %H:%M %Z}".lstrip("0").strip()
    except ValueError:
        return written


def headline(records: Records) -> list[str]:
    """Which game was trained, on what, for how long; what is unknown is left out."""
    samples, seconds = records.samples, records.seconds
    planned = finite(records.part("settings").get("samples"))
    known = []
    if records.run.get("gan"):
        known.append(str(records.run["gan"]))
    if records.part("data").get("name"):
        known.append(f"on {records.part('data')['name']}")
    if samples is not None:
        short = planned is not None and samples < planned
        known.append(f"{count(samples)} of {count(planned or 0)} samples" if short else f"{count(samples)} samples")
    if seconds is not None:
        known.append(duration(seconds))
    return known


def command(records: Records) -> str | None:
    """The command line that plays this run again, or None if run.json does not say enough."""
    said = records.run.get("command")
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return shlex.join(str(word) for word in said)
    data, gan = records.part("data").get("source") or records.part("data").get("name"), records.run.get("gan")
    if not data or not gan:
        return None
    words = ["gansmith", "train", str(data), "--gan", str(gan)]
    mirror = records.run.get("mirror")
    flags = _options({"mirror": mirror}, "--") if isinstance(mirror, bool) else []
    settings = {name: value for name, value in records.part("settings").items() if value is not False}
    words += _options(settings, "--") + flags + _opening(records) + _judging(records.part("examination"))
    return shlex.join(words + _options(records.part("config"), "--gan."))


def _opening(records: Records) -> list[str]:
    """How the data were read, as the kind of data spells it."""
    opening = records.part("data").get("opening")
    found = dict(opening) if isinstance(opening, Mapping) else {}
    named = found.pop("kind", None)
    kind = str(named or records.part("data").get("kind"))
    if not kinds.is_known(kind):
        return []
    own = kinds.find(kind)
    try:
        options = own.Options(**{**(kinds.spelled(kind) if named else {}), **found})
    except (TypeError, UserError):
        return []
    return [*(["--kind", str(named)] if named else []), *options.as_flags()]


def _judging(examination: Mapping[str, Any]) -> list[str]:
    """What was measured during training."""
    metrics = examination.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        return []
    named = {"judge_metrics": ",".join(str(metric) for metric in metrics)}
    named |= {f"judge_{name}": examination.get(name) for name in ("samples", "share")}
    return _options(named | {name: examination.get(name) for name in ("keep_best", "patience")}, "--")


def _options(facts: Mapping[str, Any], prefix: str) -> list[str]:
    words: list[str] = []
    for name, value in facts.items():
        option = f"{prefix}{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"{prefix}no-{name.replace('_', '-')}")
        elif isinstance(value, Mapping):
            words += _options(value, f"{option}.")
        elif isinstance(value, list | tuple):
            words += [option, *(str(entry) for entry in value)]
        elif value is not None:
            words += [option, str(value)]
    return words
