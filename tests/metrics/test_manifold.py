"""Precision, recall, density and coverage against loops over the definitions, whatever the size of the blocks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.evaluation import nearest as nearest_module
from gansmith.evaluation.nearest import nearest
from gansmith.metrics.manifold import manifold


def by_loops(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    def reach(points: np.ndarray) -> list[float]:
        return [
            sorted(float(np.linalg.norm(point - other)) for other in points)[k] for point in points
        ]  # [0] is the point itself

    real_reach, fake_reach = reach(real), reach(fake)
    inside = np.array([[np.linalg.norm(x - y) <= radius for y in fake] for x, radius in zip(real, real_reach, strict=True)])
    within = np.array([[np.linalg.norm(x - y) <= radius for y, radius in zip(fake, fake_reach, strict=True)] for x in real])
    return {
        "precision": inside.any(0).mean(),
        "recall": within.any(1).mean(),
        "density": inside.sum() / (k * len(fake)),
        "coverage": inside.any(1).mean(),
    }


@settings(deadline=None, max_examples=10)
@given(k=st.integers(1, 5), shift=st.floats(0, 2), seed=st.integers(0, 100))
def test_the_four_metrics_equal_loops_over_their_definitions(k: int, shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(30, 3)), rng.normal(shift, 1.5, size=(24, 3))
    found = manifold(torch.from_numpy(real), torch.from_numpy(fake), k)
    for metric, value in by_loops(real, fake, k).items():
        assert getattr(found, metric).double().mean().item() == pytest.approx(value, abs=1e-12)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(53, 4, generator=rng), torch.randn(41, 4, generator=rng)
    whole = manifold(real, fake)
    monkeypatch.setattr(nearest_module, "ENTRIES", 200)
    parts = manifold(real, fake)
    for metric in ("precision", "recall", "density", "coverage"):
        assert torch.equal(getattr(whole, metric), getattr(parts, metric))


def test_a_single_repeated_example_is_precise_and_covers_almost_nothing() -> None:
    real = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    found = manifold(real, real[:1].repeat(200, 1))
    assert found.precision.all()
    assert found.coverage.double().mean() < 0.1
    assert found.recall.double().mean() < 0.05


@settings(deadline=None, max_examples=10)
@given(k=st.integers(1, 4), seed=st.integers(0, 100))
def test_nearest_neighbours_equal_a_full_sort(k: int, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    queries, points = torch.randn(20, 3, generator=rng), torch.randn(15, 3, generator=rng)
    distances, indices = nearest(queries, points, k)
    expected = torch.cdist(queries.double(), points.double()).sort(1)
    assert torch.allclose(distances.double(), expected.values[:, :k], atol=1e-5)
    assert torch.equal(indices, expected.indices[:, :k])


def test_nearest_neighbours_are_the_same_in_pieces_of_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    queries, points = torch.randn(50, 6, generator=rng), torch.randn(70, 6, generator=rng)
    whole = nearest(queries, points, 5)
    monkeypatch.setattr(nearest_module, "QUERIES", 8)
    monkeypatch.setattr(nearest_module, "ENTRIES", 8 * 3)  # fewer points in a piece than neighbours asked for
    pieces = nearest(queries, points, 5)
    assert torch.equal(whole[1], pieces[1])
    assert torch.allclose(whole[0], pieces[0])


def test_the_distance_of_a_copy_is_exactly_zero_far_from_the_origin() -> None:
    points = 1000 + torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    distances, indices = nearest(points, points, 1)
    assert distances.max() == 0
    assert torch.equal(indices[:, 0], torch.arange(50))
