"""Prices as log returns, and tails made lighter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansmith.kinds.series.returns import from_returns, heavier, heaviness, lighter, to_returns


def test_prices_come_back_exactly_from_their_returns():
    prices = np.exp(np.random.default_rng(0).normal(0, 0.1, (5, 50, 3)).cumsum(1))
    np.testing.assert_allclose(from_returns(to_returns(prices), prices[:, 0]), prices, rtol=1e-12)


@given(st.floats(-12, 12), st.floats(0, 0.9))
def test_lighter_undoes_heavier(u, delta):
    made = heavier(np.array([u]), np.array(delta))
    if np.isfinite(made).all():
        assert lighter(made, np.array(delta))[0] == pytest.approx(u, rel=1e-6, abs=1e-6)


@given(st.floats(-6, 6), st.floats(0, 0.9), st.floats(0.5, 4))
def test_beyond_its_edge_the_factor_grows_no_more_and_that_is_undone_too(u, delta, edge):
    made = heavier(np.array([u]), np.array(delta), np.array(edge))
    assert lighter(made, np.array(delta), np.array(edge))[0] == pytest.approx(u, rel=1e-6, abs=1e-6)
    if abs(u) > edge:
        assert made[0] / u == pytest.approx(heavier(np.array([edge]), np.array(delta))[0] / edge)


def kurtosis(y):
    return float((y**4).mean() / (y**2).mean() ** 2)


def test_the_kurtosis_is_that_of_the_law_and_an_edge_limits_it():
    u = np.random.default_rng(0).standard_normal(2_000_000)
    assert kurtosis(heavier(u, np.array(0.1))) == pytest.approx(3 * 0.8**3 / 0.6**2.5, rel=0.03)  # Goerg 2015, equation 18
    returns_like = 0.22
    assert kurtosis(heavier(u, np.array(returns_like))) > 30
    assert kurtosis(heavier(u, np.array(returns_like), np.array(3.46))) < 20


def test_the_heaviness_of_tails_made_heavy_is_found():
    u = np.random.default_rng(0).standard_normal(200_000)
    for delta in (0.05, 0.15):
        y = heavier(u, np.array(delta))
        fitted = heaviness((y - y.mean()) / y.std())
        assert fitted / y.var() == pytest.approx(delta, rel=0.1)


def test_normal_and_lighter_tails_are_left_alone():
    rng = np.random.default_rng(0)
    assert heaviness(rng.uniform(-1.7, 1.7, 10_000)) == 0
    assert heaviness(rng.standard_normal(100_000)) < 0.02
