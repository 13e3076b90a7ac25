"""How good speech sounds to a network that learned from people's opinions, without a partner to compare it with.

The network is that of DNSMOS P.835 (Reddy et al. 2022), of which the package speechmos brings the weights as ONNX; nothing else of the
package is used. It hears about nine seconds at a time: shorter sounds are repeated, as in the package. Other sounds than speech it does not
know: their scores mean nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.cleaning import resampled
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.installed import brought_by

METRICS = {"dnsmos": ("higher", "how good speech sounds to a network of people's opinions, from 1 to 5 (overall, ITU-T P.835)")}
SAYS = "quality"
FEWEST = 2
RATE = 16_000
LENGTH = int(9.01 * RATE)
OVERALL = (-0.06766283, 1.11546468, 0.04602535)
"""Coefficients that bring the network's third answer to the scale of opinions."""
AT_ONCE = 32


@lru_cache(maxsize=1)
def listener() -> Callable[[Float[np.ndarray, " samples"]], float]:
    """The opinion of a wave of 16 kHz. Raises NotApplicableError where the package or onnxruntime is not installed."""
    path = brought_by("speechmos", "dnsmos_models", "sig_bak_ovr.onnx")
    if path is None or importlib.util.find_spec("onnxruntime") is None:
        raise NotApplicableError(
            "dnsmos needs the weights of the package speechmos, and onnxruntime: pip install --no-deps speechmos, and "
            'pip install "gansmith[onnx]".'
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def opinion(wave: Float[np.ndarray, " samples"]) -> float:
        heard = [session.run(None, {"input_1": part[None]})[0][0][2] for part in parts_of(wave)]
        return float(np.mean([np.polyval(OVERALL, each) for each in heard]))

    return opinion


def parts_of(wave: Float[np.ndarray, " samples"]) -> list[Float[np.ndarray, " part"]]:
    """Stretches of LENGTH samples, a second apart; a shorter wave is doubled until it is as long."""
    wave = np.asarray(wave, np.float32)
    while len(wave) < LENGTH:
        wave = np.concatenate([wave, wave])
    count = int(len(wave) // RATE - LENGTH / RATE) + 1  # as the package counts
    return [wave[start : start + LENGTH] for start in range(0, count * RATE, RATE)]


def measure(side: Side) -> dict[str, Measured]:
    """Every sound by itself. Raises NotApplicableError without the package."""
    values = opinions(side.data)
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed, bounds=(1.0, 5.0))
    return {"dnsmos": Measured(value=value, low=low, high=high, samples=len(values), reference_samples=0, space="dnsmos")}


@torch.inference_mode()
def opinions(data: Dataset) -> Float[np.ndarray, " examples"]:
    """The opinion of every example, those made of others included."""
    hears, rate, found = listener(), data.codec.spec.rate, []
    for start in range(0, len(data), AT_ONCE):
        batch = data.batch(slice(start, start + AT_ONCE))
        waves = batch["b" if "b" in batch else "wave"].float().numpy()
        found += [hears(resampled(wave, rate, RATE)) for wave in waves]
    return np.array(found)
