"""The sliced Wasserstein distance against scipy, closed forms and a pyramid that adds up."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d
from scipy.stats import wasserstein_distance

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.kinds.images.patches import blurred, descriptors, laplacian_pyramid, patches_of
from gansmith.metrics.sliced_wasserstein import directions, measure, projected_distance, sliced_wasserstein
from tests.metrics.plain_sides import generated, noise, real_side

Three = tuple[Dataset, Dataset, Dataset]


def test_along_every_line_it_is_scipys_distance() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 200)), rng.gamma(2, size=(3, 200))
    expected = np.mean([wasserstein_distance(*pair) for pair in zip(a, b, strict=True)])
    assert projected_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected, rel=1e-3)
    assert projected_distance(torch.ones(1, 5), torch.ones(1, 5)) == 0


def test_moved_points_are_apart_by_the_mean_length_of_the_projected_move() -> None:
    points = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    lines = directions(3, 512, 0)
    assert torch.allclose(lines.norm(dim=1), torch.ones(512))
    move = torch.tensor([1.0, 2.0, 2.0])
    assert sliced_wasserstein(points, points + move, 0) == pytest.approx(float((lines @ move).abs().mean()), rel=1e-3)
    assert float((lines @ move).abs().mean()) == pytest.approx(3 / 2, rel=0.05)  # |u x| is uniform on a sphere in space


def test_the_filter_is_scipys_with_mirrored_borders() -> None:
    images = np.random.default_rng(0).random((2, 3, 9, 12), np.float32)
    expected = images
    for axis in (2, 3):
        expected = convolve1d(expected, np.array([1, 4, 6, 4, 1]) / 16, axis=axis, mode="mirror")
    assert np.allclose(blurred(torch.from_numpy(images)).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(("side", "sides"), [(8, [8]), (28, [28]), (32, [32, 16]), (67, [67, 34, 17]), (128, [128, 64, 32, 16])])
def test_the_scales_halve_down_to_sixteen_and_add_up_to_the_image(side: int, sides: list[int]) -> None:
    image = torch.rand(1, 2, side, side, generator=torch.Generator().manual_seed(0))
    scales = list(laplacian_pyramid(image))
    assert [scale.shape[-1] for scale in scales] == sides
    whole = scales.pop()
    while scales:
        detail = scales.pop()
        spread = torch.zeros_like(detail)
        spread[..., ::2, ::2] = 4 * whole
        whole = detail + blurred(spread)
    assert torch.allclose(whole, image, atol=1e-5)


def test_a_smooth_image_has_no_detail_away_from_its_border() -> None:
    detail = next(laplacian_pyramid(torch.linspace(0, 1, 64).expand(1, 1, 64, 64)))
    assert detail[..., 8:-8, 8:-8].abs().max() < 1e-5


def test_patches_are_cut_from_their_own_image() -> None:
    images = torch.arange(2.0)[:, None, None, None] * 1000 + torch.arange(400.0).view(1, 1, 20, 20).repeat(2, 3, 1, 1)
    patches = patches_of(images, torch.Generator().manual_seed(0))
    assert patches.shape == (2, 128, 3, 7, 7)
    corner = patches[:, :, :, :1, :1]
    expected = corner + (torch.arange(7) * 20)[:, None] + torch.arange(7)
    assert torch.equal(patches, expected)
    assert (corner[0] < 400).all() and (corner[1] >= 1000).all()
    assert patches_of(images[..., :8, :5], torch.Generator().manual_seed(0)).shape == (2, 4, 3, 5, 5)


def test_every_channel_of_the_patches_is_normalised(striped: Three) -> None:
    (patches,) = descriptors(striped[0].subset(np.arange(100)), 0)
    assert patches.mean() == pytest.approx(0, abs=1e-4)
    assert patches.std() == pytest.approx(1, abs=1e-3)


def test_images_whose_parts_are_out_of_place_pass_for_real_as_patches_know_no_place(images: Callable[..., Dataset]) -> None:
    rng = np.random.default_rng(0)

    def bands(count: int) -> np.ndarray:
        dark, bright = rng.normal(60, 20, (count, 1, 28, 14)), rng.normal(160, 60, (count, 1, 28, 14))
        return np.concatenate([dark[..., :7], bright, dark[..., 7:]], 3).clip(0, 255).astype(np.uint8)

    real, fresh, far = bands(80), bands(80), rng.integers(0, 256, (80, 1, 28, 28), np.uint8)
    moved = np.roll(fresh, 2, 3)
    assert np.abs(moved.mean((0, 2)) - real.mean((0, 2))).max() > 90
    (reference,) = descriptors(images({"image": real}), 0)

    def distance(pictures: np.ndarray) -> float:
        (patches,) = descriptors(images({"image": pictures}), 1)
        return sliced_wasserstein(patches.flatten(0, 1), reference.flatten(0, 1), 0, 64)

    assert distance(fresh) < 0.25 * distance(far)
    assert distance(moved) < 0.25 * distance(far)


def test_fresh_images_are_near_and_noise_is_far(striped: Three, tmp_path: Path) -> None:
    real = real_side(striped[0], striped[1], tmp_path)
    fresh, far = (measure(generated(fake, real))["swd"] for fake in (striped[2], noise(striped[0])))
    assert fresh.space == "patches"
    assert fresh.low <= fresh.value <= fresh.high < far.low


def test_of_points_it_is_in_their_own_units(on_ring: Three, ring: Callable[[np.ndarray], Dataset], remembered: Path) -> None:
    train, held_out, fresh = on_ring
    points = fresh.codec.decode(fresh.batch(slice(None)))
    moved = ring(np.stack(points) + np.array([30.0, 40.0]))
    found = judge(moved, train, held_out, metrics=["swd"], cache=remembered)["swd"]
    assert found.name == "swd[raw]"
    assert found.value == pytest.approx(50 * 2 / np.pi, rel=0.05)
    assert found.low < found.value < found.high
