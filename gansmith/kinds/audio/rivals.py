"""Sounds made without a game: noise with the mean spectrum of the data, and a Gaussian of mel spectra made audible by Griffin-Lim."""

from __future__ import annotations

import numpy as np
import torch

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR, consistent_griffin_lim, istft, log_mel, magnitude, stft

LEARNT = 512
"""Training sounds of each class that the statistics are of."""
AT_ONCE = 64
ITERATIONS = 32


def shaped_noise(train: Dataset, count: int, seed: int) -> Dataset:
    """Noise whose loudness at every time and frequency is the mean of the class: magnitudes of the mean power, random phases."""
    return _made(train, count, seed, "noise with the mean spectrum", _noise)


def spectrum_gaussian(train: Dataset, count: int, seed: int) -> Dataset:
    """Logarithmic mel spectra from a Gaussian with the mean and covariance of each class, made audible by Griffin-Lim."""
    return _made(train, count, seed, "Gaussian of mel spectra", _gaussian)


def _made(train: Dataset, count: int, seed: int, name: str, make) -> Dataset:
    rng, codec = torch.Generator().manual_seed(seed), train.codec
    spec = codec.spec
    assert isinstance(spec, AudioSpec)
    labels = train.packed(np.arange(len(train))).get("label") if spec.attributes else train.labels()
    groups = np.zeros(len(train), np.int64) if labels is None or spec.attributes else labels
    drawn = torch.randint(len(train), (count,), generator=rng).numpy()
    waves = torch.empty(count, *spec.shape)
    for group in np.unique(groups[drawn]):
        members, places = np.flatnonzero(groups == group), np.flatnonzero(groups[drawn] == group)
        chosen = members[torch.randperm(len(members), generator=rng)[:LEARNT].numpy()]
        examples = train.batch(np.sort(chosen))[spec.key]
        for start in range(0, len(places), AT_ONCE):
            rows = places[start : start + AT_ONCE]
            waves[rows] = make(examples, len(rows), spec, rng)
    arrays = dict(codec.repack({spec.key: waves}))
    if labels is not None:
        arrays["label"] = labels[drawn]
    return Dataset(name=name, codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def _noise(examples: torch.Tensor, count: int, spec: AudioSpec, rng: torch.Generator) -> torch.Tensor:
    power = torch.zeros(spec.n_fft // 2 + 1, spec.shape[0] // spec.hop)
    for part in examples.split(AT_ONCE):
        power += magnitude(stft(part, spec.n_fft, spec.hop)).square().sum(0)
    mean = (power / len(examples)).sqrt()
    phase = 2 * torch.pi * torch.rand(count, *mean.shape, generator=rng)
    return istft(torch.polar(mean.expand(count, -1, -1).contiguous(), phase), spec.n_fft, spec.hop)


def _gaussian(examples: torch.Tensor, count: int, spec: AudioSpec, rng: torch.Generator) -> torch.Tensor:
    spectra = torch.cat([log_mel(part, spec.mel) for part in examples.split(AT_ONCE)])
    mean = spectra.mean(0)
    weights = torch.randn(count, len(spectra), generator=rng) / len(spectra) ** 0.5  # exactly their covariance
    made = mean + (weights @ (spectra - mean).flatten(1)).view(count, *mean.shape)
    made = made.clamp(float(np.log(FLOOR)), float(spectra.max()))
    return consistent_griffin_lim(made.exp(), spec.mel, iterations=ITERATIONS)
