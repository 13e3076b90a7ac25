"""Features of music without a network: pitch classes, intervals, rhythm."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key, remember
from gansmith.kinds.music.grid import FIRST, REST, sounding

LEAST = 1e-3


class MusicFeatures:
    """Of each voice its pitch classes, range, rests, melodic steps and rhythm, of neighbouring voices the intervals between them, each part
    scaled by its deviation over the training examples."""

    name = "pitches-and-rhythm"

    def __init__(self, train: Dataset, seed: int, folder: Path) -> None:
        self.train, self.folder = train, folder
        self.key = f"music-features 1 {content_key(train)}"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        known = self._learned
        found = torch.from_numpy(described(data.packed(slice(None))["music"], self._low, self._bar))
        return (found - known["mean"]) / known["deviation"]

    @cached_property
    def _learned(self) -> dict[str, Tensor]:
        def learn() -> dict[str, Tensor]:
            found = torch.from_numpy(described(self.train.packed(slice(None))["music"], self._low, self._bar))
            deviation = found.std(0, correction=0)
            return {"mean": found.mean(0), "deviation": deviation.clamp_min(max(LEAST, float(deviation.mean()) / 2))}

        return remember(self.folder, "music-features", (self.key,), learn)

    @property
    def _low(self) -> int:
        return self.train.codec.spec.low  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def _bar(self) -> int:
        return self.train.codec.spec.bar  # pyright: ignore[reportAttributeAccessIssue]


def described(rows: np.ndarray, low: int, bar: int) -> Float[np.ndarray, "examples features"]:
    """Unscaled features of packed examples."""
    rows = rows.astype(np.int64)
    pitch = sounding(rows)
    on, begins = pitch > REST, rows >= FIRST
    parts = [_shares((pitch - FIRST + low) % 12, on, 12).reshape(len(rows), -1)]
    sounded = on.sum(2).clip(1)
    parts += [(np.where(on, pitch, 0).sum(2) / sounded) / 12, on.mean(2), begins.mean(2)]
    change = np.diff(pitch, axis=2)
    moves = on[..., 1:] & on[..., :-1] & begins[..., 1:]
    parts.append(_shares(change.clip(-7, 7) + 7, moves, 15).reshape(len(rows), -1))
    beats = begins.reshape(len(rows), rows.shape[1], -1, bar).mean(2)
    parts.append(beats.reshape(len(rows), -1))
    for first in range(rows.shape[1] - 1):
        both = on[:, first] & on[:, first + 1]
        parts.append(_shares(((pitch[:, first] - pitch[:, first + 1]) % 12)[:, None], both[:, None], 12)[:, 0])
    classes = ((pitch - FIRST + low) % 12)[..., None] == np.arange(12)
    parts.append((classes & on[..., None]).any((1, 2)).sum(1, keepdims=True) / 3)
    return np.concatenate(parts, 1).astype(np.float64)


def _shares(values: np.ndarray, where: np.ndarray, count: int) -> np.ndarray:
    """How often each value occurs along the last axis, as shares."""
    found = ((values[..., None] == np.arange(count)) & where[..., None]).sum(-2)
    return found / found.sum(-1, keepdims=True).clip(1)
