"""The built-in sounds: drum hits drawn by a program from seeded parameters, in six classes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

RATE = 16_000
SECONDS = 0.512
CLASSES = ("clap", "cowbell", "hat", "kick", "snare", "tom")
COUNT = 1200


def drums(count: int = COUNT, seed: int = 0, samples: int = round(RATE * SECONDS)) -> tuple[np.ndarray, list[str]]:
    """Waves [count, samples], float32 with the peak at most 0.9, and the class of each."""
    rng = np.random.default_rng(seed)
    labels = [CLASSES[place % len(CLASSES)] for place in range(count)]
    return np.stack([_levelled(_MADE[label](rng, samples)) for label in labels]).astype(np.float32), labels


def _time(samples: int) -> Float[np.ndarray, " samples"]:
    return np.arange(samples) / RATE


def _glide(rng: np.random.Generator, samples: int, start: float, end: float, fall: float) -> np.ndarray:
    """A sine that glides from one frequency to another."""
    time = _time(samples)
    return np.sin(2 * np.pi * np.cumsum(end + (start - end) * np.exp(-time / fall)) / RATE + rng.uniform(0, 0.3))


def _noise(rng: np.random.Generator, samples: int, low: float, high: float) -> np.ndarray:
    """White noise between two frequencies, with standard deviation 1."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    hertz = np.fft.rfftfreq(samples, 1 / RATE)
    made = np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), samples)
    return made / made.std()


def _kick(rng: np.random.Generator, samples: int) -> np.ndarray:
    body = _glide(rng, samples, rng.uniform(150, 320), rng.uniform(42, 70), rng.uniform(0.02, 0.05))
    click = _noise(rng, samples, 1500, 6000) * np.exp(-_time(samples) / 0.003) * rng.uniform(0.05, 0.25)
    return body * np.exp(-_time(samples) / rng.uniform(0.06, 0.16)) + click


def _snare(rng: np.random.Generator, samples: int) -> np.ndarray:
    body = _glide(rng, samples, rng.uniform(250, 330), rng.uniform(160, 220), 0.02) * np.exp(
        -_time(samples) / rng.uniform(0.04, 0.08)
    )
    wires = _noise(rng, samples, rng.uniform(900, 1800), 7600) * np.exp(-_time(samples) / rng.uniform(0.05, 0.13))
    return body + rng.uniform(0.3, 0.7) * wires


def _hat(rng: np.random.Generator, samples: int) -> np.ndarray:
    length = np.exp(rng.uniform(np.log(0.012), np.log(0.15)))  # closed to open
    return _noise(rng, samples, rng.uniform(4500, 6000), 7900) * np.exp(-_time(samples) / length)


def _clap(rng: np.random.Generator, samples: int) -> np.ndarray:
    time, gap = _time(samples), rng.uniform(0.008, 0.014)
    hands = sum((time >= k * gap) * np.exp(-np.maximum(time - k * gap, 0) / (0.004 if k < 3 else 0.07)) for k in range(4))
    return _noise(rng, samples, rng.uniform(600, 900), rng.uniform(2500, 4500)) * hands


def _tom(rng: np.random.Generator, samples: int) -> np.ndarray:
    pitch = np.exp(rng.uniform(np.log(85), np.log(240)))
    body = _glide(rng, samples, pitch * 1.5, pitch, rng.uniform(0.03, 0.06)) * np.exp(-_time(samples) / rng.uniform(0.12, 0.22))
    return body + 0.1 * _noise(rng, samples, 300, 3000) * np.exp(-_time(samples) / 0.01)


def _cowbell(rng: np.random.Generator, samples: int) -> np.ndarray:
    time, pitch = _time(samples), rng.uniform(480, 620)
    tones = sum(np.sin(2 * np.pi * pitch * ratio * odd * time) / odd for ratio in (1.0, 1.48) for odd in (1, 3, 5))
    return tones * np.exp(-time / rng.uniform(0.06, 0.15))


def _levelled(wave: np.ndarray) -> np.ndarray:
    """The peak at 0.9, and the last 10 ms faded out."""
    fade = np.minimum(1, (len(wave) - np.arange(len(wave))) / (0.01 * RATE))
    wave = wave * fade
    return 0.9 * wave / np.abs(wave).max()


_MADE = {"kick": _kick, "snare": _snare, "hat": _hat, "clap": _clap, "tom": _tom, "cowbell": _cowbell}
