"""What texts have in common: words, and runs of them. Independent of the tokens of any codec."""

import re
from collections.abc import Sequence

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.kinds.text.codec import TextCodec

_WRITTEN_TOGETHER = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f"
"""Kana, Chinese characters and Thai, whose words no space sets apart: each character counts as one."""
WORD = re.compile(rf"[{_WRITTEN_TOGETHER}]|[^\W{_WRITTEN_TOGETHER}]+|[^\w\s]")


def words_of(text: str) -> list[str]:
    """Words and signs as they are written, without spaces."""
    return WORD.findall(text)


def texts_of(data: Dataset, positions: np.ndarray | slice = slice(None)) -> list[str]:
    """The texts of packed examples."""
    codec = data.codec
    assert isinstance(codec, TextCodec)
    return codec.texts(data.packed(positions)["text"])


def tokenised(data: Dataset, positions: np.ndarray | slice = slice(None)) -> list[list[str]]:
    """The words of packed examples."""
    return list(map(words_of, texts_of(data, positions)))


def numbered(texts: Sequence[Sequence[str]], known: dict[str, int]) -> list[np.ndarray]:
    """Words as numbers; new ones are added to `known`."""
    return [np.array([known.setdefault(word, len(known)) for word in text], np.int64) for text in texts]
