"""Copied spans: the longest run of words that a text has from one training text."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.words import numbered, tokenised

METRICS = {
    "copied_span": ("lower", "length of the longest run of words copied from one training text, as a share of the text: 1 copies")
}
SAYS = "memorisation"
BASELINE = "independent tokens"
LONGEST = 20
"""Longer runs count as so many words, and longer texts as well."""


def longest_runs(texts: Sequence[Sequence[str]], sources: Sequence[Sequence[str]]) -> Int[np.ndarray, " texts"]:
    """How many words in a row each text shares with one of the sources, at most LONGEST."""
    known: dict[str, int] = {}
    of_sources, of_texts = (_joined(numbered(each, known)) for each in (sources, texts))
    owner = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    found = np.zeros(len(texts), np.int64)
    multipliers = np.random.default_rng(0).integers(1, 2**63, LONGEST, dtype=np.uint64) | np.uint64(1)
    runs, spans = np.zeros(len(of_texts), np.uint64), np.zeros(len(of_sources), np.uint64)
    for size in range(1, LONGEST + 1):
        runs, whole = _longer(runs, of_texts, size, multipliers[size - 1])
        spans, there = _longer(spans, of_sources, size, multipliers[size - 1])
        shared = np.flatnonzero(whole & np.isin(runs, spans[there]))
        if not len(shared):
            break
        found[owner[shared]] = size
    return found


def _joined(texts: Sequence[np.ndarray]) -> Int[np.ndarray, " words"]:
    """All words in a row, with -1 behind each text."""
    return np.concatenate([np.append(text, -1) for text in texts])


def _longer(runs: np.ndarray, words: np.ndarray, size: int, multiplier: np.uint64) -> tuple[np.ndarray, np.ndarray]:
    """The runs that begin at each word as numbers, made longer by one word, and which of them lie within a text."""
    ahead = np.append(words[size - 1 :], np.full(size - 1, -1))
    longer = runs + (ahead + 2).astype(np.uint64) * multiplier
    blocked = np.append(np.cumsum(words < 0), np.full(size, (words < 0).sum()))
    whole = blocked[size - 1 : size - 1 + len(words)] == np.append(0, blocked[: len(words) - 1])
    return longer, whole & (ahead >= 0)


def measure(side: Side) -> dict[str, Measured]:
    """Against all training texts."""
    texts, train = tokenised(side.data), tokenised(side.real.train)
    lengths = np.array([len(text) for text in texts])
    shares = longest_runs(texts, train) / np.clip(lengths, 1, LONGEST)
    value, low, high = jackknife(lambda kept: float(shares[kept].mean()), len(texts), side.real.seed, bounds=(0.0, 1.0))
    return {
        "copied_span": Measured(value=value, low=low, high=high, samples=len(texts), reference_samples=len(train), space="words")
    }
