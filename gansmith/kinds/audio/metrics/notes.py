"""Pitch accuracy: whether a note has the pitch that was asked for (as in GANSynth, Engel et al. 2019, section 5)."""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.codec import AudioCodec
from gansmith.kinds.audio.pitch import note_of
from gansmith.kinds.audio.spec import PITCHES, pitch_of
from gansmith.metrics.registry import NotApplicableError

METRICS = {"pitch_accuracy": ("higher", "share of notes within 50 cents of the pitch that was asked for, by YIN")}
SAYS = "quality"
CENTS = 50


def measure(side: Side) -> dict[str, Measured]:
    """Every note against its own attribute; a note without a fundamental is wrong."""
    codec = side.data.codec
    place = pitch_of(codec.spec.attributes)
    if place is None or not isinstance(codec, AudioCodec):
        raise NotApplicableError(
            f"pitch_accuracy needs an attribute {' or '.join(PITCHES)} (MIDI numbers), which these sounds lack."
        )
    cents = pitch_errors(side, codec, place)
    right = np.abs(cents) <= CENTS
    value, low, high = jackknife(lambda kept: float(right[kept].mean()), len(right), side.real.seed, bounds=(0.0, 1.0))
    return {
        "pitch_accuracy": Measured(value=value, low=low, high=high, samples=len(right), reference_samples=len(right), space="yin")
    }


def pitch_errors(side: Side, codec: AudioCodec, place: int) -> np.ndarray:
    """In cents, of every example; infinite without a fundamental."""
    errors = []
    lowest = 440 * 2 ** ((codec.attributes.low[place] - 69 - 7) / 12) if codec.attributes else 50.0
    packed = side.data.packed(slice(None))
    for wave, label in zip(packed["wave"].astype(np.float64) / 32768, packed["label"], strict=True):
        heard = note_of(wave, codec.spec.rate, low=max(20.0, lowest), high=codec.spec.rate / 4)
        errors.append(100 * (heard - float(label[place])) if np.isfinite(heard) else np.inf)
    return np.array(errors)
