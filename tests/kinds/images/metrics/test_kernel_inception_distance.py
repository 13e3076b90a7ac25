"""The kernel inception distance against the numbers of torch-fidelity 0.4.0."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.kinds.images.metrics.kernel_inception_distance import kernel_inception_distance, measure
from gansmith.metrics.kernel_distance import cubic, discrepancy
from gansmith.metrics.registry import NotApplicableError, check_kind
from tests.metrics.plain_sides import generated, noise, real_side

Three = tuple[Dataset, Dataset, Dataset]


def features() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.RandomState(0)
    drawn = (rng.randn(1500, 32) + 0.1, rng.randn(1800, 32))
    return tuple(torch.from_numpy(np.maximum(side, 0).astype(np.float32)) for side in drawn)


def test_it_is_the_number_of_torch_fidelity() -> None:
    found = kernel_inception_distance(*features(), seed=7, subsets=20, subset_size=300)
    assert found.subsets.mean() == pytest.approx(0.01111224889755249, rel=1e-3)
    assert found.subsets.std() == pytest.approx(0.005071733570143272, rel=1e-3)


def test_with_the_usual_subsets_it_is_the_number_of_torch_fidelity() -> None:
    found = kernel_inception_distance(*features(), seed=2020)
    assert found.subsets.mean() == pytest.approx(0.010865867137908936, rel=1e-3)
    assert found.subsets.std() == pytest.approx(0.0015482863402423675, rel=1e-3)


def test_its_error_is_about_the_spread_over_independent_samples() -> None:
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(1000, 4, generator=rng)
    found = [
        kernel_inception_distance(1.3 * torch.randn(400, 4, generator=rng), real, seed, subsets=5, subset_size=200)
        for seed in range(20)
    ]
    spread = np.std([each.subsets.mean() for each in found])
    assert 0.8 * spread < np.mean([each.error for each in found]) < 2 * spread


def test_small_sets_are_taken_whole() -> None:
    fake, real = (side[:50] for side in features())
    found = kernel_inception_distance(fake, real, seed=0, subsets=3)
    whole = discrepancy(fake, real, cubic, unbiased=True).value
    assert found.subsets == pytest.approx(whole, abs=1e-6)


def test_all_images_of_a_side_are_measured_in_inceptions_space(striped: Three, tmp_path: Path) -> None:
    real = real_side(striped[0], striped[1], tmp_path)
    ceiling, far = measure(real.ceiling)["kid"], measure(generated(noise(striped[0]), real))["kid"]
    assert ceiling.space == "tiny"
    assert (ceiling.samples, ceiling.reference_samples) == (150, 400)
    assert ceiling.low < 0 < ceiling.high < far.low


def test_points_are_refused(on_ring: Three) -> None:
    with pytest.raises(NotApplicableError, match="of images, and ring holds points"):
        check_kind("gansmith.kinds.images.metrics.kernel_inception_distance", on_ring[0])
