"""Statistics of music: scales, consonance, chords, melody, and copies up to transposition."""

from __future__ import annotations

from collections import Counter

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.music.grid import FIRST, REST, sounding
from gansmith.kinds.music.theory import consonance, scale_share

METRICS = {
    "scale_share": ("higher", "largest share of an example's notes that lie in one scale"),
    "pitch_classes": ("lower", "different pitch classes of an example; fewer keep to a key"),
    "consonance": ("higher", "share of intervals that sound together and are consonant"),
    "chord_distance": ("lower", "Jensen-Shannon divergence of the pitch classes that sound together, counted from the lowest"),
    "melody_distance": ("lower", "Jensen-Shannon divergence of the steps from note to note of each voice"),
    "rhythm_distance": ("lower", "Jensen-Shannon divergence of where in the bar notes begin and how long they are"),
    "copied_music": ("lower", "share of cells that sound as in the nearest training example, up to transposition"),
}
SAYS = {
    "scale_share": "quality",
    "pitch_classes": "quality",
    "consonance": "quality",
    "chord_distance": "both",
    "melody_distance": "both",
    "rhythm_distance": "both",
    "copied_music": "memorisation",
}
BASELINE = "independent columns"
COMPARED = 4000
"""Training examples that are compared with."""


def measure(side: Side) -> dict[str, Measured]:
    """Against as many training examples; copies against up to COMPARED."""
    train, seed, spec = side.real.train, side.real.seed, side.data.codec.spec
    low, bar = spec.low, spec.bar  # pyright: ignore[reportAttributeAccessIssue]
    own = side.data.packed(slice(None))["music"].astype(np.int64)
    real = train.packed(choose(len(train), len(own), seed + 1))["music"].astype(np.int64)
    found = {}
    pitch = sounding(own)
    pitches = [row[row > REST] - FIRST + low for row in pitch]
    numbers = {
        "scale_share": [scale_share(each) for each in pitches],
        "pitch_classes": [float(len(np.unique(each % 12))) for each in pitches],
        "consonance": [consonance(np.where(row > REST, row, np.nan).astype(float)) for row in pitch],
    }
    for name, values in numbers.items():
        array = np.array(values)
        array = array[~np.isnan(array)]
        if len(array) >= 20:
            found[name] = _measured(
                jackknife(lambda kept, array=array: float(array[kept].mean()), len(array), seed), len(array), 0
            )
    for name, words in (("chord_distance", chords), ("melody_distance", steps), ("rhythm_distance", rhythms)):
        mine, theirs = words(own, bar), sum(words(real, bar), Counter())
        if sum(theirs.values()):
            value = jackknife(
                lambda kept, mine=mine, theirs=theirs: divergence(sum((mine[place] for place in kept), Counter()), theirs),
                len(mine),
                seed,
                (0.0, 1.0),
            )
            found[name] = _measured(value, len(own), len(real))
    against = train.packed(choose(len(train), COMPARED, seed))["music"].astype(np.int64)
    nearest = nearest_shares(own, against)
    found["copied_music"] = _measured(
        jackknife(lambda kept: float(nearest[kept].mean()), len(nearest), seed, (0.0, 1.0)), len(nearest), len(against)
    )
    return found


def chords(rows: np.ndarray, bar: int) -> list[Counter]:
    """The set of pitch classes (modulo transposition of the lowest) at each step of each example."""
    pitch, found = sounding(rows), []
    for row in pitch:
        columns = [column[column > REST] for column in row.T]
        found.append(Counter(tuple(sorted(set(((column - column.min()) % 12).tolist()))) for column in columns if len(column)))
    return found


def steps(rows: np.ndarray, bar: int) -> list[Counter]:
    """Semitones from each note to the next of its voice."""
    found = []
    for row in rows:
        counts: Counter = Counter()
        for voice in row:
            notes = voice[voice >= FIRST]
            counts.update(np.diff(notes).clip(-13, 13).tolist())
        found.append(counts)
    return found


def rhythms(rows: np.ndarray, bar: int) -> list[Counter]:
    """Where in the bar each note begins, with its length."""
    found = []
    for row in rows:
        counts: Counter = Counter()
        for voice in row:
            begins = np.flatnonzero(voice != 1)  # a hold goes on; all else begins something
            ends = np.append(begins, len(voice))[1:]
            counts.update(
                (int(begin % bar), int(end - begin)) for begin, end in zip(begins, ends, strict=True) if voice[begin] >= FIRST
            )
        found.append(counts)
    return found


def divergence(a: Counter, b: Counter) -> float:
    """Jensen-Shannon divergence in bits; 1 where one is empty."""
    first, second = sum(a.values()), sum(b.values())
    if not first or not second:
        return 1.0
    found = 0.0
    for word in a.keys() | b.keys():
        p, q = a[word] / first, b[word] / second
        middle = (p + q) / 2
        found += (p * np.log2(p / middle) if p else 0.0) / 2 + (q * np.log2(q / middle) if q else 0.0) / 2
    return float(max(0.0, found))


def nearest_shares(rows: np.ndarray, against: np.ndarray) -> np.ndarray:
    """Of each example, the greatest share of cells (a voice at a step) that sound as in a training example that is transposed so that the
    first pitches of their lowest voices agree."""
    mine, theirs = _relative(rows), _relative(against)
    found = np.empty(len(rows))
    for place, row in enumerate(mine):
        found[place] = (theirs == row).mean(1).max()
    return found


def _relative(rows: np.ndarray) -> np.ndarray:
    """What sounds in each cell, counted from the pitch that the lowest voice has first; rests are 0."""
    pitch = sounding(rows)
    backwards = pitch[:, ::-1].reshape(len(rows), -1)
    first = (backwards >= FIRST).argmax(1)
    anchor = backwards[np.arange(len(rows)), first][:, None]
    flat = pitch.reshape(len(rows), -1)
    return np.where(flat >= FIRST, flat - anchor + 1000, 0).astype(np.int16)


def _measured(found: tuple[float, float, float], samples: int, references: int) -> Measured:
    value, low, high = found
    return Measured(value=value, low=low, high=high, samples=samples, reference_samples=references, space="notes")
