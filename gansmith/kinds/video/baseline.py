"""Clips without a game: a frame that stands still, real frames in another order, cross-fades, means."""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint

MOST = 256
"""Clips of a class that a mean is taken of."""


def frozen_frames(train: Dataset, count: int, seed: int) -> Dataset:
    """A random frame of a random training clip, over and over: perfect pictures without motion."""
    packed, rng, key = _drawn(train, count, seed)
    steps = packed[key].shape[1]
    frame = packed[key][np.arange(count), rng.integers(0, steps, count)]
    return made(train, packed | {key: np.repeat(frame[:, None], steps, 1)}, "frozen frame")


def shuffled_frames(train: Dataset, count: int, seed: int) -> Dataset:
    """Training clips whose frames come in random order: perfect pictures that move as nothing does."""
    packed, rng, key = _drawn(train, count, seed)
    order = np.argsort(rng.random(packed[key].shape[:2]), 1)
    return made(train, packed | {key: np.stack([own[at] for own, at in zip(packed[key], order, strict=True)])}, "shuffled frames")


def cross_fades(train: Dataset, count: int, seed: int) -> Dataset:
    """Each from the first frame of a training clip to the last of another one, of the same class if there are classes."""
    packed, rng, key = _drawn(train, count, seed)
    others = rng.integers(0, len(train), count)
    if (classes := train.labels()) is not None:
        members = {own: np.flatnonzero(classes == own) for own in np.unique(packed["label"])}
        others = np.array([rng.choice(members[own]) for own in packed["label"]])
    first, last = packed[key][:, 0].astype(np.float32), train.packed(others)[key][:, -1].astype(np.float32)
    steps = packed[key].shape[1]
    share = np.linspace(0, 1, steps, dtype=np.float32)[None, :, None, None, None]
    video = np.rint(first[:, None] * (1 - share) + last[:, None] * share).astype(np.uint8)
    return made(train, packed | {key: video}, "cross-fades")


def mean_clips(train: Dataset, count: int, seed: int) -> Dataset:
    """The mean clip of each class, or of all, over and over."""
    packed, rng, key = _drawn(train, count, seed)
    classes = train.labels()
    groups = np.zeros(len(train), np.int64) if classes is None else classes
    wanted = groups[rng.integers(0, len(train), count)]
    video = np.empty_like(packed[key])
    for group in np.unique(wanted):
        members = rng.permutation(np.flatnonzero(groups == group))[:MOST]
        video[wanted == group] = np.rint(train.packed(np.sort(members))[key].mean(0, dtype=np.float64)).astype(np.uint8)
    return made(train, {key: video} | ({"label": wanted} if classes is not None else {}), "mean clip")


def made(train: Dataset, arrays: dict[str, np.ndarray], name: str) -> Dataset:
    """Packed clips as a data set of the same codec."""
    return Dataset(name=name, codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))


def _drawn(train: Dataset, count: int, seed: int) -> tuple[dict[str, np.ndarray], np.random.Generator, str]:
    """Random training clips (of pairs, those that are made) with their labels, and the key under which they stand."""
    rng, key = np.random.default_rng(seed), train.codec.spec.key
    packed = train.packed(rng.integers(0, len(train), count))
    return {name: own for name, own in packed.items() if name in (key, "label")}, rng, key
