"""Features of texts and their preview."""

import numpy as np

from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.features import DIMENSIONS, NgramFeatures
from gansmith.kinds.text.grammar import sentences
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.preview import page
from gansmith.kinds.text.text import Texts
from gansmith.kinds.text.words import words_of
from gansmith.metrics.manifold import manifold

DATA = build_texts(sentences(600), Options(tokens="words", length=16))


def test_features_are_the_same_whatever_the_tokens_and_are_remembered(tmp_path):
    other = build_texts(sentences(600), Options(tokens="characters", length=80))
    found = NgramFeatures(DATA, 0, tmp_path).features(DATA)
    assert found.shape == (600, DIMENSIONS + 3) and bool(found.isfinite().all())
    again = NgramFeatures(DATA, 0, tmp_path).features(other)
    np.testing.assert_allclose(found, again, atol=1e-9)


def test_nonsense_lies_away_from_texts_and_copies_on_them(tmp_path):
    train, rest = DATA.subset(np.arange(400)), DATA.subset(np.arange(400, 600))
    space = NgramFeatures(train, 0, tmp_path)
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghij "))
    noise = build_texts(Texts(name="noise", texts=["".join(rng.choice(letters, 30)) for _ in range(200)]), Options(), None)
    real, fresh, wrong = (space.features(data) for data in (train, rest, noise))
    assert float((space.features(train.subset(np.arange(9))) - real[:9]).abs().max()) < 1e-9
    assert manifold(real, fresh).precision.double().mean() > 0.9
    assert manifold(real, wrong).precision.double().mean() < 0.05


def test_words_are_split_by_script():
    assert words_of("It's 秦川, naïve!") == ["It", "'", "s", "秦", "川", ",", "naïve", "!"]


def test_a_picture_shows_each_text():
    one, three = page([("a cat", None)]), page([("a cat", "animals"), ("x" * 500, None), ("", None)])
    assert one.width == three.width and three.height > one.height
    assert np.asarray(one).min() < 100 and np.asarray(page([("", None)])).min() == 255
