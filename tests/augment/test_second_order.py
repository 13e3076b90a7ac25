import io

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.augment.jpeg import jpeg
from gansmith.augment.kernels import blurred, gaussian_kernel, random_kernels
from gansmith.augment.second_order import second_order, sharpened


def photo(side: int = 48) -> torch.Tensor:
    """Smooth colours with an edge, from 0 to 1."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    image = torch.stack([rows, columns, (rows + columns) / 2])
    image[:, side // 4 : side // 2, side // 4 : side // 2] = torch.tensor([0.9, 0.2, 0.1])[:, None, None]
    return image[None]


def test_kernels_sum_to_one_and_sinc_filters_ring():
    torch.manual_seed(0)
    bells = random_kernels(200, side=13, sigma=(0.2, 3.0), sinc=0.0)
    waves = random_kernels(200, side=13, sigma=(0.2, 3.0), sinc=1.0)
    torch.testing.assert_close(bells.sum((1, 2)), torch.ones(200))
    torch.testing.assert_close(waves.sum((1, 2)), torch.ones(200))
    assert bells.min() >= 0 and (waves.flatten(1).min(1).values < 0).all()
    lopsided = (bells - bells.transpose(1, 2)).abs().flatten(1).amax(1) > 1e-4
    assert 40 < int(lopsided.sum()) < 110


def test_a_gaussian_kernel_is_that_of_the_formula():
    axis = np.arange(7) - 3
    expected = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 1.3**2))
    np.testing.assert_allclose(gaussian_kernel(7, 1.3)[0].numpy(), expected / expected.sum(), rtol=1e-5)


def test_each_image_is_blurred_by_its_own_kernel():
    kernels = torch.stack([gaussian_kernel(5, 1.0)[0], torch.zeros(5, 5)])
    kernels[1, 2, 2] = 1
    x = torch.rand(2, 3, 9, 9)
    made = blurred(x, kernels)
    torch.testing.assert_close(made[1], x[1])
    expected = (x[0, 0, 2:7, 2:7] * kernels[0]).sum()
    torch.testing.assert_close(made[0, 0, 4, 4], expected)


@pytest.mark.parametrize("quality", [20, 50, 90])
def test_jpeg_loses_what_pillow_loses(quality: int):
    x = photo()
    pixels = (x[0].permute(1, 2, 0) * 255).round().byte().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=quality)
    theirs = torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1)[None] / 255
    ours = jpeg(x, torch.tensor([float(quality)]))
    loss = (theirs - x).square().mean().sqrt().item()
    assert (ours - x).square().mean().sqrt().item() == pytest.approx(loss, rel=0.35)


@pytest.mark.parametrize("quality", [20, 50, 90])
def test_gray_images_are_those_of_pillow_but_for_rounding(quality: int):
    x = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 1, 40, 48))).float() / 255
    file = io.BytesIO()
    Image.fromarray((x[0, 0] * 255).round().byte().numpy()).save(file, format="JPEG", quality=quality)
    theirs = torch.from_numpy(np.asarray(Image.open(file)).copy())[None, None] / 255
    difference = (jpeg(x, torch.tensor([float(quality)])) - theirs).abs() * 255
    assert difference.mean() < 1.5 and difference.mean() < (x - theirs).abs().mean() * 255 / 5


def test_jpeg_keeps_plain_images_and_gray_ones_are_taken():
    plain = torch.full((2, 1, 10, 7), 0.5)
    torch.testing.assert_close(jpeg(plain, torch.tensor([30.0, 95.0])), plain, atol=0.02, rtol=0)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_degraded_images_are_smaller_in_8_bits_and_others_at_every_call(scale: int):
    torch.manual_seed(0)
    b = photo(32).repeat(4, 1, 1, 1) * 2 - 1
    one, other = second_order(b, scale), second_order(b, scale)
    assert one.shape == (4, 3, 32 // scale, 32 // scale) and not torch.equal(one, other)
    assert not torch.equal(one[0], one[1]) and one.abs().max() <= 1
    levels = (one + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    torch.manual_seed(0)
    assert torch.equal(one, second_order(b, scale))


def test_sharpening_leaves_plain_places_and_exaggerates_edges():
    b = photo() * 2 - 1
    made = sharpened(b)
    edge = (made - b).abs().amax(1)[0]
    assert edge[12:24, 10:14].max() > 0.02 > edge[40:, 40:].max()
    assert made.abs().max() <= 1 + 1e-5
