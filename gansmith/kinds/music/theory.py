"""What is said about pitches: keys, scales, chords, consonance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS = tuple(f"{name} {mode}" for mode in ("major", "minor") for name in NAMES)
MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""How well each pitch class fits a key on the first (Krumhansl & Kessler 1982)."""
_SHIFTED = np.array([np.roll(profile, shift) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for shift in range(12)])
_FITS = (_SHIFTED - _SHIFTED.mean(1, keepdims=True)) / _SHIFTED.std(1, keepdims=True)
"""Of every key, whose product with counts is in the order of their correlations."""
SCALE = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11))
CONSONANT = (0, 3, 4, 5, 7, 8, 9)
"""Intervals modulo an octave that are consonant."""


def pitch_classes(pitches: Int[np.ndarray, " notes"]) -> Int[np.ndarray, 12]:
    """How often each pitch class occurs."""
    return np.bincount(pitches % 12, minlength=12)


def key_of(pitches: Int[np.ndarray, " notes"]) -> int:
    """The key in KEYS whose profile correlates best with the pitch classes (Krumhansl & Schmuckler); C major of silence."""
    counts = pitch_classes(pitches).astype(float)
    return 0 if counts.std() == 0 else int(np.argmax(_FITS @ counts))


def scale_share(pitches: Int[np.ndarray, " notes"]) -> float:
    """The largest share of notes that lie in one major (or natural minor) scale, as muspy's scale_consistency; NaN of silence."""
    counts = pitch_classes(pitches)
    total = counts.sum()
    return float(max(np.roll(SCALE, shift) @ counts for shift in range(12)) / total) if total else float("nan")


def consonance(sounding: Float[np.ndarray, "voices steps"]) -> float:
    """The share of pairs of pitches that sound together whose interval is consonant; NaN where no two sound. NaN is silence."""
    good = pairs = 0
    for first in range(len(sounding)):
        for second in range(first):
            apart = np.abs(sounding[first] - sounding[second])
            apart = apart[~np.isnan(apart)].astype(int) % 12
            good += int(np.isin(apart, CONSONANT).sum())
            pairs += len(apart)
    return good / pairs if pairs else float("nan")
