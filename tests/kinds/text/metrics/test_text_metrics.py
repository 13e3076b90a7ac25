"""Metrics of texts against plain loops and hand-worked values."""

import math
from collections import Counter

import numpy as np
import pytest

from gansmith.evaluation.judge import judge
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.grammar import sentences
from gansmith.kinds.text.metrics.copies import LONGEST, longest_runs
from gansmith.kinds.text.metrics.overlap import bleu
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts
from tests.metrics.cheats import SENTENCES

WORDS = [text.split() for text in sentences(40).texts]


def plain_bleu(text: list[str], references: list[list[str]]) -> float:
    """Papineni et al. 2002, section 2, with 0.1 for 0 matches."""
    product = 0.0
    for size in range(1, 5):
        own = Counter(tuple(text[start : start + size]) for start in range(len(text) - size + 1))
        matched = 0
        for run, count in own.items():
            most = max(sum(tuple(other[i : i + size]) == run for i in range(len(other) - size + 1)) for other in references)
            matched += min(count, most)
        product += math.log((matched or 0.1) / max(1, len(text) - size + 1)) / 4
    closest = min((len(other) for other in references), key=lambda length: (abs(length - len(text)), length))
    return math.exp(product) * min(1.0, math.exp(1 - closest / len(text)))


def test_bleu_equals_the_plain_loop():
    texts, references = WORDS[:20], WORDS[20:]
    texts = [*texts, ["the", "the", "the", "the", "the"], ["cat"], ["zebra", "zebra"]]
    expected = [plain_bleu(text, references) for text in texts]
    np.testing.assert_allclose(bleu(texts, references), expected, rtol=1e-12)


def test_self_bleu_leaves_each_text_itself_out():
    texts = [*WORDS[:15], WORDS[0], ["a", "a", "b"], ["a", "a", "c"]]
    expected = [plain_bleu(text, texts[:place] + texts[place + 1 :]) for place, text in enumerate(texts)]
    np.testing.assert_allclose(bleu(texts), expected, rtol=1e-12)
    assert bleu(texts)[0] == pytest.approx(1.0)


def test_a_text_without_words_has_no_bleu():
    assert bleu([[]], [["a"]]).tolist() == [0.0]


def test_the_longest_copied_run_equals_the_plain_loop():
    rng = np.random.default_rng(0)
    texts, sources = ([rng.choice(list("abc"), rng.integers(0, 12)).tolist() for _ in range(60)] for _ in range(2))

    def plain(text: list[str]) -> int:
        runs = [text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)]
        inside = [run for run in runs if any(run == source[k : k + len(run)] for source in sources for k in range(len(source)))]
        return max(map(len, inside), default=0)

    assert longest_runs(texts, sources).tolist() == list(map(plain, texts))


def test_a_copied_run_ends_with_its_text_and_at_the_limit():
    assert longest_runs([["a", "b", "c", "d"]], [["a", "b"], ["c", "d"]]).tolist() == [2]
    long = [str(number) for number in range(50)]
    assert longest_runs([long], [long]).tolist() == [LONGEST]


def test_distinct_is_the_share_of_different_pairs(tmp_path):
    data = build_texts(Texts(name="few", texts=["a b a b", "c d"] * 20), Options(tokens="words"))
    found = judge(data, data, data, metrics=["distinct"], cache=tmp_path)
    assert found["distinct"].value == pytest.approx(3 / 80)


def test_only_the_built_in_sentences_are_judged_by_their_grammar(tmp_path):
    train, held_out = SENTENCES["training"], SENTENCES["held out"]
    found = judge(SENTENCES["words in random order"], train, held_out, metrics=["grammatical"], cache=tmp_path)
    assert found["grammatical"].value < 0.05 and found["grammatical"].ceiling == 1.0
    other = build_texts(Texts(name="other", texts=["a b", "c d"] * 20), Options(tokens="words"))
    assert "grammar of the built-in" in judge(other, other, other, metrics=["grammatical"], cache=tmp_path).skipped["grammatical"]


def test_random_order_is_told_apart_and_fresh_texts_are_not(tmp_path):
    train, held_out = SENTENCES["training"], SENTENCES["held out"]
    fresh, wrong = (
        judge(SENTENCES[name], train, held_out, metrics=["text_c2st"], cache=tmp_path)["text_c2st"]
        for name in ("fresh real examples", "words in random order")
    )
    assert fresh.low < 0.5 < fresh.high and wrong.low > 0.7
