"""Vocabularies: what is split and joined is the text again."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.errors import UserError
from gansmith.kinds.text.tokens import _BYTES, REPLACEMENT, SPECIAL, UNKNOWN, Vocabulary

TEXTS = ["the cat sees the dog.", "a  dog,\ta cat;\nno bird!", "naïve café: 秦川雄帝宅 🐈", "the the the cat"]
MAKERS = {
    "characters": lambda texts: Vocabulary.of_characters(texts),
    "words": lambda texts: Vocabulary.of_words(texts, 50),
    "bytepairs": lambda texts: Vocabulary.of_byte_pairs(texts, 300),
}
every = pytest.mark.parametrize("by", MAKERS)


@every
def test_texts_of_the_data_are_split_and_joined_without_loss(by):
    made = MAKERS[by](TEXTS)
    assert made.by == by
    for text in TEXTS:
        tokens = made.split(text)
        assert made.join(tokens) == text and min(tokens) >= SPECIAL and max(tokens) < len(made)
    assert made.split_all(TEXTS) == [made.split(text) for text in TEXTS]


@every
def test_a_vocabulary_survives_json(by):
    made = MAKERS[by](TEXTS)
    again = Vocabulary.from_json(made.to_json())
    assert again == made and again.split(TEXTS[1]) == made.split(TEXTS[1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), min_size=1, max_size=8))
def test_whatever_characters_a_text_has_it_comes_back(texts):
    for made in (Vocabulary.of_characters(texts), Vocabulary.of_words(texts, 20)):
        assert [made.join(made.split(text)) for text in texts] == texts


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_byte_pairs_know_every_character_there_is(text):
    made = MAKERS["bytepairs"](TEXTS)
    assert made.join(made.split(text)) == text


def test_an_unknown_character_is_one_token_and_is_written_as_a_question():
    for by in ("characters", "words"):
        made = MAKERS[by](["a cat"])
        assert made.split("a£cat").count(UNKNOWN) == 1
        assert made.join(made.split("a£cat")) == f"a{REPLACEMENT}cat"
        assert made.unknown("a£ cat€") == {"£", "€"}


def test_bytes_that_are_no_character_are_written_as_a_question():
    made = MAKERS["bytepairs"](TEXTS)
    half = [made.numbers[chr(next(code for code in range(400) if _BYTES.get(chr(code)) == 0xC3))]]
    assert made.join(half) == REPLACEMENT


def test_the_most_frequent_words_are_tokens_and_the_others_are_spelled():
    made = Vocabulary.of_words(["cat cat cat dog dog owl"], 2)
    assert " cat" in made.pieces and " dog" in made.pieces and " owl" not in made.pieces
    assert len(made.split(" cat dog")) == 2 and len(made.split(" owl")) == 4


def test_byte_pairs_join_what_stands_together_most_often():
    made = Vocabulary.of_byte_pairs(["abab abab abab xyz"] * 3, 259)
    assert len(made.pieces) <= 259 and made.merges[0] == ("a", "b") and len(made.split("abab")) < 4


def test_without_the_package_byte_pairs_say_what_to_install(monkeypatch):
    made = MAKERS["bytepairs"](TEXTS)
    tokens = made.split(TEXTS[2])
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(UserError, match=r'pip install "gansmith\[text\]"'):
        MAKERS["bytepairs"](TEXTS)
    fresh = Vocabulary.from_json(made.to_json())
    assert fresh.join(tokens) == TEXTS[2]  # reading what was generated needs no package
    with pytest.raises(UserError, match="encoding text as byte pairs needs"):
        fresh.split("cat")
