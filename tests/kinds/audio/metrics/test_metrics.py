"""Metrics of sounds on sounds whose answers are known."""

import numpy as np
import pytest

from gansmith.evaluation.judge import judge
from gansmith.kinds.audio.rivals import shaped_noise, spectrum_gaussian
from gansmith.kinds.audio.transforms import log_mel
from tests import toys


def test_real_notes_have_their_pitch_and_noise_has_none(tmp_path):
    data = toys.every()["noted sounds"]
    train, held_out = data.split(0.4)
    score = judge(held_out, train, held_out, metrics=["pitch_accuracy"], cache=tmp_path).scores[0]
    assert score.value == score.ceiling > 0.8 and score.baseline < 0.3


def test_a_classifier_hears_the_classes_of_real_sounds_and_learns_from_them(tmp_path):
    train, held_out = toys.every()["named sounds"].split(0.4)
    scores = judge(held_out, train, held_out, metrics=["gan_test", "gan_train"], cache=tmp_path).scores
    assert {score.metric for score in scores} == {"gan_test", "gan_train"}
    assert all(score.value > 0.9 for score in scores)


@pytest.mark.parametrize("sampler", [shaped_noise, spectrum_gaussian])
def test_rivals_have_the_mean_spectrum_of_their_class(sampler):
    data = toys.every()["named sounds"]
    made = sampler(data, 40, seed=0)
    assert np.array_equal(sampler(data, 40, seed=0).arrays["wave"], made.arrays["wave"])
    mel = data.codec.spec.mel
    for label in (0, 1):
        means = []
        for own in (data, made):
            rows = np.flatnonzero(own.labels() == label)
            means.append(log_mel(own.batch(rows)["wave"], mel).mean((0, 2)))
        other = log_mel(data.batch(np.flatnonzero(data.labels() != label))["wave"], mel).mean((0, 2))
        assert (means[0] - means[1]).abs().mean() < (other - means[1]).abs().mean()
