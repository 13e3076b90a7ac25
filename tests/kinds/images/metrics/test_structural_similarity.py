"""Multi-scale structural similarity against a loop over its definition, and the collapse that it exposes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.kinds.images.metrics.structural_similarity import WEIGHTS, measure, ms_ssim, scales_of
from gansmith.metrics.registry import NotApplicableError, check_kind
from tests.metrics.plain_sides import generated, real_side

Three = tuple[Dataset, Dataset, Dataset]


def by_loops(a: np.ndarray, b: np.ndarray) -> float:
    """One channel [H, W]."""
    scales = scales_of(*a.shape)
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    taps = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    product = 1.0
    for scale in range(scales):
        structure, both = [], []
        for row in range(a.shape[0] - 10):
            for column in range(a.shape[1] - 10):
                x, y = (side[row : row + 11, column : column + 11] for side in (a, b))
                mean_x, mean_y = (window * x).sum(), (window * y).sum()
                variance_x, variance_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
                across = (window * (x - mean_x) * (y - mean_y)).sum()
                structure.append((2 * across + 0.03**2) / (variance_x + variance_y + 0.03**2))
                both.append(structure[-1] * (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2))
        product *= max(np.mean(both if scale == scales - 1 else structure), 0) ** weights[scale]
        height, width = (length // 2 * 2 for length in a.shape)
        a, b = (side[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3)) for side in (a, b))
    return product


@pytest.mark.parametrize(("height", "width"), [(28, 25), (12, 17), (11, 11)])
def test_it_equals_a_loop_over_the_definition(height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    a = rng.random((2, height, width))
    b = np.clip(a + rng.normal(0, 0.2, a.shape), 0, 1)
    expected = np.mean([by_loops(one, other) for one, other in zip(a, b, strict=True)])
    found = ms_ssim(*(torch.from_numpy(side).float()[None] for side in (a, b)))
    assert found.tolist() == pytest.approx([expected], abs=1e-4)


def test_there_are_five_scales_from_176_pixels_on_and_fewer_below() -> None:
    assert [scales_of(side, 500) for side in (4, 11, 22, 28, 44, 88, 176, 1024)] == [1, 1, 2, 2, 3, 4, 5, 5]


@pytest.mark.parametrize("side", [1, 8, 32, 180])
def test_equal_images_have_similarity_one_and_others_less(side: int) -> None:
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, side, side, generator=rng)
    assert torch.allclose(ms_ssim(images, images), torch.ones(4), atol=1e-4)
    assert (ms_ssim(images, images.flip(0)) < 0.99).all()


def test_it_is_symmetric_and_opposite_images_have_similarity_zero() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 3, 1, 32, 32, generator=rng)
    assert torch.allclose(ms_ssim(a, b), ms_ssim(b, a), atol=1e-6)
    assert ms_ssim(a, 1 - a).max() == 0


def test_one_repeated_image_is_exposed_and_fresh_ones_are_as_diverse_as_real_ones(striped: Three, tmp_path: Path) -> None:
    real = real_side(striped[0], striped[1], tmp_path)
    fresh, ceiling = (measure(side)["ms_ssim"] for side in (generated(striped[2], real), real.ceiling))
    assert fresh.space == "pixels"
    assert fresh.low < fresh.value < fresh.high < 0.5
    assert max(fresh.low, ceiling.low) <= min(fresh.high, ceiling.high)
    assert fresh.note == "75 pairs, 1 scale"
    one = measure(generated(striped[2].subset(np.zeros(150, np.int64)), real))["ms_ssim"]
    assert one.value == pytest.approx(1, abs=1e-4)


def test_points_have_no_structure(on_ring: Three) -> None:
    with pytest.raises(NotApplicableError, match="of images, and ring holds points"):
        check_kind("gansmith.kinds.images.metrics.structural_similarity", on_ring[0])
