"""Recordings before they are cut: one channel, one rate, no silence at the ends, one level."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from jaxtyping import Float

ZEROS = 32
"""Zero crossings of the resampling filter on each side."""
ROLLOFF, BETA = 0.945, 12.0
"""Where the filter's pass band ends, as a share of the lower Nyquist frequency, and its Kaiser window's shape (stop band at -118 dB)."""
FRAME = 0.01
"""Seconds whose energy decides whether they are silence."""
MARGIN = 0.02
"""Seconds of silence that are left at both ends."""
PEAK, LOUDNESS = 0.9, 0.08
"""What recordings are brought to: their peak, or the root mean square of what is no silence (-22 dB)."""
QUIET = 1e-4
"""Recordings with a lower peak are silence, which is not levelled."""


def mono(wave: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, " samples"]:
    """The mean of all channels."""
    return wave[:, 0] if wave.shape[1] == 1 else wave.mean(1)


def resampled(wave: Float[np.ndarray, " samples"], rate: int, to: int) -> Float[np.ndarray, " resampled"]:
    """The wave at another rate, by a polyphase filter; ceil(samples * to / rate) samples."""
    if rate == to or not len(wave):
        return wave
    from scipy.signal import resample_poly

    common = gcd(rate, to)
    up, down = to // common, rate // common
    return resample_poly(wave, up, down, window=_filter(max(up, down)).astype(wave.dtype)).astype(wave.dtype)


@lru_cache(maxsize=8)
def _filter(slower: int) -> np.ndarray:
    from scipy.signal import firwin

    return firwin(2 * ZEROS * slower + 1, ROLLOFF / slower, window=("kaiser", BETA))


def sounding(wave: Float[np.ndarray, " samples"], rate: int, below: float) -> tuple[int, int]:
    """(first, end) of what is louder than `below` dB under the loudest frame, with a margin; (0, 0) if nothing is."""
    size = max(1, round(rate * FRAME))
    count = -(-len(wave) // size)
    energy = np.square(np.pad(wave, (0, count * size - len(wave))).reshape(count, size)).mean(1) if count else np.zeros(0)
    if not count or energy.max() < QUIET**2:
        return 0, 0
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-below / 10))
    margin = round(rate * MARGIN)
    return max(0, int(loud[0]) * size - margin), min(len(wave), (int(loud[-1]) + 1) * size + margin)


def levelled(wave: Float[np.ndarray, " samples"], rate: int, to: str) -> Float[np.ndarray, " samples"]:
    """The wave at the usual "peak" or "loudness", or as it is ("none"); silence stays as it is, and no peak exceeds 1."""
    peak = float(np.abs(wave).max(initial=0.0))
    if to == "none":
        return wave / peak if peak > 1 else wave
    if peak < QUIET:
        return wave
    if to == "peak":
        return wave * (PEAK / peak)
    size = max(1, round(rate * FRAME))
    energy = np.square(wave[: len(wave) // size * size or len(wave)].reshape(-1, size if len(wave) >= size else len(wave))).mean(
        1
    )
    active = energy[energy > energy.max() * 1e-4]
    return wave * min(LOUDNESS / float(np.sqrt(active.mean())), 1 / peak)


def as_int16(wave: Float[np.ndarray, "*shape"]) -> np.ndarray:
    """From -1 to 1 as 16 bits, cut where it exceeds them."""
    return np.clip(np.rint(wave * 32768.0), -32768, 32767).astype(np.int16)
