"""Tiny sounds, for tests that run over every kind of data."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.kinds.audio.build import build_audio
from gansmith.kinds.audio.options import Options
from gansmith.kinds.audio.sound import Recording, Recordings
from gansmith.kinds.audio.source import _in_memory

RATE, SAMPLES = 2_000, 512


def toys() -> dict[str, Dataset]:
    """Decaying tones without labels, in two classes, and by pitch and loudness."""
    waves, high, pitch = tones()
    words = ["high" if one else "low" for one in high]
    numbers = [(round(float(one), 3), float(place % 3)) for place, one in enumerate(pitch)]
    options = Options(trim=False, seconds=SAMPLES / RATE)
    return {
        "sounds": _built(_in_memory("sounds", waves, RATE), options),
        "noisy sounds": _built(_in_memory("noisy", waves, RATE), replace(options, degrade="noise5")),
        "mel sounds": _built(_in_memory("mel", waves, RATE), replace(options, degrade="mel")),
        "said sounds": spoken(),
        "voiced sounds": _built(_in_memory("voiced", waves, RATE, words), replace(options, convert=True)),
        "noted sounds": _built(_in_memory("noted", waves, RATE, numbers, attributes=("pitch", "dynamic")), options),
        "named sounds": _built(_in_memory("named", waves, RATE, words), options),
    }


def tones(count: int = 64, seed: int = 0, samples: int = SAMPLES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waves [count, samples], whether each is high, and its pitch as a MIDI number."""
    rng = np.random.default_rng(seed)
    high = np.arange(count) % 2 == 1
    hertz = np.where(high, 500.0, 200.0) * 2 ** rng.uniform(-0.2, 0.2, count)
    time = np.arange(samples) / RATE
    waves = 0.8 * np.sin(2 * np.pi * hertz[:, None] * time) * np.exp(-time / rng.uniform(0.05, 0.15, (count, 1)))
    waves += 0.005 * rng.normal(size=waves.shape)
    return waves.astype(np.float32), high, 69 + 12 * np.log2(hertz / 440)


def spoken(count: int = 24, seed: int = 0) -> Dataset:
    """Sentences of three phonemes, "low", "high" and "noise", which last 60 to 120 ms each, at 2 kHz."""
    rng = np.random.default_rng(seed)
    sounds = []
    for _ in range(count):
        said = [("low", "high", "noise")[place] for place in rng.integers(3, size=rng.integers(3, 6))]
        said = [own for place, own in enumerate(said) if not place or own != said[place - 1]]
        parts = []
        for own in said:
            time = np.arange(round(RATE * rng.uniform(0.06, 0.12))) / RATE
            tone = np.sin(2 * np.pi * {"low": 200, "high": 600}.get(own, 0) * time)
            parts.append(0.4 * (rng.normal(size=len(time)) * 0.4 if own == "noise" else tone))
        wave = np.concatenate([*parts, 0.001 * rng.normal(size=100)])[:, None].astype(np.float32)
        sounds.append((wave, " ".join(said) + " ."))
    recordings = [Recording(f"said[{at}]", lambda wave=wave: (RATE, wave), text=text) for at, (wave, text) in enumerate(sounds)]
    return _built(Recordings(name="said", recordings=recordings), Options(trim=False, transcripts="phonemes"))


def _built(found: Recordings, options: Options) -> Dataset:
    return build_audio(found, options, Path())
