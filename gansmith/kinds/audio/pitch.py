"""The fundamental frequency of sounds by YIN (de Cheveigne & Kawahara 2002)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gansmith.kinds.audio.cleaning import resampled

THRESHOLD = 0.15
"""The aperiodicity below which a dip is taken at once."""
VOICED = 0.3
"""The aperiodicity up to which a frame counts as voiced."""
AUDIBLE = 0.01
"""The share of the loudest frame's energy that a frame needs to count."""
PERIOD, FINER = 16, 4
"""Samples that the shortest period should have, and how many times finer a wave is sampled for that at most."""


def yin(
    wave: Float[np.ndarray, " samples"], rate: int, *, low: float = 50.0, high: float = 2000.0, hop: float = 0.01
) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
    """(frequency in Hz, aperiodicity from 0 to about 1) of frames `hop` seconds apart, by steps 1 to 5 of the paper.

    Frames are as long as two periods of `low`; a wave that is shorter has none.
    """
    longest, shortest = int(np.ceil(rate / low)), max(2, int(rate / high))
    size = 2 * longest
    starts = np.arange(0, len(wave) - size + 1, max(1, round(hop * rate)))
    if not len(starts):
        return np.zeros(0), np.zeros(0)
    frames = wave[starts[:, None] + np.arange(size)].astype(np.float64)
    difference = _difference(frames, longest)
    lags = np.arange(1, longest + 1)
    normal = difference[:, 1:] * lags / np.maximum(np.cumsum(difference[:, 1:], 1), 1e-12)
    normal = np.concatenate([np.ones((len(frames), 1)), normal], 1)
    normal[:, :shortest] = 1.0
    at = _dips(normal, shortest)
    rows = np.arange(len(frames))
    before, here, after = (normal[rows, np.clip(at + shift, 0, longest)] for shift in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.where(bend > 1e-9, 0.5 * (before - after) / np.where(bend > 1e-9, bend, 1), 0.0)
    silent = np.square(frames).mean(1) < 1e-8
    return rate / (at + np.clip(shift, -0.5, 0.5)), np.where(silent, 1.0, here)


def _difference(frames: Float[np.ndarray, "frames size"], longest: int) -> Float[np.ndarray, "frames lags"]:
    """The sum over half a frame of squared differences at every lag (equation 6), by Fourier transforms."""
    half = frames.shape[1] - longest
    first = np.fft.rfft(frames[:, :half], 2 * frames.shape[1])
    both = np.fft.irfft(np.conj(first) * np.fft.rfft(frames, 2 * frames.shape[1]))[:, : longest + 1]
    power = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(np.square(frames), 1)], 1)
    energies = power[:, half : half + longest + 1] - power[:, : longest + 1]
    return np.maximum(energies[:, :1] + energies - 2 * both, 0)


def _dips(normal: Float[np.ndarray, "frames lags"], shortest: int) -> np.ndarray:
    """The first local minimum below THRESHOLD, or the lowest point."""
    inner = normal[:, 1:-1]
    is_dip = (inner < THRESHOLD) & (inner <= normal[:, :-2]) & (inner <= normal[:, 2:])
    is_dip[:, : shortest - 1] = False
    first = is_dip.argmax(1) + 1
    return np.where(is_dip.any(1), first, normal[:, shortest:].argmin(1) + shortest)


def note_of(wave: Float[np.ndarray, " samples"], rate: int, **span: float) -> float:
    """The MIDI number of a note: the median over its voiced frames that are not 20 dB below the loudest; NaN without any."""
    finer = int(np.clip(np.ceil(PERIOD * span.get("high", 2000.0) / rate), 1, FINER))
    wave, rate = resampled(np.asarray(wave, np.float64), rate, finer * rate), finer * rate  # periods of few samples are coarse
    hertz, aperiodicity = yin(wave, rate, **span)
    if not len(hertz):
        return float("nan")
    low = span.get("low", 50.0)
    size, step = 2 * int(np.ceil(rate / low)), max(1, round(0.01 * rate))
    energy = np.array([np.square(wave[place * step : place * step + size]).mean() for place in range(len(hertz))])
    kept = (aperiodicity < VOICED) & (energy >= AUDIBLE * energy.max(initial=0))
    return float(69 + 12 * np.log2(np.median(hertz[kept]) / 440)) if kept.any() else float("nan")
