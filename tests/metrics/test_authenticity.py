"""Alpha-precision, beta-recall and authenticity against loops over their definitions, and the cheats they expose or fall for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.metrics.authenticity import STEPS, alpha_precision, authentic, beta_recall, coverage, shares_nearer

Three = tuple[Dataset, Dataset, Dataset]


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None] - b[None], axis=-1)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000), width=st.floats(0.3, 2))
def test_the_three_metrics_equal_loops_over_their_definitions(seed: int, width: float) -> None:
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(40, 3)), rng.normal(0, width, size=(30, 3))
    tensors = torch.from_numpy(real), torch.from_numpy(fake)

    to_centre = [np.sort(np.linalg.norm(side - real.mean(0), axis=1)) for side in (real, fake)]
    alphas = (np.arange(STEPS) + 0.5) / STEPS
    reached = np.array([(to_centre[0] < one).mean() for one in to_centre[1]])
    precision = (reached <= alphas[:, None]).mean(1)
    expected = 1 - 2 * np.abs(precision - alphas).mean()
    assert alpha_precision(shares_nearer(*tensors)) == pytest.approx(expected, abs=1e-9)

    closest = distances(real, fake).argmin(1)
    typical = np.linalg.norm(fake - fake.mean(0), axis=1)[closest]
    own = distances(real, real) + np.diag(np.full(40, np.inf))
    covered = distances(real, fake).min(1) <= own.min(1)
    recall = (covered & (typical <= np.quantile(typical, alphas)[:, None])).mean(1)
    expected = 1 - 2 * np.abs(recall - alphas).mean()
    assert beta_recall(*coverage(*tensors)) == pytest.approx(expected, abs=1e-6)

    original = distances(fake, real).argmin(1)
    assert authentic(*tensors).tolist() == (distances(fake, real).min(1) > own.min(1)[original]).tolist()


def test_half_of_the_real_examples_have_a_fresh_one_nearer_than_another_real_one() -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2000, 4, generator=rng), torch.randn(2000, 4, generator=rng)
    assert alpha_precision(shares_nearer(real, fake)) == pytest.approx(1, abs=0.05)
    assert beta_recall(*coverage(real, fake)) == pytest.approx(0.5, abs=0.05)


def test_points_on_one_ray_are_as_typical_as_real_ones_and_beta_recall_tells() -> None:
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(500, 8, generator=rng)
    ray = real.mean(0) + torch.randn(500, 8, generator=rng).norm(dim=1)[:, None] * torch.eye(8)[:1]
    assert alpha_precision(shares_nearer(real, ray)) > 0.9
    assert beta_recall(*coverage(real, ray)) < 0.1


def test_copies_are_perfect_but_not_authentic_and_one_mode_has_no_recall(
    on_ring: Three, ring: Callable[[np.ndarray], Dataset], remembered: Path
) -> None:
    train, held_out, fresh = on_ring
    names = ["alpha_precision", "beta_recall", "authenticity"]

    def scores(fake: Dataset) -> dict[str, float]:
        found = judge(fake, train, held_out, metrics=names, cache=remembered)
        assert all(score.low <= score.value <= score.high for score in found.scores)
        return {score.metric: score.value for score in found.scores}

    honest, copies = scores(fresh), scores(train.subset(np.arange(300)))
    assert copies["alpha_precision"] > 0.9
    assert copies["authenticity"] == 0
    assert honest["authenticity"] > 0.3
    one = scores(ring(np.array([2.0, 0.0]) + np.random.default_rng(0).normal(0, 0.1, (300, 2))))
    assert one["beta_recall"] < 0.25 < 0.35 < honest["beta_recall"]
