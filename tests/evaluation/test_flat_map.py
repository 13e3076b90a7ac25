"""The map of real and generated examples."""

import numpy as np
import torch

from gansmith.evaluation.flat_map import flat_map


def heaps(count: int, apart: float, dimensions: int = 5) -> torch.Tensor:
    """Two heaps, the first half here, the second there."""
    points = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(count), dtype=torch.float64)
    points[count // 2 :, 0] += apart
    return points


def test_heaps_stay_apart_on_the_map_and_the_same_seed_gives_the_same_map() -> None:
    found, again = (flat_map(heaps(40, 50.0), heaps(30, 50.0), seed=3) for _ in range(2))
    assert found is not None and found == again and found.method == "t-SNE"
    assert (len(found.training), len(found.generated)) == (40, 30)
    places = np.array(found.training)
    assert np.abs(places).max() <= 1
    here, there = places[:20], places[20:]
    assert np.linalg.norm(here.mean(0) - there.mean(0)) > 2 * max(here.std(0).max(), there.std(0).max())


def test_two_dimensions_are_shown_as_they_are() -> None:
    real = heaps(20, 3.0, dimensions=2)
    found = flat_map(real, real[:5] + 0.1, seed=0)
    assert found is not None and found.method == "PCA"
    shown = np.array(found.training)
    expected = np.linalg.norm(real[0] - real[1]) / np.linalg.norm(real[2] - real[3])
    assert abs(np.linalg.norm(shown[0] - shown[1]) / np.linalg.norm(shown[2] - shown[3]) - expected) < 0.02 * expected


def test_what_cannot_be_spread_out_has_no_map() -> None:
    assert flat_map(torch.randn(20, 1).double(), torch.randn(20, 1).double(), seed=0) is None
    assert flat_map(torch.ones(20, 4).double(), torch.ones(20, 4).double(), seed=0) is None


def test_copies_of_two_examples_still_have_a_map() -> None:
    two = torch.eye(4, dtype=torch.float64)[[0, 1] * 20]
    found = flat_map(two, two, seed=0)
    assert found is not None and np.isfinite(found.training).all() and np.isfinite(found.generated).all()
