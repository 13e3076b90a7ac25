"""N-gram models against distributions worked out by hand."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from gansmith.data.ngrams import DISCOUNT, Chain
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.chains import independent_tokens, kneser_ney
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts
from tests.toys import every

END = 1
ROWS = np.array([[3, 4, 5, END, 0], [3, 4, 4, 5, END], [4, 5, END, 0, 0], [5, 5, 4, END, 0], [3, 5, 4, 4, 5]], np.int64)


def naive(rows: np.ndarray, order: int, context: tuple[int, ...]) -> dict[int, float]:
    """The distribution of the token behind `context` (None stands before a text), by Kneser and Ney's formula."""
    texts = [row[: row.tolist().index(END) + 1].tolist() if END in row else row.tolist() for row in rows]
    grams = [
        [
            (*([None] if size == place + 1 else []), *text[max(0, place - size) : place + 1])
            for text in texts
            for place in range(len(text))
            if size <= place + 1
        ]
        for size in range(order + 1)
    ]

    def counts(size: int) -> Counter:
        found = Counter(gram for gram in grams[size] if size == order or gram[0] is None)
        if size < order:
            found.update(gram[1:] for gram in set(grams[size + 1]))
        return found

    def at(size: int, given: tuple) -> dict[int, float]:
        table = counts(size)
        ones, twos = sum(count == 1 for count in table.values()), sum(count == 2 for count in table.values())
        discount = 0.0 if size == 0 else ones / (ones + 2 * twos) if ones and twos else DISCOUNT
        own = {gram[-1]: count for gram, count in table.items() if gram[:-1] == given}
        if size == 0:
            return {token: count / sum(own.values()) for token, count in own.items()}
        shorter = at(size - 1, given[1:])
        if not own:
            return shorter
        total = sum(own.values())
        left = discount * len(own) / total
        return {
            token: max(own.get(token, 0) - discount, 0) / total + left * shorter.get(token, 0.0) for token in {*own, *shorter}
        }

    return at(len(context), context)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_first_tokens_are_as_frequent_as_the_formula_says(order):
    drawn = Chain(ROWS, order, END).sample(40_000, np.random.default_rng(0))[:, 0]
    expected = naive(ROWS, order, (None,) if order else ())
    shares = {token: float((drawn == token).mean()) for token in expected}
    assert shares == pytest.approx(expected, abs=0.01)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_later_tokens_are_as_frequent_as_the_formula_says(order):
    rows = Chain(ROWS, order, END).sample(120_000, np.random.default_rng(1))
    seen = rows[(rows[:, 0] == 3) & (rows[:, 1] == 4)][:, 2]
    expected = naive(ROWS, order, (None, 3, 4)[-order:])
    assert {token: float((seen == token).mean()) for token in expected} == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_surprise_is_the_formula_s_logarithm(order):
    """But for the thousandth that is spread evenly, which shortens to nothing where every token was seen behind its context."""
    row = np.array([[3, 4, END, 0]])
    probability = 1.0
    for place, token in enumerate([3, 4, END]):
        probability *= naive(ROWS, order, (None, *row[0, :place].tolist())[-order:] if order else ())[token]
    found = Chain(ROWS, order, END).surprise(row, 6)
    assert found == pytest.approx([-np.log(probability) / 3], abs=2e-3)


def test_probabilities_of_all_texts_add_up_to_one():
    inner = (0, 2, 3)
    texts = [[*first, END, 0, 0][:3] for count in range(3) for first in product(inner, repeat=count)]
    texts += [list(text) for text in product(inner, repeat=3)]  # cut before their end
    rows = np.array([[3, 2, END], [2, END, 0], [3, 3, 2], [0, 2, END], [2, 2, END]])
    lengths = np.array([text.index(END) + 1 if END in text else 3 for text in texts])
    shares = np.exp(-Chain(rows, 2, END).surprise(np.array(texts), 4) * lengths)
    assert shares.sum() == pytest.approx(1)


def test_texts_end_once_and_are_padded():
    rows = Chain(ROWS, 2, END).sample(500, np.random.default_rng(0))
    for row in rows.tolist():
        behind = row[row.index(END) + 1 :] if END in row else []
        assert not any(behind) and 0 not in row[: len(row) - len(behind)]


def test_a_model_that_looks_further_back_than_texts_are_long_makes_texts():
    made = Chain(np.array([[3, END, 0, 0], [4, END, 0, 0]]), 4, END).sample(200, np.random.default_rng(0))
    assert {3, 4, END, 0} == set(made.flatten().tolist()) and (made == END).any(1).mean() > 0.8


def test_each_class_has_a_model_of_its_own():
    found = Texts(name="two", texts=["aaaa", "bbbb"] * 20, labels=["a", "b"] * 20)
    data = build_texts(found, Options(tokens="characters"))
    for sampler in (independent_tokens, kneser_ney):
        made = sampler(data, 50, 0)
        for raw in made.codec.decode(made.batch(slice(None))):
            assert set(raw.text) <= {raw.label}


def test_the_rival_knows_more_than_the_baseline():
    data = every()["labelled texts"]
    pairs = {tuple(row[place : place + 2]) for row in data.arrays["text"].tolist() for place in range(len(row) - 1)}

    def known(made) -> float:
        rows = made.arrays["text"].tolist()
        return float(np.mean([tuple(row[place : place + 2]) in pairs for row in rows for place in range(len(row) - 1)]))

    assert known(kneser_ney(data, 200, 0)) > known(independent_tokens(data, 200, 0)) + 0.2
