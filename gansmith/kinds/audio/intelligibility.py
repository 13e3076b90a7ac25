"""Short-time objective intelligibility, STOI (Taal et al. 2011), of many waves at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gansmith.kinds.audio.cleaning import resampled

RATE, FRAME, SHIFT, BINS = 10_000, 256, 128, 512
"""Hz, samples of a frame and between frames, size of the transform."""
BANDS, LOWEST = 15, 150.0
"""Third-octave bands, and the centre of the lowest in Hz."""
SEGMENT = 30
"""Frames (384 ms) that are correlated."""
BETA, DYNAMIC = -15.0, 40.0
"""Lowest signal-to-distortion ratio in dB, and how far below the loudest frame silence begins."""


def stoi(clean: Float[np.ndarray, " samples"], made: Float[np.ndarray, " samples"], rate: int) -> float:
    """From 0 to 1, how intelligible `made` is, a version of the clean speech; NaN where less than 384 ms are no silence."""
    first, second = (resampled(np.asarray(wave, np.float64), rate, RATE) for wave in (clean, made))
    first, second = _without_silence(first, second)
    x, y = _bands(first), _bands(second)
    if x.shape[1] < SEGMENT:
        return float("nan")
    x, y = (np.lib.stride_tricks.sliding_window_view(each, SEGMENT, axis=1) for each in (x, y))  # [bands, segments, frames]
    tiny = np.finfo(float).eps
    y = y * (np.linalg.norm(x, axis=2, keepdims=True) / (np.linalg.norm(y, axis=2, keepdims=True) + tiny))
    y = np.minimum(y, x * (1 + 10 ** (-BETA / 20)))
    x, y = (each - each.mean(2, keepdims=True) for each in (x, y))
    norms = (np.linalg.norm(x, axis=2) + tiny) * (np.linalg.norm(y, axis=2) + tiny)
    return float(((x * y).sum(2) / norms).mean())


def _window() -> np.ndarray:
    return np.hanning(FRAME + 2)[1:-1]


def _frames(wave: np.ndarray) -> np.ndarray:
    count = max(0, -(-(len(wave) - FRAME) // SHIFT))
    return wave[np.arange(count)[:, None] * SHIFT + np.arange(FRAME)] * _window() if count else np.zeros((0, FRAME))


def _without_silence(clean: np.ndarray, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both waves without the frames in which the clean one is silent, put together again by overlap and add."""
    x, y = _frames(clean), _frames(made)
    if not len(x):
        return clean[:0], made[:0]
    level = 20 * np.log10(np.linalg.norm(x, axis=1) + np.finfo(float).eps)
    loud = level > level.max() - DYNAMIC
    joined = []
    for frames in (x[loud], y[loud]):
        wave = np.zeros((len(frames) - 1) * SHIFT + FRAME)
        for place, frame in enumerate(frames):
            wave[place * SHIFT : place * SHIFT + FRAME] += frame
        joined.append(wave)
    return joined[0], joined[1]


def _bands(wave: np.ndarray) -> Float[np.ndarray, "bands frames"]:
    """Root powers in third-octave bands."""
    power = np.abs(np.fft.rfft(_frames(wave), BINS)) ** 2
    return np.sqrt(_octaves() @ power.T)


def _octaves() -> np.ndarray:
    hertz = np.linspace(0, RATE, BINS + 1)[: BINS // 2 + 1]
    number = np.arange(BANDS)
    edges = [LOWEST * 2 ** ((2 * number + shift) / 6) for shift in (-1, 1)]
    low, high = (np.abs(hertz[None] - edge[:, None]).argmin(1) for edge in edges)
    place = np.arange(len(hertz))[None]
    return ((place >= low[:, None]) & (place < high[:, None])).astype(float)
