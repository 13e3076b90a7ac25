"""The three-sample test: U statistics against scipy, and copies that it exposes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.metrics.data_copying import cells_of, place, z_score

Three = tuple[Dataset, Dataset, Dataset]


def z_by_scipy(train: np.ndarray, held_out: np.ndarray, fake: np.ndarray) -> float:
    mine, theirs = (np.linalg.norm(side[:, None] - train[None], axis=-1).min(1) for side in (fake, held_out))
    u = mannwhitneyu(mine, theirs, alternative="less").statistic
    n, m = len(mine), len(theirs)
    return (u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12)


def test_it_is_the_z_score_of_mann_whitneys_u_in_one_cell() -> None:
    rng = np.random.default_rng(0)
    train, held_out, fake = rng.normal(size=(50, 2)), rng.normal(size=(40, 2)), rng.normal(0, 1.2, size=(60, 2))
    fake[:3] = held_out[:3]  # ties
    placement = place(*(torch.from_numpy(side) for side in (train, held_out, fake)), torch.zeros(1, 2, dtype=torch.float64))
    assert z_score(placement, np.arange(60)) == pytest.approx(z_by_scipy(train, held_out, fake), rel=1e-9)


def test_cells_are_averaged_with_their_shares_of_held_out_examples() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    counts = {"train": (30, 20, 10), "held_out": (20, 30, 10), "fake": (40, 25, 5)}
    sides = {
        name: np.repeat(centres, many, 0) + rng.normal(0, 1 + (name == "fake"), (sum(many), 2)) for name, many in counts.items()
    }
    placement = place(*(torch.from_numpy(side) for side in sides.values()), torch.from_numpy(centres))
    cell = {name: [side[np.linalg.norm(side - centre, axis=1) < 50] for centre in centres] for name, side in sides.items()}
    z = [z_by_scipy(cell["train"][k], cell["held_out"][k], cell["fake"][k]) for k in range(2)]  # the third has too few
    assert z_score(placement, np.arange(70)) == pytest.approx((20 * z[0] + 30 * z[1]) / 50, rel=1e-9)
    assert np.isnan(z_score(placement, np.arange(70), fewest=50))


def test_every_cell_holds_a_training_example_even_if_there_are_few_different_ones() -> None:
    train = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).repeat(30, 1)
    assert cells_of(train, train, 5, 0).unique(dim=0).tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_copies_are_far_below_fresh_examples_and_blurred_ones_far_above(
    on_ring: Three, ring: Callable[[np.ndarray], Dataset], remembered: Path
) -> None:
    train, held_out, fresh = on_ring

    def value(fake: Dataset) -> float:
        score = judge(fake, train, held_out, metrics=["data_copying"], cache=remembered)["data_copying"]
        assert score.ceiling == pytest.approx(0, abs=1e-9)
        assert score.low <= score.value <= score.high
        return score.value

    assert -2 < value(fresh) < 2
    assert value(train.subset(np.arange(300))) < -3
    nowhere = ring(np.full((300, 2), 1000.0))
    assert value(nowhere) > 3
    baseline = judge(fresh, train, held_out, metrics=["data_copying"], cache=remembered)["data_copying"].baseline
    assert baseline > 3
