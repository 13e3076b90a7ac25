"""Where made things come from: a mark in the metadata of files that says they were made, by which model, from which seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from gansmith import __version__

KEY = "gansmith"
"""The name of the entry in a file's metadata; its value is JSON."""
_MADE: ContextVar[str | None] = ContextVar("made", default=None)


@contextmanager
def made_by(card: Mapping[str, Any], **how: Any) -> Iterator[None]:
    """Inside, files that can carry a mark get one: the model by its card, and how it was asked (seed, truncation, where)."""
    said = {"made with": f"gansmith {__version__}", "gan": card.get("gan"), "data": card.get("data")}
    gan = str(said["gan"])
    said["gan"] = gan.rpartition("/")[2]  # nobody's folders
    asked = {key: value for key, value in how.items() if value is not None and value != {}}
    token = _MADE.set(json.dumps({**said, "samples": card.get("samples"), **asked}, sort_keys=True))
    try:
        yield
    finally:
        _MADE.reset(token)


def mark() -> str | None:
    """The mark of what is written now, as JSON; None where nothing was said."""
    return _MADE.get()
