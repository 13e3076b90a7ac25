"""What makes a clean sound without learning: the damaged one itself, spectral gating, and Griffin-Lim of mel spectra."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import consistent_griffin_lim, istft, magnitude, stft, wave_from_log_mel

ITERATIONS = 64
"""Of Griffin-Lim."""
AT_ONCE = 32
QUIETEST = 0.2
"""The share of frames whose power is taken for that of the noise."""
FLOOR = 0.1
"""The least gain of a bin."""


def trivial(held_out: Dataset) -> dict[str, Dataset]:
    """The trivial restorations of every held-out "a", as data sets by name."""
    spec = held_out.codec.spec
    assert isinstance(spec, AudioSpec) and isinstance(spec.source, AudioSpec)
    makers = (
        {
            f"Griffin-Lim ({ITERATIONS})": lambda a: wave_from_log_mel(a, spec.mel, iterations=ITERATIONS),
            f"consistent Griffin-Lim ({ITERATIONS})": lambda a: consistent_griffin_lim(a.exp(), spec.mel, iterations=ITERATIONS),
        }
        if spec.source.key == "mel"
        else {"input": lambda a: a, "spectral gating": lambda a: gated(a, spec)}
    )
    made = {}
    for name, maker in makers.items():
        parts = []
        for start in range(0, len(held_out), AT_ONCE):
            wave = maker(held_out.batch(slice(start, start + AT_ONCE))["a"].float())
            parts.append(held_out.codec.repack({"b": wave})["b"])
        arrays = {"b": np.concatenate(parts)}
        made[name] = Dataset(name=name, codec=held_out.codec, arrays=arrays, fingerprint=fingerprint(arrays))
    return made


def gated(wave: Float[Tensor, "batch samples"], spec: AudioSpec) -> Float[Tensor, "batch samples"]:
    """Wiener's gain, the noise's power in each bin being that of its quietest frames (decision-directed smoothing left out)."""
    spectrum = stft(wave, spec.n_fft, spec.hop)
    power = magnitude(spectrum).square()
    noise = power.quantile(QUIETEST, dim=2, keepdim=True) / -np.log(1 - QUIETEST)  # the mean of an exponential with this quantile
    gain = ((power - noise) / power.clamp_min(1e-12)).clamp_min(FLOOR)
    return istft(spectrum * gain.to(torch.float32), spec.n_fft, spec.hop)
