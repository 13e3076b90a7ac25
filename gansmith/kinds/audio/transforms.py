"""Short-time Fourier transforms, mel spectra and their inverses in torch, equal to librosa's within 1e-5 of the largest value.

Every network and metric of audio uses these. `same` padding gives one frame for each hop (as in HiFi-GAN and Vocos); centred frames are
librosa's default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn.functional import fold, pad

FLOOR = 1e-5
"""The least magnitude whose logarithm is taken."""


@dataclass(frozen=True)
class Mel:
    """A mel spectrum: magnitudes of a short-time Fourier transform in bands that are equally wide on Slaney's mel scale.

    Models are made for one and refuse another.
    """

    rate: int
    """Samples in a second."""
    n_fft: int
    """Samples of a window (Hann)."""
    hop: int
    """Samples between frames."""
    bands: int
    low: float = 0.0
    """Hertz at which the lowest band begins."""
    high: float | None = None
    """Hertz at which the highest band ends; half the rate if None."""

    @property
    def top(self) -> float:
        return self.rate / 2 if self.high is None else self.high

    @classmethod
    def usual(cls, rate: int, bands: int = 80) -> Mel:
        """Windows of about 64 ms with hops of a quarter: 1024 and 256 samples at 16 to 24 kHz."""
        n_fft = 2 ** max(6, int(np.log2(rate * 0.064) + 0.3))
        return cls(rate, n_fft, n_fft // 4, bands)


def window(n_fft: int, like: Tensor) -> Float[Tensor, " n_fft"]:
    """The periodic Hann window."""
    return torch.hann_window(n_fft, dtype=like.dtype, device=like.device)


def stft(
    wave: Float[Tensor, "batch samples"], n_fft: int, hop: int, *, centred: bool = False
) -> Complex[Tensor, "batch bins frames"]:
    """The transform at samples // hop frames (`same` padding), or at 1 + samples // hop of librosa's if `centred`.

    What lies outside is mirrored. Raises ValueError for waves shorter than half a window.
    """
    left = n_fft // 2 if centred else (n_fft - hop) // 2
    right = n_fft // 2 if centred else n_fft - hop - left
    if wave.shape[-1] <= max(left, right):
        raise ValueError(f"a wave needs more than {max(left, right)} samples for windows of {n_fft}, but it has {wave.shape[-1]}")
    padded = pad(wave[:, None], (left, right), mode="reflect")[:, 0]
    return torch.stft(padded, n_fft, hop, window=window(n_fft, wave), center=False, return_complex=True)


def magnitude(spectrum: Complex[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Absolute values whose gradient is finite at 0."""
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()


def istft(
    spectrum: Complex[Tensor, "batch bins frames"], n_fft: int, hop: int, *, centred: bool = False
) -> Float[Tensor, "batch samples"]:
    """The wave of frames * hop samples ((frames - 1) * hop if `centred`) whose transform is nearest to this (Griffin & Lim 1984)."""
    return overlap_add(torch.fft.irfft(spectrum, n_fft, dim=1), n_fft, hop, centred=centred)


def overlap_add(
    frames: Float[Tensor, "batch n_fft frames"], n_fft: int, hop: int, *, centred: bool = False
) -> Float[Tensor, "batch samples"]:
    """Windowed frames added up and divided by the sum of squared windows."""
    count = frames.shape[2]
    total, shape = (count - 1) * hop + n_fft, {"kernel_size": (1, n_fft), "stride": (1, hop)}
    hann = window(n_fft, frames)[:, None]
    wave = fold(frames * hann, (1, total), **shape)[:, 0, 0]
    envelope = fold(hann.square().expand(1, n_fft, count), (1, total), **shape)[:, 0, 0]
    left = n_fft // 2 if centred else (n_fft - hop) // 2
    end = total - (n_fft // 2 if centred else n_fft - hop - left)
    return wave[:, left:end] / envelope[:, left:end].clamp_min(1e-11)


def hertz_to_mel(hertz: np.ndarray | float) -> np.ndarray:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    hertz = np.asarray(hertz, np.float64)
    return np.where(hertz < 1000, hertz * 3 / 200, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) * 27 / np.log(6.4))


def mel_to_hertz(mel: np.ndarray | float) -> np.ndarray:
    mel = np.asarray(mel, np.float64)
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def mel_filters(mel: Mel) -> Float[Tensor, "bands bins"]:
    """Triangles of equal area (Slaney's normalisation)."""
    return _filters(mel).clone()


