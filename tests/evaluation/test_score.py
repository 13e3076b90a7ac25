"""The interval of a score."""

import numpy as np
import pytest
from scipy.stats import t as student

from gansmith.evaluation.score import Score, jackknife


def test_the_interval_of_a_mean_is_that_of_student_within_its_own_noise() -> None:
    values = np.random.default_rng(0).normal(3, 2, 2000)
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), 2000, seed=0)
    assert value == pytest.approx(values.mean())
    assert value - low == pytest.approx(high - value)
    assert value - low == pytest.approx(2.093 * values.std() / 2000**0.5, rel=0.4)


def test_the_interval_covers_the_truth_about_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        values = rng.exponential(size=100)
        _, low, high = jackknife(lambda kept, values=values: float(values[kept].mean()), 100, seed)
        covered += low <= 1 <= high
    assert 180 <= covered <= 200


def test_of_few_examples_each_is_a_group_and_the_interval_of_a_mean_is_exactly_students() -> None:
    for count in (2, 3, 5, 12, 19, 20):
        values = np.random.default_rng(count).normal(size=count)
        value, low, high = jackknife(lambda kept, own=values: float(own[kept].mean()), count, seed=0)
        reach = student.ppf(0.975, count - 1) * values.std(ddof=1) / count**0.5
        assert (value - low, high - value) == pytest.approx((reach, reach), rel=1e-3)


def test_the_same_seed_gives_the_same_interval_and_bounds_cut_it() -> None:
    values = np.random.default_rng(0).random(100) ** 9
    first, second = (jackknife(lambda kept: float(values[kept].mean()), 100, 7, bounds=(0.09, 0.11)) for _ in range(2))
    assert first == second
    assert first[1:] == (0.09, 0.11)


def test_a_score_as_json_holds_every_field() -> None:
    score = Score(
        name="frechet[digits-cnn]",
        value=1.0,
        low=0.5,
        high=1.5,
        baseline=9.0,
        baseline_name="pixel Gaussian",
        ceiling=0.1,
        better="lower",
        samples=10,
        reference_samples=20,
        seed=0,
        seconds=0.1,
    )
    assert Score(**score.to_json()) == score
    assert score.metric == "frechet"
