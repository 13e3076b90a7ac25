"""The order of realism against a naive loop."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.evaluation import nearest
from gansmith.evaluation.nearest import squared_radii
from gansmith.evaluation.realism import ranked, surroundings
from gansmith.metrics.manifold import manifold


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**16), real=st.integers(8, 40), fake=st.integers(8, 40))
def test_surroundings_equal_a_naive_loop_in_blocks_of_any_size(seed: int, real: int, fake: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    a, b = torch.randn(real, 3, generator=rng, dtype=torch.float64), torch.randn(fake, 3, generator=rng, dtype=torch.float64)
    radii = squared_radii(a, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "ENTRIES", 3 * fake)
        balls, closest = surroundings(a, b, radii)
    squared = np.square(b.numpy()[:, None] - a.numpy()[None]).sum(2)
    assert np.array_equal(balls, (squared <= radii.numpy()).sum(1))
    assert np.array_equal(closest, squared.argmin(1))
    assert torch.equal(balls.double() / 5, manifold(a, b).density)


def test_the_best_lie_in_most_balls_and_of_equals_the_nearer_comes_first() -> None:
    balls, distances = np.array([0, 3, 3, 0, 1, 0]), np.array([5.0, 2.0, 1.0, 9.0, 1.0, 7.0])
    found = ranked(balls, distances, np.arange(6) + 10, shown=2)
    assert (found.best, found.best_balls, found.best_distances) == ([12, 11], [3, 3], [1.0, 2.0])
    assert (found.worst, found.worst_balls, found.worst_distances) == ([13, 15], [0, 0], [9.0, 7.0])


def test_no_example_is_among_the_best_and_the_worst() -> None:
    found = ranked(np.arange(20), np.ones(20), np.arange(20), shown=16)
    assert len(found.best) == len(found.worst) == 10 and not set(found.best) & set(found.worst)