@cache
def _filters(mel: Mel) -> Tensor:
    edges = mel_to_hertz(np.linspace(hertz_to_mel(mel.low), hertz_to_mel(mel.top), mel.bands + 2))
    bins = np.linspace(0, mel.rate / 2, mel.n_fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    with torch.inference_mode(False):
        return torch.from_numpy(np.maximum(0, np.minimum(rising, falling)) * area[:, None]).float()


def mel_of(wave: Float[Tensor, "batch samples"], mel: Mel, *, centred: bool = False) -> Float[Tensor, "batch bands frames"]:
    """Magnitudes in mel bands."""
    found = magnitude(stft(wave, mel.n_fft, mel.hop, centred=centred))
    with torch.autocast(wave.device.type, enabled=False):  # bfloat16 would round loudness to a quarter of a dB
        return _filters(mel).to(wave.device, wave.dtype) @ found


def log_mel(wave: Float[Tensor, "batch samples"], mel: Mel, *, centred: bool = False) -> Float[Tensor, "batch bands frames"]:
    """Natural logarithms of magnitudes in mel bands, those below FLOOR raised to it."""
    return mel_of(wave, mel, centred=centred).clamp_min(FLOOR).log()


def magnitudes_from_mel(
    bands: Float[Tensor, "batch bands frames"], mel: Mel, iterations: int = 30
) -> Float[Tensor, "batch bins frames"]:
    """Magnitudes of the transform, none below 0, whose mel bands are nearest to these (not their logarithms).

    Multiplicative updates of non-negative least squares (Lee & Seung 2000) from the pseudo-inverse.
    """
    filters = _filters(mel).to(bands.device, bands.dtype)
    inverse = _inverse(mel).to(bands.device, bands.dtype)
    found = (inverse @ bands).clamp_min(1e-7)
    goal, gram = filters.T @ bands, filters.T @ filters
    for _ in range(iterations):
        found = found * goal / (gram @ found).clamp_min(1e-9)
    return found


@cache
def _inverse(mel: Mel) -> Tensor:
    with torch.inference_mode(False):
        return torch.linalg.pinv(_filters(mel).double()).float()


def griffin_lim(
    magnitudes: Float[Tensor, "batch bins frames"],
    n_fft: int,
    hop: int,
    *,
    iterations: int = 32,
    momentum: float = 0.99,
    seed: int = 0,
    phase: Float[Tensor, "batch bins frames"] | None = None,
    centred: bool = False,
) -> Float[Tensor, "batch samples"]:
    """A wave whose transform has nearly these magnitudes (Griffin & Lim 1984, with the momentum of Perraudin et al. 2013).

    It starts from random phases that the seed decides, equal for every example, or from `phase` in radians.
    """
    if phase is None:
        rng = torch.Generator().manual_seed(seed)
        phase = 2 * torch.pi * torch.rand(magnitudes.shape[1:], generator=rng).to(magnitudes)
    angles = torch.polar(torch.ones_like(magnitudes), phase.expand_as(magnitudes))
    before = torch.zeros_like(angles)
    for _ in range(iterations):
        rebuilt = stft(istft(magnitudes * angles, n_fft, hop, centred=centred), n_fft, hop, centred=centred)
        ahead = rebuilt - momentum / (1 + momentum) * before
        before = rebuilt
        angles = ahead / ahead.abs().clamp_min(1e-9)
    return istft(magnitudes * angles, n_fft, hop, centred=centred)


def consistent_griffin_lim(
    bands: Float[Tensor, "batch bands frames"],
    mel: Mel,
    *,
    iterations: int = 64,
    momentum: float = 0.99,
    seed: int = 0,
    size: Float[Tensor, "batch bins frames"] | None = None,
) -> Float[Tensor, "batch samples"]:
    """A wave whose mel bands are nearly these: Griffin-Lim in which magnitudes move with the phases.

    Each iteration takes the magnitudes of the wave that is there, and scales every bin by how far the bands over it are from those given: a
    step of expectation maximisation (Richardson 1972; Lucy 1974). The magnitudes begin at `size`, or at the bands' non-negative inverse.
    A bin between two harmonics, which the bands cannot tell from its neighbours, is thus found by consistency (after Masuyama et al.
    2023, joint amplitude and phase refinement).
    """
    size = magnitudes_from_mel(bands, mel) if size is None else size
    filters = _filters(mel).to(bands.device, bands.dtype)
    covered = filters.sum(0)[:, None].clamp_min(1e-9)
    phase = 2 * torch.pi * torch.rand(size.shape[1:], generator=torch.Generator().manual_seed(seed)).to(size)
    angles, before = torch.polar(torch.ones_like(size), phase.expand_as(size)), torch.zeros_like(size)
    for _ in range(iterations):
        rebuilt = stft(istft(size * angles, mel.n_fft, mel.hop), mel.n_fft, mel.hop)
        ahead = rebuilt - momentum / (1 + momentum) * before
        before = rebuilt
        angles = ahead / ahead.abs().clamp_min(1e-9)
        found = rebuilt.abs() + 1e-7
        ratio = filters.T @ (bands / (filters @ found).clamp_min(1e-7)) / covered
        size = found * ratio.clamp(0.1, 10)
    return istft(size * angles, mel.n_fft, mel.hop)


def wave_from_log_mel(
    log_bands: Float[Tensor, "batch bands frames"], mel: Mel, *, iterations: int = 32, seed: int = 0
) -> Float[Tensor, "batch samples"]:
    """A wave of frames * hop samples by the mel bands' inverse and the plain Griffin-Lim."""
    magnitudes = magnitudes_from_mel(log_bands.exp(), mel)
    return griffin_lim(magnitudes, mel.n_fft, mel.hop, iterations=iterations, seed=seed)
