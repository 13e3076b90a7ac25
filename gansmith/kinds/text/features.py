"""Features of texts without a network: which short runs of characters and words they have, and how many of them are new."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key, remember
from gansmith.kinds.text.words import texts_of, words_of

DIMENSIONS = 61
"""Directions in which texts differ; three more features say how many of their runs are new, and how long they are."""
COLUMNS = 2**18
"""Runs of characters and of words are dealt into so many columns each."""
KEPT = 2**14
"""Columns, those of the most frequent runs, from which the directions are found."""
MAXIMUM = 20_000
"""Training texts from which they are found."""
COMMON = 2
"""A run is rare if fewer training texts have it: one that a training text alone has is rare there, too."""
LITTLE = 0.02
"""Shares of runs that are new count in logarithms above this."""
LEAST = 0.2
"""The smallest deviation of shares and lengths by which they are scaled."""
CHARACTERS = (1, 4)
"""The shortest and longest run of characters; those of words are 1 and 2."""


class NgramFeatures:
    """Where texts lie in the directions in which the weighted runs of training texts differ most (latent semantic analysis, Deerwester et
    al. 1990), how many of their runs of characters and of words no training text has, and their length.

    Each part is scaled to variance 1 over the training texts, the directions on average. Without what is new, nonsense would lie in the
    middle of all texts: its runs point in no direction.
    """

    name = "n-grams"

    def __init__(self, train: Dataset, seed: int, folder: Path) -> None:
        self.train, self.seed, self.folder = train, seed, folder
        self.key = f"text-ngrams {DIMENSIONS} {COLUMNS} {KEPT} {seed} {content_key(train)}"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        known = self._learned
        found = _described(counted(texts_of(data)), known)
        return (found - known["mean"]) / known["deviation"]

    @cached_property
    def _learned(self) -> dict[str, Tensor]:
        return remember(self.folder, "text-features", (self.key,), self._learn)

    def _learn(self) -> dict[str, Tensor]:
        """The weight of each column, which is the higher the rarer it is, and the directions."""
        from sklearn.utils.extmath import randomized_svd

        chosen = np.sort(np.random.default_rng(self.seed).permutation(len(self.train))[:MAXIMUM])
        rows = counted(texts_of(self.train, chosen))
        texts_with = rows.getnnz(0)
        kept = np.sort(np.argsort(-texts_with, kind="stable")[:KEPT])
        kept = kept[texts_with[kept] > 0]
        known = {
            "common": torch.from_numpy(texts_with >= COMMON),
            "weights": torch.from_numpy(np.log((1 + len(chosen)) / (1 + texts_with)) + 1),
            "kept": torch.from_numpy(kept),
        }
        weighted = _weighted(rows, known)
        _, _, directions = randomized_svd(weighted, min(DIMENSIONS, *weighted.shape), random_state=self.seed)
        known["directions"] = torch.from_numpy(np.ascontiguousarray(directions.T))
        found = _described(rows, known)
        deviation = found.std(0, correction=0)
        deviation[:-3] = found[:, :-3].var(0, correction=0).mean().sqrt()
        deviation[-3:].clamp_(min=LEAST)
        return known | {"mean": found.mean(0), "deviation": deviation.clamp_min(1e-9)}


def counted(texts: list[str]) -> Any:
    """How often runs of characters, and behind them runs of words, occur [texts, 2 COLUMNS], sparse."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import HashingVectorizer

    how = {"n_features": COLUMNS, "alternate_sign": False, "norm": None, "lowercase": False}
    characters = HashingVectorizer(analyzer="char", ngram_range=CHARACTERS, **how).transform(texts)
    words = HashingVectorizer(analyzer=_runs_of_words, **how).transform(texts)  # pyright: ignore[reportArgumentType], it takes functions
    return hstack([characters, words]).tocsr()


def _runs_of_words(text: str) -> list[str]:
    """The words, and pairs of neighbouring ones."""
    words = words_of(text)
    return [*words, *(f"{first} {second}" for first, second in zip(words, words[1:], strict=False))]


def _weighted(rows: Any, known: dict[str, Tensor]) -> Any:
    """The kept columns of the weighted roots of counts; a row whose runs are all kept has length 1."""
    whole = rows.copy()
    whole.data = np.sqrt(whole.data) * known["weights"].numpy()[whole.indices]
    norms = np.sqrt(np.asarray(whole.multiply(whole).sum(1)).ravel())
    part = whole[:, known["kept"].numpy()]
    part.data /= np.repeat(np.maximum(norms, 1e-12), np.diff(part.indptr))
    return part


def _described(rows: Any, known: dict[str, Tensor]) -> Float[Tensor, "texts features"]:
    parts = [_weighted(rows, known) @ known["directions"].numpy()]
    common = rows.multiply(known["common"].numpy()).tocsr()
    for columns in (slice(0, COLUMNS), slice(COLUMNS, 2 * COLUMNS)):
        rare = 1 - common[:, columns].sum(1) / np.maximum(rows[:, columns].sum(1), 1)
        parts.append(np.log(rare + LITTLE))
    parts.append(np.log1p(rows[:, :COLUMNS].sum(1)))
    return torch.from_numpy(np.concatenate([np.asarray(part) for part in parts], 1))
