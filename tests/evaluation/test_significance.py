"""Tests of differences, against SciPy's and a naive loop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gansmith.evaluation.score import STUDENT_T
from gansmith.evaluation.significance import Estimate, holm, p_value

GROUPS = ([0.61, 0.63, 0.58], [0.70, 0.66, 0.71, 0.69], [0.60, 0.75])


def single(value: float, error: float) -> Estimate:
    return Estimate.of([value], value - STUDENT_T * error, value + STUDENT_T * error)


def group(values: list[float]) -> Estimate:
    return Estimate.of(values, math.nan, math.nan)


def test_two_single_trainings_are_told_apart_by_the_errors_of_their_intervals():
    test, p = p_value(single(0.80, 0.01), single(0.83, 0.02))
    assert test == "z"
    assert p == pytest.approx(2 * stats.norm.sf(0.03 / math.hypot(0.01, 0.02)))


def test_an_interval_that_is_cut_at_a_bound_counts_by_its_whole_side():
    assert Estimate.of([0.99], 0.99 - STUDENT_T * 0.02, 1.0).error == pytest.approx(0.02)


@pytest.mark.parametrize("a", GROUPS)
@pytest.mark.parametrize("b", GROUPS)
def test_two_groups_are_told_apart_by_welch(a, b):
    test, p = p_value(group(a), group(b))
    assert test == "welch"
    assert p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)


@pytest.mark.parametrize("values", GROUPS)
def test_one_training_is_held_against_the_spread_of_a_group_whichever_comes_first(values):
    expected = stats.ttest_ind([0.9], values, equal_var=True).pvalue
    for pair in ((single(0.9, 0.001), group(values)), (group(values), single(0.9, 0.001))):
        test, p = p_value(*pair)
        assert test == "crawford-howell"
        assert p == pytest.approx(expected)


@pytest.mark.parametrize("values", GROUPS)
def test_the_interval_of_a_group_is_students(values):
    found = group(values)
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(values), low, high))


def test_values_that_do_not_vary_differ_or_are_the_same_and_a_missing_interval_tells_nothing():
    assert p_value(single(1.0, 0.0), single(1.0, 0.0))[1] == 1
    assert p_value(single(1.0, 0.0), single(0.9, 0.0))[1] == 0
    assert p_value(group([2.0, 2.0]), group([2.0, 2.0]))[1] == 1
    assert math.isnan(p_value(Estimate.of([1.0], math.nan, math.nan), single(0.9, 0.1))[1])


def naive_holm(p_values: list[float]) -> list[float]:
    order = sorted(p_values)
    return [min(1.0, max((len(order) - j) * order[j] for j in range(order.index(p) + 1))) for p in p_values]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), max_size=8, unique=True))
def test_holm_equals_its_definition(p_values):
    assert holm(p_values) == pytest.approx(naive_holm(p_values))


def test_holm_leaves_out_what_is_unknown():
    assert holm([0.01, math.nan, 0.04])[0::2] == pytest.approx([0.02, 0.04])
    assert math.isnan(holm([0.01, math.nan, 0.04])[1])
