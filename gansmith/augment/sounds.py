"""Sounds at other paces, moments and levels, so that few recordings are many (as in Ko et al. 2015, "Audio augmentation for speech
recognition")."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.training.seeds import uniform_rows

KNOTS = 7
"""Frequencies at which colours are drawn: half the rate, and six octaves below it."""
UNIT = 64
"""Lengths at another pace are a multiple of so many samples, which Fourier transforms like."""


def varied(
    wave: Float[Tensor, "batch samples"], *, pace: float, decibels: tuple[float, float] = (0.0, 0.0), colour: float = 0.0
) -> Float[Tensor, "batch samples"]:
    """The waves up to `pace` faster or slower (and as much higher or lower), begun at another place, and louder by so many `decibels`.

    Pace and beginning are those of the whole batch, the level is of each wave. What is faster begins anew at its end. Up to `colour`
    decibels are added to parts of the spectrum or taken away, other ones of each wave.
    """
    samples = wave.shape[1]
    chance = uniform_rows(1, 2).tolist()[0]
    count = max(2, round(samples * (1 + pace * (2 * chance[0] - 1)) / UNIT) * UNIT) if samples > UNIT else samples
    if count != samples or colour:
        spectrum = torch.fft.rfft(wave.float())
        if colour:
            spectrum = spectrum * 10 ** (coloured(len(wave), spectrum.shape[1], wave.device) * (colour / 20))
        wave = torch.fft.irfft(spectrum, n=count) * (count / samples)
    start = int(chance[1] * count)
    wave = torch.cat([wave[:, start:], wave[:, :start]], 1)
    wave = torch.cat([wave, wave[:, : max(0, samples - count)]], 1)[:, :samples]
    low, high = decibels
    if low == high == 0:
        return wave
    level = low + (high - low) * uniform_rows(len(wave), 1, device=wave.device)
    return wave * 10 ** (level / 20)


def coloured(count: int, bins: int, device: torch.device) -> Float[Tensor, "count bins"]:
    """Curves between -1 and 1 that go straight between random heights at KNOTS frequencies, each twice the one before."""
    heights = 2 * uniform_rows(count, KNOTS, device=device) - 1
    at = (KNOTS - 1 + (torch.arange(bins, device=device).clamp_min(1) / max(1, bins - 1)).log2()).clamp(0, KNOTS - 1)
    low = at.floor().long().clamp_max(KNOTS - 2)
    share = at - low
    return heights[:, low] * (1 - share) + heights[:, low + 1] * share
