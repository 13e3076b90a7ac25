"""The oracle whose language is built in."""

import numpy as np
import pytest

from gansmith.kinds.text.oracle import FIRST, LENGTH, WIDTH, WORDS, Oracle, builtin, oracle_texts, spoken


def plain(oracle: Oracle, tokens: list[int]) -> float:
    """Nats a token, by the formulas of an LSTM, in float64."""
    hidden, cell, before, total = np.zeros(WIDTH), np.zeros(WIDTH), 0, 0.0
    read, remember = oracle.read.astype(np.float64), oracle.remember.astype(np.float64)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    for token in tokens:
        gates = oracle.embedding[before].astype(np.float64) @ read + hidden @ remember + oracle.bias
        enter, keep, leave, new = (gates[place * WIDTH : (place + 1) * WIDTH] for place in range(4))
        cell = sigmoid(keep) * cell + sigmoid(enter) * np.tanh(new)
        hidden = sigmoid(leave) * np.tanh(cell)
        logits = hidden @ oracle.out.astype(np.float64) + oracle.out_bias
        total -= logits[token] - np.log(np.exp(logits).sum())
        before = token
    return total / len(tokens)


def test_surprise_is_the_lstm_s():
    rows = np.random.default_rng(0).integers(0, WORDS, (3, LENGTH))
    assert builtin().surprise(rows) == pytest.approx([plain(builtin(), row.tolist()) for row in rows], rel=1e-4)


def test_its_own_texts_cost_what_the_paper_s_oracle_s_do_and_random_ones_much_more():
    """5.75 nats of its own and 11.42 of random ones in the paper, with other weights of the same distribution."""
    own = builtin().surprise(builtin().sample(300, np.random.default_rng(0))).mean()
    random = builtin().surprise(np.random.default_rng(1).integers(0, WORDS, (300, LENGTH))).mean()
    assert 5.5 < own < 6.2 and 10.5 < random < 12
    assert not np.allclose(Oracle(1).out, builtin().out)


def test_texts_are_characters_of_its_language():
    found = oracle_texts(5)
    tokens = spoken(list(found.texts))
    assert tokens is not None and tokens.shape == (5, LENGTH) and "".join(map(chr, tokens[0] + FIRST)) == found.texts[0]
    assert spoken(["abc"]) is None and spoken([found.texts[0][:-1]]) is None
