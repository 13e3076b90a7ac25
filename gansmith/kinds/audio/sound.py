"""A sound, and the recordings of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Sound:
    """One example: a wave of one channel in [-1, 1]."""

    wave: Float[np.ndarray, " samples"]
    rate: int
    label: str | None = None
    """Its class, if the data have classes."""
    attributes: Mapping[str, float] | None = None
    """Its numbers by name, if the data have several or continuous ones."""
    replaced: tuple[str, ...] = ()
    """Of speech that was made of text: phonemes that the voice never heard, and says similar ones for."""

    @property
    def seconds(self) -> float:
        return len(self.wave) / self.rate


@dataclass(frozen=True)
class Recording:
    """One recording of a source, not yet decoded."""

    name: str
    """What a person would look for: the path inside the folder or zip."""
    read: Callable[[], tuple[int, Float[np.ndarray, "samples channels"]]]
    """(rate, wave). Raises Unreadable for what is no sound."""
    label: str | tuple[float, ...] | None = None
    speaker: str | None = None
    text: str | None = None
    """What is said in it, if a table tells."""
    times: tuple[tuple[str, float], ...] = ()
    """Its phonemes, each with the second at which it ends, if a file beside it tells."""


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """The recordings of a source, in an order that depends on their names or rows alone."""

    name: str
    recordings: Sequence[Recording]
    key: str | None = None
    """What identifies the content without decoding it, or None if only decoding tells."""
    classes: tuple[str, ...] | None = None
    """The names that the source gives to its classes, in its order, if it does."""
    attributes: tuple[str, ...] = ()
    """The names of the numbers, if the labels are such."""
    notes: tuple[str, ...] = ()
    given: Sequence[Recording] | None = None
    """The damaged partner of each recording, where the source has pairs."""
    held_out: Recordings | None = None
    """What the source itself holds out."""


def speakers_of(recordings: Iterable[Recording]) -> list[str]:
    """The speaker of each recording: that of the table, or its class."""
    return [one.speaker or (one.label if isinstance(one.label, str) else None) or "" for one in recordings]
