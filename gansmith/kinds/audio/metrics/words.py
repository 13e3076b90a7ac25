"""Word error rate: what an offline recogniser hears of speech that was made of text, beside real speech of the same sentences.

The recogniser is PocketSphinx with the English model of its wheel. Its floor is the ceiling of the score: what it hears wrongly of the
real recordings. The baseline is real speech of another sentence.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.cleaning import as_int16, resampled
from gansmith.kinds.audio.metrics.phones import distance
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.speech.english import written_out
from gansmith.metrics.registry import NotApplicableError

METRICS = {"word_error": ("lower", "words of English sentences that an offline recogniser hears wrongly, over those said")}
SAYS = "quality"
BASELINE = "another sentence"
FEWEST = 2
MOST = 40
"""Sentences that are heard."""
HEARD_AT = 16_000
LANGUAGES = ("en",)
"""Those that the recogniser knows."""
SHORTEST = 3
"""Words of the shortest sentence that counts: a recogniser guesses single words."""


def words_of(text: str) -> list[str]:
    """The words of a sentence, numbers written out."""
    return re.findall(r"[a-z']+", written_out(text).lower())


def errors(said: list[str], heard: list[str]) -> int:
    """The fewest substituted, left out and added words."""
    numbers = {word: place for place, word in enumerate({*said, *heard})}
    return distance([numbers[word] for word in said], [numbers[word] for word in heard])


@lru_cache(maxsize=1)
def recogniser() -> Callable[[np.ndarray, int], list[str]]:
    """A function of a wave and its rate to the words that are heard. Raises NotApplicableError where PocketSphinx is not installed."""
    if importlib.util.find_spec("pocketsphinx") is None:
        raise NotApplicableError('word_error needs a recogniser: pip install "gansmith[speech-judge]".')
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=HEARD_AT, loglevel="FATAL")

    def hear(wave: np.ndarray, rate: int) -> list[str]:
        wave = resampled(np.asarray(wave, np.float64), rate, HEARD_AT)
        silence = np.zeros(HEARD_AT // 4)
        content = as_int16(np.concatenate([silence, 0.7 * wave / (np.abs(wave).max(initial=0) + 1e-9), silence]))
        decoder.start_utt()
        decoder.process_raw(content.tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return words_of(found.hypstr) if found else []

    return hear


def measure(side: Side) -> dict[str, Measured]:
    """Every sentence of three words and more against what was to be said. Raises NotApplicableError for sounds that were not made of
    English text."""
    spec = side.real.train.codec.spec
    if not isinstance(spec, AudioSpec) or not isinstance(spec.source, AudioSpec) or spec.source.language not in LANGUAGES:
        raise NotApplicableError("word_error hears speech that was made of English text, and these data hold none.")
    hear = recogniser()
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
        heard.append(hear(wave[: int(there[-1]) + 1 if len(there) else 0], spec.rate))
    if len(said) < FEWEST:
        raise NotApplicableError("word_error needs sentences of three words and more, whose text is known.")
    if side.name == "baseline":
        said = [*said[1:], said[0]]
    wrong = np.array([min(len(own), errors(own, other)) for own, other in zip(said, heard, strict=True)], np.float64)
    total = np.array([len(own) for own in said], np.float64)
    value, low, high = jackknife(lambda kept: float(wrong[kept].sum() / total[kept].sum()), len(said), side.real.seed)
    return {
        "word_error": Measured(
            value=value, low=max(0.0, low), high=high, samples=len(said), reference_samples=len(said), space="pocketsphinx"
        )
    }


def texts_of(data: Dataset) -> dict[bytes, str]:
    """The text of every sentence by its phonemes."""
    texts = data.facts.get("texts", ())
    return {_key(row): text for row, text in zip(np.asarray(data.arrays["a"]), texts, strict=True)} if texts else {}


def _key(row: np.ndarray) -> bytes:
    return np.asarray(row)[np.asarray(row) > 0].astype(np.int64).tobytes()
