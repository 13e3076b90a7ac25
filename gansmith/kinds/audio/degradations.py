"""What a clean recording may have suffered: pairs made of clean recordings, the damaged one given, the clean one to be made.

Every degradation is the same for the same recording at every call: its randomness comes from the recording's name.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.audio.cleaning import resampled

MEL = "mel"
"""Not damage, but the mel spectrum in place of the wave: what vocoders are given."""
SAME = "same"
"""No damage: the wave itself, which codecs make anew."""
_MEASURED = {
    "noise": (-10, 60),
    "hum": (-10, 60),
    "babble": (-10, 60),
    "reverb": (0.05, 5),
    "clip": (1, 60),
    "lowpass": (100, 20_000),
    "bits": (2, 15),
}
"""Degradations and the range of their numbers."""
ADDED = ("noise", "hum", "babble")
"""Those that add a sound which has nothing to do with the recording."""
WORDS = "noise5 (dB), hum10 (dB), babble5 (dB), reverb0.4 (seconds), clip12 (dB), lowpass4000 (Hz), bits6; or mel, or same"
SPAN = 15.0
"""Signal-to-noise ratios are drawn from the number that is given to so many dB above it."""
SPEAKERS = 4
"""Other recordings that babble is the sum of."""


def parsed(words: str) -> list[tuple[str, float]]:
    """[("noise", 5), ("clip", 12)] of "noise5,clip12"; [("mel", 0)] of "mel", [] of "same". Raises UserError for a word that says
    nothing."""
    if words.strip().lower() in (MEL, SAME):
        return [(MEL, 0.0)] if words.strip().lower() == MEL else []
    found = []
    for word in words.split(","):
        match = re.fullmatch(r"\s*([a-z]+?)\s*(-?\d+(?:\.\d+)?)\s*", word.lower())
        name, number = (match[1], float(match[2])) if match else (word.strip(), 0.0)
        low, high = _MEASURED.get(name, (1, 0))
        if match is None or not low <= number <= high:
            near = did_you_mean(name, [*_MEASURED, MEL, SAME])
            raise UserError(f"--degrade takes words of {WORDS}, joined by commas, but it is {word!r}{near}.")
        found.append((name, number))
    return found


def degraded(
    wave: Float[np.ndarray, " samples"],
    rate: int,
    words: str,
    name: str,
    others: Sequence[Float[np.ndarray, " other"]] = (),
    noises: Sequence[Float[np.ndarray, " noise"]] = (),
) -> Float[np.ndarray, " samples"]:
    """The wave after the degradations in their order; `others` are recordings to make babble of, `noises` those of noise, if computed
    noise is not wanted, and `name` seeds what is random.

    Raises UserError for babble without two others.
    """
    for kind, number in parsed(words):
        rng = np.random.default_rng(zlib.crc32(f"{name} {kind}".encode()))
        if kind == "noise" and noises:
            noise = fitted(noises[int(rng.integers(len(noises)))], len(wave), rng)
            wave = mixed(wave, noise, rng.uniform(number, number + SPAN))
        else:
            wave = _one(wave, rate, kind, number, rng, others)
    return wave


def mixed(wave: np.ndarray, noise: np.ndarray, decibels: float) -> np.ndarray:
    """The wave with noise so many dB below it, both measured over the whole."""
    share = np.sqrt(np.square(wave).mean() / max(np.square(noise).mean(), 1e-12)) * 10 ** (-decibels / 20)
    return wave + share * noise


def fitted(noise: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A random stretch of a recording, which is repeated where it is too short."""
    repeated = np.tile(noise, -(-(length + 1) // len(noise)) + (len(noise) < length))
    start = int(rng.integers(0, len(repeated) - length + 1))
    return repeated[start : start + length]


def _one(
    wave: np.ndarray, rate: int, kind: str, number: float, rng: np.random.Generator, others: Sequence[np.ndarray]
) -> np.ndarray:
    if kind == "noise":
        return mixed(wave, coloured(len(wave), rng.uniform(0, 2), rng), rng.uniform(number, number + SPAN))
    if kind == "hum":
        mains, time = (50.0, 60.0)[int(rng.integers(2))], np.arange(len(wave)) / rate
        tones = sum(rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * mains * k * time + rng.uniform(0, 6)) for k in range(1, 9))
        return mixed(wave, np.asarray(tones), rng.uniform(number, number + SPAN))
    if kind == "babble":
        if len(others) < 2:
            raise UserError("--degrade babble mixes in other recordings, and there are fewer than two: give more, or take noise.")
        chosen = rng.permutation(len(others))[:SPEAKERS]
        voices = sum(fitted(others[place] / (np.abs(others[place]).max() + 1e-6), len(wave), rng) for place in chosen)
        return mixed(wave, np.asarray(voices), rng.uniform(number, number + SPAN))
    if kind == "reverb":
        return reverberated(wave, rate, number * rng.uniform(0.6, 1.4), rng)
    if kind == "clip":
        limit = np.abs(wave).max() * 10 ** (-number / 20)
        return np.clip(wave, -limit, limit)
    if kind == "lowpass":
        if 2 * number >= rate:
            raise UserError(f"--degrade lowpass{number:g} takes nothing away at {rate} Hz: give less than {rate // 2}.")
        return resampled(resampled(wave, rate, round(2 * number)), round(2 * number), rate)[: len(wave)]
    steps = 2 ** (number - 1)
    return np.round(wave * steps) / steps


def coloured(length: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power falls as frequency to the power of `slope`: 0 is white, 1 pink, 2 brown."""
    hertz = np.fft.rfftfreq(length)
    spectrum = np.fft.rfft(rng.normal(size=length)) * np.maximum(hertz, 1e-3) ** (-slope / 2)
    made = np.fft.irfft(spectrum, length)
    return made / (made.std() + 1e-12)


def reverberated(wave: np.ndarray, rate: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """The wave in a room that falls by 60 dB in so many seconds: the direct sound, then exponentially decaying noise 6 dB below."""
    from scipy.signal import fftconvolve

    time = np.arange(round(seconds * rate)) / rate
    tail = rng.normal(size=len(time)) * 10 ** (-3 * time / seconds)
    tail[: round(0.003 * rate)] = 0
    tail *= 0.5 / np.sqrt(np.square(tail).sum() + 1e-12)
    return fftconvolve(wave, np.concatenate([[1.0], tail]))[: len(wave)]
