"""Spaces in which clips are compared, found without labels: principal directions of small frames, of how frames differ, of single frames.

A space of a class classifier would be worse than none here: it is blind to the order of frames, and its Frechet distance prefers one
mean clip a class to real clips (docs/video.md).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.cache import content_key, remember

DIRECTIONS = 48
"""Principal directions that are kept."""
SIDE = 16
"""The largest side of the frames from which they are found."""
MOST = 4000
"""Training clips from which they are found."""
BATCH = 128
See = Literal["clips", "motion", "frames"]


class ClipFeatures:
    """Clips in the first 48 principal directions of the training clips.

    "clips" are all frames at up to 16 pixels; "motion" is the differences between neighbouring frames; "frames" is one frame of each clip
    at up to 32 pixels together with how much fine detail it has in each of 4 x 4 cells, so that blur is seen. Pixels are from 0 to 255 over
    the root of their number, so that distances depend little on size and length.
    """

    def __init__(self, train: Dataset, seed: int, folder: Path, see: See = "clips") -> None:
        self.train, self.seed, self.folder, self.see = train, seed, folder, see
        self.name = f"pca-{see}-{DIRECTIONS}"
        self.key = f"video {self.name} {SIDE} {MOST} {seed} {content_key(train)}"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        known = self._learned
        return torch.cat([(part - known["mean"]) @ known["directions"] for part in self._seen(data)])

    @cached_property
    def _learned(self) -> dict[str, Tensor]:
        return remember(self.folder, f"video-{self.see}", (self.key,), self._learn)

    def _learn(self) -> dict[str, Tensor]:
        chosen = self.train.subset(choose(len(self.train), MOST, self.seed))
        rows = torch.cat(list(self._seen(chosen)))
        mean = rows.mean(0)
        generator = torch.Generator().manual_seed(self.seed)
        directions = _directions(rows - mean, min(DIRECTIONS, *rows.shape), generator)
        return {"mean": mean, "directions": directions}

    def _seen(self, data: Dataset):
        for start in range(0, len(data), BATCH):
            video = torch.from_numpy(data.packed(np.arange(start, min(start + BATCH, len(data))))[data.codec.spec.key]).float()
            yield self._numbers(video, start)

    def _numbers(self, video: Float[Tensor, "batch frames channels height width"], start: int) -> Float[Tensor, "batch numbers"]:
        count, steps = video.shape[:2]
        if self.see == "frames":
            place = torch.from_numpy(np.random.default_rng(self.seed + start).integers(0, steps, count))
            frame = _at_most(video[torch.arange(count), place], 2 * SIDE)
            fine = (frame - _blurred(frame)).abs()
            detail = adaptive_avg_pool2d(fine, (4, 4)).flatten(1)
            whole = frame.flatten(1) / frame[0].numel() ** 0.5
            return torch.cat([whole, detail * (4 / detail.shape[1] ** 0.5)], 1)
        small = _at_most(video.flatten(0, 1), SIDE).unflatten(0, (count, steps))
        if self.see == "motion":
            small = small[:, 1:] - small[:, :-1]
        return small.flatten(1) / small[0].numel() ** 0.5


def _at_most(frames: Tensor, side: int) -> Tensor:
    size = (min(side, frames.shape[2]), min(side, frames.shape[3]))
    return adaptive_avg_pool2d(frames, size)


def _blurred(frame: Tensor) -> Tensor:
    return avg_pool2d(frame, 3, 1, 1, count_include_pad=False)


def _directions(rows: Float[Tensor, "n numbers"], count: int, generator: torch.Generator) -> Float[Tensor, "numbers count"]:
    """The first principal directions by randomised subspace iteration (Halko et al. 2011, algorithm 4.4)."""
    found = torch.linalg.qr(rows.T @ torch.randn(len(rows), min(count + 16, *rows.shape), generator=generator))[0]
    for _ in range(4):
        found = torch.linalg.qr(rows.T @ (rows @ found))[0]
    left, _, right = torch.linalg.svd(rows @ found, full_matrices=False)
    del left
    return (found @ right.T)[:, :count].contiguous()
