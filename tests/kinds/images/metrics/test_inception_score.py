"""The Inception score against the numbers of torch-fidelity 0.4.0, closed forms, and the cheat it falls for."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.kinds.images.metrics.inception_score import inception_scores, measure
from gansmith.metrics.registry import NotApplicableError, check_kind
from gansmith.metrics.vendi import surprisals
from tests.metrics.plain_sides import real_side

Three = tuple[Dataset, Dataset, Dataset]


def test_it_is_the_number_of_torch_fidelity() -> None:
    rng = np.random.RandomState(0)
    rng.randn(1500, 32), rng.randn(1800, 32)
    scores = inception_scores(torch.from_numpy((3 * rng.randn(123, 20)).astype(np.float32)), seed=2020)
    assert scores.mean() == pytest.approx(4.572149741281358, rel=1e-9)
    assert scores.std() == pytest.approx(0.4401840810664279, rel=1e-9)


def test_it_is_one_without_any_preference_and_the_number_of_classes_at_best() -> None:
    assert inception_scores(torch.zeros(200, 7), seed=0) == pytest.approx(1)
    certain = 100 * torch.eye(4).repeat(50, 1)
    assert inception_scores(certain, seed=0, splits=1) == pytest.approx(4)


def test_one_perfect_image_of_every_class_has_the_best_score_and_vendi_tells() -> None:
    rng = torch.Generator().manual_seed(0)
    classes = 8 * torch.eye(5).repeat(100, 1)
    details = torch.cat([classes, torch.zeros(500, 20)], 1)
    real = torch.cat([classes, 4 * torch.randn(500, 20, generator=rng)], 1)
    assert inception_scores(details[:, :5], seed=0).mean() >= inception_scores(real[:, :5], seed=0).mean() - 1e-6
    few, many = (float(np.exp(surprisals(features).mean())) for features in (details, real))
    assert few == pytest.approx(5)
    assert many > 2 * few


def test_all_images_are_scored_without_a_reference(striped: Three, tmp_path: Path) -> None:
    found = measure(real_side(striped[0], striped[1], tmp_path).ceiling)["is"]
    assert (found.space, found.samples, found.reference_samples) == ("tiny", 150, 0)
    assert 1 <= found.low < found.value < found.high


def test_points_are_refused(on_ring: Three) -> None:
    with pytest.raises(NotApplicableError, match="of images, and ring holds points"):
        check_kind("gansmith.kinds.images.metrics.inception_score", on_ring[0])
