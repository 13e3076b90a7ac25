import colorsys
import math

import pytest
import torch

from gansmith.augment import colour
from gansmith.augment.geometry import differs_from_identity


def row(value: float) -> torch.Tensor:
    return torch.tensor([value])


def pixels(channels: int = 3) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(1, channels, 4, 5) * 2 - 1


V = torch.ones(3) / math.sqrt(3)


@pytest.mark.parametrize(
    ("maps", "linear", "offset"),
    [
        (colour.brightness(row(0.3)), torch.eye(3), 0.3),
        (colour.contrast(row(1.7)), 1.7 * torch.eye(3), 0.0),
        (colour.luma_flip(row(1.0)), torch.eye(3) - 2 * torch.outer(V, V), 0.0),
        (colour.luma_flip(row(0.0)), torch.eye(3), 0.0),
        (colour.saturation(row(0.4)), torch.outer(V, V) + (torch.eye(3) - torch.outer(V, V)) * 0.4, 0.0),
        (colour.hue(row(2 * math.pi / 3)), torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]), 0.0),
    ],
)
def test_maps_are_the_papers_matrices(maps, linear, offset):
    image = pixels()
    expected = torch.einsum("ij,njhw->nihw", linear, image) + offset
    assert torch.allclose(colour.recolour(image, maps), expected, atol=1e-6)


def test_a_hue_rotation_keeps_grey_and_length_and_turns_by_its_angle():
    matrix = colour.hue(row(0.8))[0, :3, :3]
    assert torch.allclose(matrix @ V, V, atol=1e-6)
    assert torch.allclose(matrix @ matrix.T, torch.eye(3), atol=1e-6)
    assert torch.trace(matrix).item() == pytest.approx(1 + 2 * math.cos(0.8), abs=1e-6)
    red = (colour.hue(row(2 * math.pi / 3))[0, :3, :3] @ torch.tensor([1.0, 0.0, 0.0])).clamp(0, 1).tolist()
    assert colorsys.rgb_to_hsv(*red)[0] == pytest.approx(1 / 3, abs=1e-6)


def test_grey_images_get_the_scalar_forms():
    image = pixels(1)
    assert torch.allclose(colour.recolour(image, colour.brightness(row(0.3))), image + 0.3, atol=1e-6)
    assert torch.allclose(colour.recolour(image, colour.contrast(row(1.7))), image * 1.7, atol=1e-6)
    assert torch.allclose(colour.recolour(image, colour.luma_flip(row(1.0))), -image, atol=1e-6)


def test_a_grey_image_in_three_channels_changes_like_one_in_one_channel():
    image = pixels(1)
    for maps in (colour.brightness(row(0.3)), colour.contrast(row(1.7)), colour.luma_flip(row(1.0)), colour.hue(row(1.0))):
        wide = colour.recolour(image.repeat(1, 3, 1, 1), maps)
        assert torch.allclose(wide, colour.recolour(image, maps).repeat(1, 3, 1, 1), atol=1e-6)


def test_alpha_has_no_colour():
    image = pixels(4)
    changed = colour.recolour(image, colour.luma_flip(row(1.0)))
    assert torch.equal(changed[:, 3], image[:, 3])
    assert torch.equal(changed[:, :3], colour.recolour(image[:, :3], colour.luma_flip(row(1.0))))


def test_neutral_values_are_the_identity_to_the_last_bit():
    zero, one = row(0.0), row(1.0)
    neutral = [colour.brightness(zero), colour.contrast(one), colour.luma_flip(zero), colour.hue(zero), colour.saturation(one)]
    assert not differs_from_identity(torch.cat(neutral)).any()
