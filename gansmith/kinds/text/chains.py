"""Models of text without a game: tokens one by one, as often as they follow what stands before them in the data."""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.ngrams import Chain
from gansmith.kinds.text.codec import TextCodec

ORDERS = {"characters": 6, "words": 3, "bytepairs": 4}
"""Tokens that the n-gram model looks back."""


def independent_tokens(train: Dataset, count: int, seed: int) -> Dataset:
    """Texts whose tokens, the end among them, are drawn independently, as often as in the training texts."""
    return _made(train, count, seed, 0, "independent tokens")


def kneser_ney(train: Dataset, count: int, seed: int) -> Dataset:
    """Texts of an n-gram model of the training texts, one for each class."""
    codec = train.codec
    assert isinstance(codec, TextCodec)
    return _made(train, count, seed, ORDERS[codec.vocabulary.by], "Kneser-Ney n-grams")


def _made(train: Dataset, count: int, seed: int, order: int, name: str) -> Dataset:
    spec, rng = train.codec.spec, np.random.default_rng(seed)
    packed, classes = train.packed(slice(None)), train.labels()
    groups = np.zeros(len(train), np.int64) if classes is None else classes
    wanted = groups[rng.integers(0, len(train), count)]
    rows = np.empty((count, spec.shape[0]), packed["text"].dtype)
    for group in np.unique(wanted):
        places = np.flatnonzero(wanted == group)
        chain = Chain(packed["text"][groups == group], order, spec.end)  # pyright: ignore[reportAttributeAccessIssue]
        rows[places] = chain.sample(len(places), rng)
    arrays = {"text": rows} | ({} if classes is None else {"label": wanted})
    return Dataset(name=name, codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))
