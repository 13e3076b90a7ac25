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
    return overlap_add(torch.fft.irfft(spectrum.mT, n_fft, dim=2), hop, centred=centred)


def overlap_add(
    frames: Float[Tensor, "batch frames n_fft"], hop: int, *, centred: bool = False
) -> Float[Tensor, "batch samples"]:
    """Frames times the window, added up and divided by the sum of squared windows."""
    count, n_fft = frames.shape[1:]
    hann = window(n_fft, frames)
    left = n_fft // 2 if centred else (n_fft - hop) // 2
    end = (count - 1) * hop + n_fft - (n_fft // 2 if centred else n_fft - hop - left)
    envelope = _added(hann.square().expand(1, count, n_fft), hop)[:, left:end].clamp_min(1e-11)
    return _added(frames * hann, hop)[:, left:end] / envelope


def _added(frames: Float[Tensor, "batch frames n_fft"], hop: int) -> Float[Tensor, "batch samples"]:
    """The sum of frames, each `hop` samples after the one before."""
    batch, count, n_fft = frames.shape
    if n_fft % hop:
        return fold(frames.mT, (1, (count - 1) * hop + n_fft), kernel_size=(1, n_fft), stride=(1, hop))[:, 0, 0]
    parts = frames.unflatten(2, (-1, hop))  # what falls on the same samples is added as a whole, several times as fast as by fold
    made = frames.new_zeros(batch, count + parts.shape[2] - 1, hop)
    for late in range(parts.shape[2]):
        made[:, late : late + count] += parts[:, :, late]
    return made.flatten(1)


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
    return nearest_magnitudes(bands, (inverse @ bands).clamp_min(1e-7), filters, iterations)


def nearest_magnitudes(
    bands: Float[Tensor, "batch bands frames"],
    begin: Float[Tensor, "batch bins frames"],
    filters: Float[Tensor, "bands bins"],
    iterations: int,
) -> Float[Tensor, "batch bins frames"]:
    """`begin` after so many multiplicative updates towards these bands (Lee & Seung 2000)."""
    found, goal, back = begin.mT, bands.mT @ filters, filters.T.contiguous()
    for _ in range(iterations):
        found = found * goal / (found @ back @ filters).clamp_min(1e-9)
    return found.mT


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
    phase = 2 * torch.pi * torch.rand(size.shape[1:], generator=torch.Generator().manual_seed(seed)).to(size)
    filters = _filters(mel).to(bands.device, bands.dtype)
    angles = torch.polar(torch.ones_like(phase), phase).expand_as(size)
    return refined(bands, size, angles, filters, hop=mel.hop, iterations=iterations, momentum=momentum)


def refined(
    bands: Float[Tensor, "batch bands frames"],
    size: Float[Tensor, "batch bins frames"],
    angles: Complex[Tensor, "batch bins frames"],
    filters: Float[Tensor, "bands bins"],
    *,
    hop: int,
    iterations: int,
    momentum: float,
) -> Float[Tensor, "batch samples"]:
    """The iterations of `consistent_griffin_lim`, which begin with these magnitudes and phases (numbers of length 1).

    Frames lie one after the other in memory, as the transforms take them.
    """
    n_fft = 2 * (size.shape[1] - 1)
    left, share = (n_fft - hop) // 2, momentum / (1 + momentum)
    hann, goal = window(n_fft, bands), bands.mT
    seen, back = filters.T.contiguous(), filters / filters.sum(0).clamp_min(1e-9)
    made = (size * angles).mT.contiguous()
    before = torch.zeros_like(made)
    for _ in range(iterations):
        wave = overlap_add(torch.fft.irfft(made, n_fft, dim=2), hop)
        padded = pad(wave[:, None], (left, n_fft - hop - left), mode="reflect")[:, 0]
        rebuilt = torch.fft.rfft(padded.unfold(1, n_fft, hop) * hann, dim=2)
        ahead, before = rebuilt - share * before, rebuilt
        found = _length(rebuilt) + 1e-7
        ratio = (goal / (found @ seen).clamp_min(1e-7)) @ back
        made = ahead * (found * ratio.clamp(0.1, 10) / _length(ahead).clamp_min(1e-9))
    return overlap_add(torch.fft.irfft(made, n_fft, dim=2), hop)


def _length(x: Complex[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Absolute values, in a quarter of the time that a CPU takes for `abs`."""
    parts = torch.view_as_real(x)
    return (parts[..., 0].square() + parts[..., 1].square()).sqrt()


def wave_from_log_mel(
    log_bands: Float[Tensor, "batch bands frames"], mel: Mel, *, iterations: int = 32, seed: int = 0
) -> Float[Tensor, "batch samples"]:
    """A wave of frames * hop samples by the mel bands' inverse and the plain Griffin-Lim."""
    magnitudes = magnitudes_from_mel(log_bands.exp(), mel)
    return griffin_lim(magnitudes, mel.n_fft, mel.hop, iterations=iterations, seed=seed)
