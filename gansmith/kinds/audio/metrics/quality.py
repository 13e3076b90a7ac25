"""Perceptual quality of speech that was made of other speech, by the package pesq, where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.cleaning import resampled
from gansmith.kinds.audio.metrics.restoration import beside_partners
from gansmith.metrics.registry import NotApplicableError

METRICS = {"pesq": ("higher", "perceptual quality of speech, from 1 to 4.64 (ITU-T P.862.2; below 16 kHz P.862)")}
SAYS = "quality"
BASELINE = "the best without training"
FEWEST = 1
WIDE, NARROW = 16_000, 8_000
"""Rates that the recommendation is for."""
AT_ONCE = 32


def listener() -> Callable[[int, np.ndarray, np.ndarray, str], float]:
    """A function of rate, true wave, other wave and "wb" or "nb". Raises NotApplicableError where the package is not installed."""
    if importlib.util.find_spec("pesq") is None:
        raise NotApplicableError('pesq needs a package of that name: pip install "gansmith[speech-judge]".')
    from pesq import PesqError, pesq

    return partial(pesq, on_error=PesqError.RETURN_VALUES)


def measure(side: Side) -> dict[str, Measured]:
    """Every example against its own partner. Raises NotApplicableError without the package or without partners."""
    listener()
    return beside_partners(side, values_of, METRICS)


@torch.inference_mode()
def values_of(made: Dataset, real: Dataset) -> dict[str, np.ndarray]:
    """PESQ of every example of `made` against the example at its position in `real`, "target" or its own; NaN where it hears no speech."""
    hears = listener()
    rate = made.codec.spec.rate
    to = WIDE if rate >= WIDE else NARROW
    found = []
    for start in range(0, len(made), AT_ONCE):
        first, second = (data.batch(slice(start, start + AT_ONCE)) for data in (made, real))
        for wave, truth in zip(first["b"].numpy(), second.get("target", second["b"]).numpy(), strict=True):
            wave, truth = (resampled(each, rate, to) for each in (wave, truth))
            found.append(float(hears(to, truth, wave, "wb" if to == WIDE else "nb")))
    values = np.array(found)
    return {"pesq": np.where(values > 0, values, np.nan)}
