"""A piece of music: tracks of notes on a grid of steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Note:
    """One note."""

    start: int
    """The step at which it begins."""
    length: int
    """Steps that it sounds, at least 1."""
    pitch: int
    """MIDI number: 60 is middle C."""


@dataclass(frozen=True)
class Track:
    """The notes of one instrument."""

    name: str
    notes: tuple[Note, ...]
    program: int = 0
    """General MIDI instrument, 0 to 127."""
    drum: bool = False


@dataclass(frozen=True)
class Piece:
    """One example, or a whole file."""

    tracks: tuple[Track, ...]
    steps: int
    """How long it is."""
    tempo: float = 120.0
    """Beats a minute where it begins."""
    meter: tuple[int, int] = (4, 4)
    """Beats of a bar, and which note is a beat: (6, 8)."""
    per_beat: int = 4
    """Steps of a quarter note."""
    label: str | None = None
    """Its key, if keys are classes."""
