"""Modes captured, on hand-made samples of a known mixture."""

import numpy as np
import pytest

from gansmith.kinds.points.metrics.modes import assign, mode_divergence, modes_captured

MODES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def test_a_mode_counts_when_one_example_is_within_three_sigma_of_it() -> None:
    found = assign(np.array([[0.0, 2.9], [10.0, 3.1], [0.5, 9.5], [0.5, 9.0]]), MODES, sigma=1.0)
    assert found.high_quality.tolist() == [True, False, True, True]
    assert found.mode.tolist() == [0, 1, 2, 2]
    assert modes_captured(found) == 2


def test_balanced_modes_diverge_by_nothing_and_one_mode_by_log_of_their_number() -> None:
    assert mode_divergence(assign(np.repeat(MODES, 5, 0), MODES, 1.0), 4) == pytest.approx(0, abs=1e-12)
    assert mode_divergence(assign(np.repeat(MODES[:1], 5, 0), MODES, 1.0), 4) == pytest.approx(np.log(4))


def test_unequal_shares_diverge_by_the_sum_of_the_definition() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    found = assign(np.repeat(MODES[:3], [5, 3, 2], 0), MODES, 1.0)
    assert mode_divergence(found, 4) == pytest.approx(float((shares * np.log(shares / 0.25)).sum()))


def test_nearly_all_of_a_true_mixture_is_of_high_quality() -> None:
    rng = np.random.default_rng(0)
    found = assign(MODES[rng.integers(0, 4, 20_000)] + rng.normal(size=(20_000, 2)), MODES, 1.0)
    assert found.high_quality.mean() == pytest.approx(1 - np.exp(-4.5), abs=0.003)  # Rayleigh distribution in the plane
