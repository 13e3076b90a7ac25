"""Models of music without a game."""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.music.grid import FIRST, HOLD


def independent_columns(train: Dataset, count: int, seed: int) -> Dataset:
    """Each step of each voice as it is at that place in some training example."""
    rng, packed = np.random.default_rng(seed), train.packed(slice(None))
    rows = packed["music"]
    voices, steps = rows.shape[1:]
    drawn = rng.integers(0, len(rows), (count, voices, steps))
    found = rows[drawn, np.arange(voices)[:, None], np.arange(steps)]
    return _made(train, found, packed, rng, "independent columns")


def markov(train: Dataset, count: int, seed: int) -> Dataset:
    """A first-order Markov chain of columns: what all voices do at a step, as often as it follows what they did and sounded before."""
    rng, packed = np.random.default_rng(seed), train.packed(slice(None))
    rows = packed["music"].astype(np.int64)
    total, voices, steps = rows.shape
    bar = train.codec.spec.bar  # pyright: ignore[reportAttributeAccessIssue]
    states = _states(rows)
    flat = states.transpose(0, 2, 1).reshape(total * steps, voices)
    place = np.tile(np.arange(steps) % min(bar, 4), total)  # the beat is known, the bar is not
    numbers = np.unique(np.column_stack([flat, place]), axis=0, return_inverse=True)[1].reshape(total, steps)
    order = np.argsort(numbers[:, :-1].ravel(), kind="stable")
    known = numbers[:, :-1].ravel()[order]
    follows = (np.arange(total * steps).reshape(total, steps)[:, 1:]).ravel()[order]
    found = np.empty((count, voices, steps), packed["music"].dtype)
    now = rng.integers(0, total, count) * steps
    found[:, :, 0] = rows[now // steps, :, 0]
    for step in range(1, steps):
        state = numbers.ravel()[now]
        first, last = np.searchsorted(known, state, "left"), np.searchsorted(known, state, "right")
        stuck = first == last
        chosen = follows[np.minimum(first + (rng.random(count) * np.maximum(last - first, 1)).astype(np.int64), len(follows) - 1)]
        now = np.where(stuck, rng.integers(0, total, count) * steps + step, chosen)
        found[:, :, step] = rows[now // steps, :, now % steps]
    return _made(train, found, packed, rng, "Markov columns")


def _states(rows: np.ndarray) -> np.ndarray:
    """What sounds: the pitch that a hold holds; rests are 0."""
    from gansmith.kinds.music.grid import sounding

    found = sounding(rows)
    return np.where((rows == HOLD) & (found >= FIRST), found + 1000, found)


def _made(train: Dataset, rows: np.ndarray, packed: dict[str, np.ndarray], rng: np.random.Generator, name: str) -> Dataset:
    arrays = {"music": rows}
    if "label" in packed:
        arrays["label"] = packed["label"][rng.integers(0, len(packed["label"]), len(rows))]
    return Dataset(name=name, codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))
