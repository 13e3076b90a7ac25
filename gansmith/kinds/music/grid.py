"""Between notes and voices: of each voice, at each step, a rest, a hold, or the pitch that begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from gansmith.kinds.music.piece import Note

REST, HOLD, FIRST = 0, 1, 2
"""Tokens: silence, the note before goes on, and the lowest pitch; higher ones follow."""
Voices = Int[np.ndarray, "voices steps"]


def voices_of(notes: Sequence[Note], steps: int, voices: int, low: int, high: int) -> tuple[Voices, int]:
    """Tokens of one track's notes, and how many notes were left out: no voice was free, or their pitch lies beyond `low` to `high`.

    Each note goes to the first voice that is silent, the higher of two that begin together first.
    """
    found, free, lost = np.zeros((voices, steps), np.int64), [0] * voices, 0
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch, note.length)):
        if note.start >= steps:
            continue
        voice = next((place for place, until in enumerate(free) if until <= note.start), None)
        if voice is None or not low <= note.pitch <= high:
            lost += 1
            continue
        end = min(steps, note.start + note.length)
        found[voice, note.start : end] = HOLD
        found[voice, note.start] = FIRST + note.pitch - low
        free[voice] = end
    return found, lost


def notes_of(voices: Voices, low: int) -> tuple[Note, ...]:
    """The notes of one track's tokens; a hold behind a rest is silent."""
    found: list[Note] = []
    for row in voices.tolist():
        start = None
        for step, token in enumerate([*row, REST]):
            if token == HOLD and start is not None:
                continue
            if start is not None:
                found.append(Note(start, step - start, row[start] - FIRST + low))
            start = step if token >= FIRST else None
    return tuple(sorted(found))


def sounding(voices: Int[np.ndarray, "*any steps"]) -> Int[np.ndarray, "*any steps"]:
    """The token of the pitch that sounds at each step, REST where none does."""
    steps = np.arange(voices.shape[-1])
    begun = np.maximum.accumulate(np.where(voices == HOLD, 0, steps), axis=-1)
    found = np.take_along_axis(voices, begun, axis=-1)
    return np.where(found >= FIRST, found, REST)


def window(voices: Voices, start: int, length: int, sounds: Voices | None = None) -> Voices:
    """A stretch of whole voices; a note that sounds when it begins, begins with it. For many, give the `sounding` voices too."""
    part = voices[:, start : start + length].copy()
    held = part[:, 0] == HOLD
    if held.any():
        part[held, 0] = (sounding(voices[:, : start + 1]) if sounds is None else sounds)[held, start]
    return part


def transposed(voices: Int[np.ndarray, "*any"], semitones: int) -> Int[np.ndarray, "*any"]:
    """All pitches higher or lower; the caller knows that they stay within the range."""
    return np.where(voices >= FIRST, voices + semitones, voices)
