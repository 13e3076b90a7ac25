"""The built-in music: tunes for four voices over simple chords, in any key."""

from __future__ import annotations

import numpy as np

from gansmith.kinds.music.piece import Note, Piece, Track

PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (5, 3, 0, 4), (0, 4, 5, 3), (1, 4, 0, 0))
"""Degrees of the major scale on which the chord of each bar stands."""
SCALE = (0, 2, 4, 5, 7, 9, 11)
RHYTHMS = ((4, 4, 4, 4), (8, 4, 4), (4, 2, 2, 8), (6, 2, 4, 4), (8, 8), (2, 2, 4, 4, 4))
"""Lengths of the melody's notes in a bar of 16 steps."""
BARS, BAR = 8, 16


def tunes(count: int = 300, seed: int = 0) -> list[Piece]:
    """Melody, two inner voices and bass; the melody steps along the scale and meets the chord on the first beat of each bar."""
    rng = np.random.default_rng(seed)
    return [_tune(rng) for _ in range(count)]


def _tune(rng: np.random.Generator) -> Piece:
    tonic, progression = int(rng.integers(-4, 5)), PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    voices: list[list[Note]] = [[], [], [], []]
    place = int(rng.integers(9, 14))
    for bar in range(BARS):
        chord, at = progression[bar % 4], bar * BAR
        tones = [(chord + step) % 7 for step in (0, 2, 4)]
        for number, length in enumerate(RHYTHMS[int(rng.integers(len(RHYTHMS)))]):
            place += int(rng.choice((-2, -1, -1, 0, 1, 1, 2)))
            place = min(max(place, 7), 16)
            if number == 0:
                place = min((near for near in range(7, 17) if near % 7 in tones), key=lambda near: (abs(near - place), near))
            voices[0].append(Note(at, length, _pitch(place, tonic, 60)))
            at += length
        at, half = bar * BAR, bool(rng.random() < 0.5)
        for voice, degree in ((1, tones[1]), (2, tones[2])):
            lengths = (8, 8) if half else (16,)
            for part, length in enumerate(lengths):
                voices[voice].append(Note(at + 8 * part, length, _pitch(degree, tonic, 60 if voice == 1 else 48)))
        voices[3] += [Note(at, 8, _pitch(chord, tonic, 36)), Note(at + 8, 8, _pitch(tones[2] if half else chord, tonic, 36))]
    names = ("melody", "upper", "lower", "bass")
    return Piece(tuple(Track(name, tuple(own)) for name, own in zip(names, voices, strict=True)), BARS * BAR, 100.0)


def _pitch(place: int, tonic: int, base: int) -> int:
    octave, degree = divmod(place, 7)
    return base + tonic + 12 * octave + SCALE[degree] - (12 if base == 60 and place >= 7 else 0)
