"""How near speech that was made of text is to a recording of the same sentence, whatever the pace of the two.

Mel spectra are laid over each other by dynamic time warping (Sakoe & Chiba 1978). The baseline is real speech of another sentence.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import log_mel
from gansmith.metrics.registry import NotApplicableError

METRICS = {"mel_dtw": ("lower", "mean difference of logarithmic mel spectra from a recording of the sentence, warped in time")}
SAYS = "quality"
BASELINE = "another sentence"
FEWEST = 2
MOST = 60
"""Sentences that are compared."""
QUIETEST = -9.0
"""What is quieter counts as silence."""


def measure(side: Side) -> dict[str, Measured]:
    """Every sentence against its own recording. Raises NotApplicableError for sounds that were not made of text."""
    spec = side.real.train.codec.spec
    if spec.source is None or spec.source.axes != ("phoneme",):
        raise NotApplicableError(
            "mel_dtw compares speech that was made of text with recordings of it, and these data hold no text."
        )
    if side.name == "held-out" or (side.name != "baseline" and "target" not in side.data.arrays):
        raise NotApplicableError("real sounds are equal to themselves.")
    data = side.real.held_out if side.name == "baseline" else side.data
    made, real = spectra_of(data, "b"), spectra_of(data, "target" if side.name != "baseline" else "b")
    if side.name == "baseline":
        made = [*made[1:], made[0]]
    values = np.array([warped_distance(one, other) for one, other in zip(made, real, strict=True)])
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed)
    return {"mel_dtw": Measured(value=value, low=low, high=high, samples=len(values), reference_samples=len(values), space="mel")}


def spectra_of(data: Dataset, key: str) -> list[Float[np.ndarray, "bands _"]]:
    """The logarithmic mel spectra of the first sentences, without what lies behind their last sound."""
    spec = data.codec.spec
    assert isinstance(spec, AudioSpec)
    found = []
    for start in range(0, min(MOST, len(data)), 8):
        for wave in data.batch(slice(start, min(start + 8, MOST, len(data))))[key].float():
            there = torch.nonzero(wave.abs() > 2e-3)
            end = max(spec.n_fft, int(there[-1]) + 1 if len(there) else 0)
            found.append(log_mel(wave[None, :end], spec.mel)[0].clamp_min(QUIETEST).numpy())
    return found


def warped_distance(one: Float[np.ndarray, "bands _"], other: Float[np.ndarray, "bands _"]) -> float:
    """The mean of |one - other| over bands and over the cheapest path that ends both, which steps on in one or both."""
    costs = np.abs(one[:, :, None] - other[:, None, :]).mean(0)
    total = np.full((costs.shape[0] + 1, costs.shape[1] + 1), np.inf)
    steps = np.zeros_like(total)
    total[0, 0] = 0
    rows, columns = costs.shape
    for diagonal in range(rows + columns - 1):  # all cells of a diagonal at once
        row = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        column = diagonal - row
        before = np.stack([total[row, column], total[row, column + 1], total[row + 1, column]])
        lengths = np.stack([steps[row, column], steps[row, column + 1], steps[row + 1, column]])
        least = before.argmin(0)
        at = np.arange(len(row))
        total[row + 1, column + 1] = before[least, at] + costs[row, column]
        steps[row + 1, column + 1] = lengths[least, at] + 1
    return float(total[-1, -1] / steps[-1, -1])
