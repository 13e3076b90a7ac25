"""CMMD against the formula of its authors' code and a closed form."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.metrics.cmmd import SCALE, gaussian_less_one, measure
from gansmith.metrics.kernel_distance import discrepancy
from gansmith.metrics.registry import NotApplicableError
from tests.metrics.plain_sides import generated, real_side

Three = tuple[Dataset, Dataset, Dataset]


def cmmd(fake: torch.Tensor, real: torch.Tensor) -> float:
    return SCALE * discrepancy(fake, real, gaussian_less_one, unbiased=False).value


def test_it_equals_the_biased_estimate_of_the_gaussian_kernel() -> None:
    rng = np.random.default_rng(0)
    fake, real = (
        side / np.linalg.norm(side, axis=1, keepdims=True) for side in (rng.normal(size=(40, 5)), rng.normal(size=(30, 5)))
    )

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-np.square(a[:, None] - b[None]).sum(-1) / (2 * 10**2)).mean())

    expected = 1000 * (mean(fake, fake) + mean(real, real) - 2 * mean(fake, real))
    assert cmmd(torch.from_numpy(fake), torch.from_numpy(real)) == pytest.approx(expected, rel=1e-9)
    single = cmmd(torch.from_numpy(fake).float(), torch.from_numpy(real).float())
    assert single == pytest.approx(expected, rel=1e-4)


def test_perpendicular_directions_are_apart_by_the_closed_form() -> None:
    a, b = torch.eye(2)[:1].repeat(7, 1), torch.eye(2)[1:].repeat(4, 1)
    assert cmmd(a, b) == pytest.approx(2000 * (1 - np.exp(-0.01)), rel=1e-6)


def test_fresh_images_are_as_near_as_held_out_ones_and_one_repeated_image_is_far(striped: Three, tmp_path: Path) -> None:
    real = real_side(striped[0], striped[1], tmp_path)
    sides = generated(striped[2], real), real.ceiling, generated(striped[2].subset(np.zeros(150, np.int64)), real)
    fresh, ceiling, far = (measure(side)["cmmd"] for side in sides)
    assert fresh.space == "pixels"
    assert fresh.low <= ceiling.value <= fresh.high < far.low


def test_points_are_refused(on_ring: Three, tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError, match="length matters"):
        measure(real_side(on_ring[0], on_ring[1], tmp_path).ceiling)
