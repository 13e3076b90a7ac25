"""Numbers of single clips: how much they move, how much their colours change, how frames follow each other, how a loop closes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, UInt8

from gansmith.data.dataset import Dataset

BATCH = 128
LEVELS = 4
"""Steps of each channel in a histogram of colours."""
SIDE = 32
"""Frames of more pixels are averaged to about this side before their order is looked at."""
STILL = 0.05
"""A mean difference, of 255 brightnesses, below which a clip does not move."""
Packed = UInt8[np.ndarray, "clips frames channels height width"]


def movement(data: Dataset) -> Float[np.ndarray, " clips"]:
    """The mean difference between neighbouring frames, from 0 to 1."""
    return np.concatenate([_differences(clips, 1) for clips in _parts(data)]) / 255


def drift(data: Dataset) -> Float[np.ndarray, " clips"]:
    """How much of the colours of a frame is not in the first frame, on average: half the distance of histograms of 64 colours, 0 to 1."""
    found = []
    for clips in _parts(data):
        known = np.stack([[_colours(frame) for frame in clip] for clip in clips])
        found.append(np.abs(known[:, 1:] - known[:, :1]).sum(2).mean(1) / 2)
    return np.concatenate(found)


def following(data: Dataset) -> Float[np.ndarray, "clips 3"]:
    """How much further frames 2, 3 and 4 ahead differ than the next one: about 1 in any random order, more where things move on; 0 of a
    clip that stands still."""
    found = []
    for clips in _parts(data):
        nearest = _differences(clips, 1)
        steps = clips.shape[1]
        ratios = [_differences(clips, min(ahead, steps - 1)) / np.maximum(nearest, STILL) for ahead in (2, 3, 4)]
        found.append(np.stack(ratios, 1) * (nearest > STILL)[:, None])
    return np.concatenate(found)


def seam(data: Dataset) -> Float[np.ndarray, " clips"]:
    """The difference of the first frame to the last over the mean difference of neighbours: about 1 where a loop closes; 1 of a clip that
    stands still."""
    found = []
    for clips in _parts(data):
        jump = np.abs(clips[:, 0].astype(np.int16) - clips[:, -1]).mean((1, 2, 3))
        usual = _differences(clips, 1)
        found.append(np.where(usual > STILL, jump / np.maximum(usual, STILL), 1.0))
    return np.concatenate(found)


def _parts(data: Dataset) -> Iterator[Packed]:
    for start in range(0, len(data), BATCH):
        yield data.packed(np.arange(start, min(start + BATCH, len(data))))[data.codec.spec.key]


def _differences(clips: Packed, ahead: int) -> Float[np.ndarray, " clips"]:
    return np.abs(clips[:, ahead:].astype(np.int16) - clips[:, :-ahead]).mean((1, 2, 3, 4))


def _colours(frame: UInt8[np.ndarray, "channels height width"]) -> Float[np.ndarray, " colours"]:
    steps = (frame[:3] // (256 // LEVELS)).astype(np.int64)
    index = steps[0]
    for channel in steps[1:]:
        index = index * LEVELS + channel
    return np.bincount(index.ravel(), minlength=LEVELS ** len(steps)) / index.size
