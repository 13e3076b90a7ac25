import math

import pytest
import torch

from gansmith.augment.geometry import (
    chain,
    differs_from_identity,
    rotation,
    scaling,
    translation,
    warp,
)


def row(value: float) -> torch.Tensor:
    return torch.tensor([value])


def picture(height: int = 9, width: int = 9) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(1, 3, height, width) * 2 - 1


@pytest.mark.parametrize("smooth", [None, torch.tensor([False])])
def test_maps_of_the_grid_onto_itself_are_flips_turns_and_rolls(smooth):
    image = picture()
    assert torch.allclose(warp(image, scaling(row(-1.0), row(1.0)), smooth), image.flip(3), atol=1e-5)
    for turns in range(4):
        turned = warp(image, rotation(row(-turns * math.pi / 2)), smooth)
        assert torch.allclose(turned, image.rot90(-turns, (2, 3)), atol=1e-5)
    moved = warp(image, translation(row(-2.0), row(1.0)), smooth)
    assert torch.allclose(moved[..., :-1, 2:], image.roll((-1, 2), (2, 3))[..., :-1, 2:], atol=1e-5)


def test_what_comes_in_from_outside_is_reflected():
    image = picture()
    moved = warp(image, translation(row(-2.0), row(0.0)))
    assert torch.allclose(moved[..., :2], image[..., :2].flip(3), atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (1, 6)])
def test_oblong_images_are_mapped_in_pixels(shape):
    image = picture(*shape)
    assert torch.allclose(warp(image, rotation(row(math.pi))), image.flip(2, 3), atol=1e-5)


def test_an_image_twice_as_large_shows_its_centre():
    ramp = torch.linspace(-1, 1, 16).expand(1, 1, 16, 16)
    grown = warp(ramp, scaling(row(0.5), row(0.5)), torch.tensor([True]))
    assert torch.allclose(grown, ramp / 2, atol=1e-5)


def test_smoothing_averages_what_a_smaller_image_cannot_show():
    stripes = (torch.arange(32) % 2 * 2.0 - 1).expand(1, 1, 32, 32)
    half = scaling(row(2.0), row(2.0))
    inside = slice(9, 23)
    smooth = warp(stripes, half, torch.tensor([True]))[..., inside, inside]
    # Shifted by half a pixel, single samples hit the stripes' crests alone.
    shifted = chain(translation(row(0.5), row(0.0)), half)
    rough = warp(stripes, shifted, torch.tensor([False]))[..., inside, inside]
    assert smooth.abs().max() < 1e-5 and rough.abs().min() > 0.99


def test_a_chain_is_the_product_and_its_last_map_comes_first():
    maps = [rotation(row(0.3)), scaling(row(2.0), row(0.5)), translation(row(3.0), row(-1.0))]
    assert torch.allclose(chain(*maps), maps[0] @ maps[1] @ maps[2], atol=1e-6)
    assert torch.allclose(chain(*maps)[0] @ torch.tensor([-3.0, 1.0, 1.0]), torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)


def test_only_what_differs_differs():
    maps = torch.cat([rotation(row(-0.0)), scaling(row(1.0), row(1.0)), translation(row(0.0), row(1e-3))])
    assert differs_from_identity(maps).tolist() == [False, False, True]
