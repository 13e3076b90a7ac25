"""From spectra to waves inside networks, without complex numbers where a graph is exported."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv_transpose1d, pad

from gansmith.kinds.audio.transforms import FLOOR, Mel, istft, mel_filters, nearest_magnitudes, refined, stft


class Fourier(nn.Module):
    """The short-time Fourier transform and its inverse with `same` padding, as real and imaginary parts.

    In an exported graph both are convolutions with the rows of the discrete Fourier transform, which every runtime has; else they are fast
    Fourier transforms. Both ways agree to rounding.
    """

    def __init__(self, n_fft: int, hop: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        bins = n_fft // 2 + 1
        hann = torch.hann_window(n_fft, dtype=torch.float64)
        angle = 2 * math.pi * torch.arange(bins, dtype=torch.float64)[:, None] * torch.arange(n_fft, dtype=torch.float64) / n_fft
        forward = torch.cat([angle.cos(), -angle.sin()]) * hann
        weight = torch.full((bins, 1), 2.0, dtype=torch.float64)
        weight[0] = weight[-1] = 1.0
        backward = torch.cat([weight * angle.cos(), -weight * angle.sin()]) * hann / n_fft
        self.register_buffer("forward_rows", forward.float()[:, None], persistent=False)
        self.register_buffer("backward_rows", backward.float()[:, None], persistent=False)
        self.register_buffer("squared", hann.square().float()[None, None], persistent=False)
        self.left = (n_fft - hop) // 2

    def spectrum(self, wave: Float[Tensor, "batch samples"]) -> tuple[Tensor, Tensor]:
        """(real, imaginary), each [batch, bins, samples // hop]."""
        if not torch.compiler.is_exporting():
            found = stft(wave, self.n_fft, self.hop)
            return found.real, found.imag
        padded = pad(wave[:, None], (self.left, self.n_fft - self.hop - self.left), mode="reflect")
        real, imaginary = conv1d(padded, self.forward_rows, stride=self.hop).chunk(2, 1)
        return real, imaginary

    def wave(
        self, real: Float[Tensor, "batch bins frames"], imaginary: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch samples"]:
        """The wave of frames * hop samples."""
        if not torch.compiler.is_exporting():
            return istft(torch.complex(real.float(), imaginary.float()), self.n_fft, self.hop)
        parts = torch.cat([real, imaginary], 1)
        made = conv_transpose1d(parts, self.backward_rows, stride=self.hop)[:, 0]
        ones = torch.ones_like(parts[:1, :1])
        envelope = conv_transpose1d(ones, self.squared, stride=self.hop)[:, 0]
        end = made.shape[1] - (self.n_fft - self.hop - self.left)
        return made[:, self.left : end] / envelope[:, self.left : end]


class LogMel(nn.Module):
    """A wave to its logarithmic mel spectrum, without complex numbers where a graph is exported."""

    def __init__(self, mel: Mel) -> None:
        super().__init__()
        self.fourier = Fourier(mel.n_fft, mel.hop)
        self.register_buffer("filters", mel_filters(mel), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch bands frames"]:
        with torch.autocast(wave.device.type, enabled=False):  # bfloat16 would round loudness to a quarter of a dB
            real, imaginary = self.fourier.spectrum(wave.float())
            return (self.filters @ (real.square() + imaginary.square() + 1e-12).sqrt()).clamp_min(FLOOR).log()


class ComplexHead(nn.Module):
    """Numbers at every frame, half of them logarithmic magnitudes and half phases, to a wave (Siuzdak 2023, section 3.2)."""

    LOUDEST = 100.0
    """Magnitudes end here."""

    def __init__(self, n_fft: int, hop: int) -> None:
        super().__init__()
        self.fourier = Fourier(n_fft, hop)

    def forward(self, x: Float[Tensor, "batch numbers frames"]) -> Float[Tensor, "batch samples"]:
        size, phase = x.float().chunk(2, 1)
        size = size.exp().clamp(max=self.LOUDEST)
        return self.fourier.wave(size * phase.cos(), size * phase.sin()).clamp(-1, 1)


MAGNIFIED = 1e-3
"""How far waves may differ after Griffin-Lim's iterations that start from numbers which are equal but for rounding."""


UPDATES = 30
"""Of the non-negative inverse of mel bands."""


class GriffinLim(nn.Module):
    """Magnitudes in mel bands to a wave: the bands' non-negative inverse, then Griffin & Lim's iterations with momentum.

    Magnitudes move with the phases: each iteration takes those of the wave that is there and scales them until their mel bands are those
    that are given (`transforms.consistent_griffin_lim`). The phases begin at random, the same for every call. Nothing of it is learned.
    """

    def __init__(self, mel: Mel, frames: int, iterations: int, momentum: float = 0.99) -> None:
        super().__init__()
        self.fourier = Fourier(mel.n_fft, mel.hop)
        self.iterations, self.momentum = iterations, momentum
        filters = mel_filters(mel)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("inverse", torch.linalg.pinv(filters.double()).float(), persistent=False)
        self.register_buffer("covered", filters.sum(0)[:, None].clamp_min(1e-9), persistent=False)
        phase = 2 * torch.pi * torch.rand(mel.n_fft // 2 + 1, frames, generator=torch.Generator().manual_seed(0))
        self.register_buffer("cosine", phase.cos(), persistent=False)
        self.register_buffer("sine", phase.sin(), persistent=False)

    def spread(self, bands: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch bins frames"]:
        """The least-squares inverse of mel bands, in float32; some of it may be negative."""
        with torch.autocast(bands.device.type, enabled=False):
            return self.inverse @ bands.float()

    def magnitudes(self, bands: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch bins frames"]:
        """Those of the transform whose mel bands are nearest to these (Lee & Seung 2000)."""
        return nearest_magnitudes(bands, self.spread(bands).clamp_min(1e-7), self.filters, UPDATES)

    def forward(self, bands: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch samples"]:
        return self.wave(self.magnitudes(bands), bands)

    def wave(
        self, size: Float[Tensor, "batch bins frames"], bands: Float[Tensor, "batch bands frames"]
    ) -> Float[Tensor, "batch samples"]:
        """A wave whose mel bands are nearly these, of any number of frames; its magnitudes begin at `size`."""
        cosine, sine = self.cosine, self.sine
        if torch.compiler.is_exporting() or size.shape[2] != cosine.shape[1]:
            places = torch.arange(size.shape[2], device=size.device) % cosine.shape[1]
            cosine, sine = cosine[:, places], sine[:, places]
        cosine, sine = cosine.expand_as(size), sine.expand_as(size)
        if not torch.compiler.is_exporting():
            return refined(
                bands,
                size,
                torch.complex(cosine, sine),
                self.filters,
                hop=self.fourier.hop,
                iterations=self.iterations,
                momentum=self.momentum,
            )
        before = torch.zeros_like(size), torch.zeros_like(size)
        share = self.momentum / (1 + self.momentum)
        for _ in range(self.iterations):
            real, imaginary = self.fourier.spectrum(self.fourier.wave(size * cosine, size * sine))
            ahead = real - share * before[0], imaginary - share * before[1]
            before = real, imaginary
            length = (ahead[0].square() + ahead[1].square()).sqrt().clamp_min(1e-9)
            cosine, sine = ahead[0] / length, ahead[1] / length
            found = (real.square() + imaginary.square()).sqrt() + 1e-7
            ratio = self.filters.T @ (bands / (self.filters @ found).clamp_min(1e-7)) / self.covered
            size = found * ratio.clamp_min(0.1).clamp_max(10.0)
        return self.fourier.wave(size * cosine, size * sine)
