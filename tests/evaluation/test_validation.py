"""What is asked for during training: defaults, mistakes, and the form in which a run remembers it."""

import json

import pytest

from gansmith.errors import UserError
from gansmith.evaluation.validation import Schedule, Validation


def test_nothing_is_examined_if_nothing_is_asked_for():
    assert Validation.requested([], 2000, 0.05, None, None) is None
    assert Validation.requested(["recall"], 2000, 0.05, "frechet", None).metrics == ("recall", "frechet")
    assert Validation.requested(["recall"], 2000, 0.05, "frechet", None).chosen == "frechet"
    assert Validation.requested(["recall"], 2000, 0.05, None, 3).chosen == "recall"


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (([], 2000, 0.05, None, 3), "needs a metric"),
        (([], 100, 0.05, None, None), "needs a metric"),
        ((["frechett"], 2000, 0.05, None, None), 'no metric "frechett" \\(did you mean "frechet"'),
        ((["frechet"], 2000, 1.0, None, None), "--judge-share must be less than 1, but it is 1"),
        ((["frechet"], 2000, 0.05, None, 0), "--patience must be at least 1, but it is 0"),
    ],
)
def test_a_wish_that_cannot_be_is_a_sentence(wish, sentence):
    with pytest.raises(UserError, match=sentence):
        Validation.requested(*wish)


def test_an_examination_survives_json():
    asked = Validation(metrics=("frechet", "recall"), patience=3, schedule=Schedule(first=4, every=2))
    assert Validation.from_json(json.loads(json.dumps(asked.to_json()))) == asked
