"""The Frechet distance against closed forms and scipy's matrix square root."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from gansmith.metrics.frechet import Moments, frechet_distance


def by_square_root(a: Moments, b: Moments) -> float:
    root = np.real(sqrtm(a.covariance @ b.covariance))
    return float(np.square(a.mean - b.mean).sum() + np.trace(a.covariance + b.covariance - 2 * root))


def rotation(size: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


@settings(deadline=None, max_examples=15)
@given(size=st.integers(1, 12), seed=st.integers(0, 1000))
def test_it_equals_the_matrix_square_root_of_scipy(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = Moments.of(rng.normal(size=(60, size)) @ rng.normal(size=(size, size)))
    b = Moments.of(rng.normal(1, 2, size=(70, size)) @ rng.normal(size=(size, size)))
    assert frechet_distance(a, b) == pytest.approx(by_square_root(a, b), rel=1e-7)


def test_it_is_the_squared_difference_of_means_and_deviations_in_one_dimension() -> None:
    a, b = Moments(np.array([1.0]), np.array([[4.0]]), 10), Moments(np.array([4.0]), np.array([[25.0]]), 10)
    assert frechet_distance(a, b) == pytest.approx((4 - 1) ** 2 + (5 - 2) ** 2)


def test_it_equals_the_closed_form_of_ill_conditioned_covariances_that_commute() -> None:
    axes = rotation(100, np.random.default_rng(0))
    first, second = 1.0 / np.arange(1, 101) ** 6, 1.0 / np.arange(1, 101)[::-1] ** 3
    a = Moments(np.zeros(100), axes * first @ axes.T, 10)
    b = Moments(np.zeros(100), axes * second @ axes.T, 10)
    assert frechet_distance(a, b) == pytest.approx(np.square(np.sqrt(first) - np.sqrt(second)).sum(), rel=1e-6)


def test_it_equals_the_closed_form_of_singular_covariances() -> None:
    axes = rotation(40, np.random.default_rng(0))
    first, second = np.zeros(40), np.zeros(40)
    first[:10], second[5:20] = 2.0, 3.0
    a = Moments(np.zeros(40), axes * first @ axes.T, 10)
    b = Moments(np.ones(40), axes * second @ axes.T, 10)
    assert frechet_distance(a, b) == pytest.approx(40 + np.square(np.sqrt(first) - np.sqrt(second)).sum(), rel=1e-8)


def test_fewer_samples_than_features_give_the_distance_of_the_subspace_they_span() -> None:
    rng = np.random.default_rng(0)
    narrow_a, narrow_b = rng.normal(size=(9, 8)), rng.normal(1, 3, size=(9, 8))
    axes = rotation(50, rng)[:8]
    wide = frechet_distance(Moments.of(narrow_a @ axes), Moments.of(narrow_b @ axes))
    assert wide == pytest.approx(by_square_root(Moments.of(narrow_a), Moments.of(narrow_b)), rel=1e-7)


def test_equal_features_have_distance_zero_and_the_order_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    a, b = Moments.of(rng.normal(size=(50, 6))), Moments.of(rng.normal(2, 1, size=(40, 6)))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)


def test_moments_are_those_of_numpy() -> None:
    features = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    moments = Moments.of(features)
    assert np.allclose(moments.mean, features.mean(0, dtype=np.float64), atol=1e-12)
    assert np.allclose(moments.covariance, np.cov(features.astype(np.float64), rowvar=False), atol=1e-12)
    assert moments.covariance.dtype == np.float64
    assert moments.count == 30
