"""The oracle of Yu et al. 2017 (SeqGAN, section 5.1): a language that a recurrent network with random weights speaks, so that the
probability of every text in it is known.

An LSTM with 32 hidden units, an embedding of 32 numbers, 5,000 tokens, texts of 20 tokens; all weights are drawn from a normal distribution
with a standard deviation of 1, here from a seed (the paper's own weights are not used). Tokens are written as Chinese characters.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, Int

from gansmith.kinds.text.text import Texts

WORDS, LENGTH, WIDTH = 5000, 20, 32
FIRST = 0x4E00
"""The character of token 0, which also stands before every text."""
BUILTIN_COUNT = 10_000
PART = 1000
"""Texts that are worked on at once."""
State = tuple[np.ndarray, np.ndarray]


class Oracle:
    """The language of a seed."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)

        def normal(*shape: int) -> Float[np.ndarray, "*shape"]:
            return rng.standard_normal(shape, np.float32)

        self.embedding = normal(WORDS, WIDTH)
        self.read, self.remember, self.bias = normal(WIDTH, 4 * WIDTH), normal(WIDTH, 4 * WIDTH), normal(4 * WIDTH)
        self.out, self.out_bias = normal(WIDTH, WORDS), normal(WORDS)

    def sample(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "count length"]:
        """Texts as the network speaks."""
        return np.concatenate([self._sample(min(PART, count - start), rng) for start in range(0, count, PART)])

    def surprise(self, tokens: Int[np.ndarray, "texts length"]) -> Float[np.ndarray, " texts"]:
        """The mean negative logarithm (nats) of the probability of each token."""
        return np.concatenate([self._surprise(tokens[start : start + PART]) for start in range(0, len(tokens), PART)])

    def _sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        token, state, written = np.zeros(count, np.int64), _nothing(count), []
        for _ in range(LENGTH):
            logits, state = self._next(token, state)
            reached = np.exp(logits - logits.max(1, keepdims=True)).cumsum(1)
            dice = rng.random((count, 1), np.float32) * reached[:, -1:]
            token = np.minimum((reached < dice).sum(1), WORDS - 1)
            written.append(token)
        return np.stack(written, 1)

    def _surprise(self, tokens: np.ndarray) -> np.ndarray:
        before, state, found = np.zeros(len(tokens), np.int64), _nothing(len(tokens)), np.zeros(len(tokens))
        for token in tokens.T:
            logits, state = self._next(before, state)
            most = logits.max(1)
            whole = most + np.log(np.exp(logits - most[:, None]).sum(1))
            found += whole - logits[np.arange(len(tokens)), token]
            before = token
        return found / tokens.shape[1]

    def _next(self, token: np.ndarray, state: State) -> tuple[Float[np.ndarray, "texts words"], State]:
        hidden, cell = state
        gates = self.embedding[token] @ self.read + hidden @ self.remember + self.bias
        enter, keep, leave = np.split(1 / (1 + np.exp(-gates[:, : 3 * WIDTH])), 3, axis=1)
        cell = keep * cell + enter * np.tanh(gates[:, 3 * WIDTH :])
        hidden = leave * np.tanh(cell)
        return hidden @ self.out + self.out_bias, (hidden, cell)


@cache
def builtin() -> Oracle:
    """The oracle whose texts are built in."""
    return Oracle()


def oracle_texts(count: int = BUILTIN_COUNT, seed: int = 0) -> Texts:
    """What the built-in oracle says."""
    rows = builtin().sample(count, np.random.default_rng([1, seed]))
    return Texts(name="oracle", texts=["".join(map(chr, row)) for row in (rows + FIRST).tolist()], labels=None)


def spoken(texts: list[str]) -> Int[np.ndarray, "texts length"] | None:
    """The oracle's tokens of texts; None if one of them is no text of its language."""
    rows = [[ord(character) - FIRST for character in text] for text in texts]
    if not all(len(row) == LENGTH and min(row) >= 0 and max(row) < WORDS for row in rows):
        return None
    return np.array(rows, np.int64).reshape(-1, LENGTH)


def _nothing(count: int) -> State:
    return np.zeros((count, WIDTH), np.float32), np.zeros((count, WIDTH), np.float32)
