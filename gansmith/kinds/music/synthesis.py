"""Music as sound without a sound font: additive synthesis of a few harmonics, noise for drums."""

from __future__ import annotations

import io
import wave

import numpy as np
from jaxtyping import Float

from gansmith.kinds.music.piece import Piece

RATE = 16_000
"""Samples a second."""
HARMONICS = (1.0, 0.5, 0.28, 0.14, 0.07)
"""How loud each harmonic is."""
ATTACK, RELEASE = 0.01, 0.12
"""Seconds."""
TAIL = 0.4


def synthesised(piece: Piece) -> Float[np.ndarray, " samples"]:
    """Mono sound in [-1, 1]."""
    step = 60 / piece.tempo / piece.per_beat
    sound = np.zeros(int((piece.steps * step + TAIL) * RATE) + 1)
    noise = np.random.default_rng(0)
    for track in piece.tracks:
        for note in track.notes:
            begin, count = int(note.start * step * RATE), int((note.length * step + RELEASE) * RATE)
            time = np.arange(count) / RATE
            fade = np.minimum(1, time / ATTACK) * np.minimum(1, (time[-1] - time) / RELEASE + 1e-9)
            if track.drum:
                tone = noise.standard_normal(count) * np.exp(-time * 20)
            else:
                pitch = 440 * 2 ** ((note.pitch - 69) / 12)
                audible = [(place, loud) for place, loud in enumerate(HARMONICS, 1) if place * pitch < RATE / 2]
                tone = sum(loud * np.sin(2 * np.pi * place * pitch * time) for place, loud in audible) * np.exp(-time * 1.5)
            part = sound[begin : begin + count]
            part += (tone * fade)[: len(part)]
    return 0.9 * sound / max(1e-9, float(np.abs(sound).max()))


def wav(piece: Piece) -> bytes:
    """A WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes((synthesised(piece) * 32767).astype("<i2").tobytes())
    return file.getvalue()
