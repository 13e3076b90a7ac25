"""Patches that start without a pattern, whose every pixel learns on its own."""

import torch
from torch import nn
from torch.nn.functional import pixel_shuffle

from gansmith.gans.biggan import BigGAN
from gansmith.gans.reacgan import ReACGAN
from gansmith.gans.stylegan2 import Config, StyleGAN2
from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.patches import start_even


def within_patches(image):
    """The mean squared difference between the left and right pixels of patches of 2x2."""
    return (image[..., 0::2] - image[..., 1::2]).square().mean().item()


def test_patches_start_flat_and_the_places_differ():
    torch.manual_seed(0)
    layer = nn.Conv2d(5, 3 * 2**2, 3, padding=1, bias=False)
    features = torch.randn(2, 5, 6, 4)
    assert within_patches(pixel_shuffle(layer(features), 2)) > 0.01
    start_even(layer, 2)
    image = pixel_shuffle(layer(features), 2)
    assert image.shape == (2, 3, 12, 8) and within_patches(image) == 0
    assert (image[..., 1::2][..., :-1] - image[..., 2::2]).square().mean().item() > 0.01


def test_every_pixel_of_a_patch_learns_on_its_own():
    layer = nn.Conv2d(5, 2**2, 1)
    start_even(layer, 2)
    pixel_shuffle(layer(torch.randn(2, 5, 4, 4)), 2)[..., ::2, ::2].sum().backward()
    assert layer.weight.grad is not None
    assert [bool(row.any()) for row in layer.weight.grad] == [True, False, False, False]


def test_generators_of_patches_start_without_a_pattern():
    spec = ImageSpec(shape=(3, 32, 32))
    torch.manual_seed(0)
    gan = StyleGAN2(Config(width=8, widest=16, style=16, noise=16, mapping_layers=2, patch=2), spec)
    # what smaller images add is enlarged and therefore differs within patches; the last one is what the patches paint
    synthesis = gan.generator.network.synthesis
    features = torch.randn(2, 8, 16, 16)
    assert within_patches(synthesis.seen(2, features, torch.randn(2, 16))) == 0


def test_critics_of_patches_start_without_a_wish_for_a_pattern():
    spec = ImageSpec(shape=(3, 32, 32), classes=("a", "b"))
    for made in (StyleGAN2, BigGAN, ReACGAN):
        torch.manual_seed(0)
        gan = made(made.Config(**made.presets["small"].config), spec)
        image, label = torch.randn(4, 3, 32, 32).requires_grad_(), torch.tensor([0, 1, 0, 1])
        (gradient,) = torch.autograd.grad(gan.critic(image, label).sum(), image)
        assert gradient.abs().max() > 0
        torch.testing.assert_close(gradient[..., 0::2], gradient[..., 1::2])


def test_first_images_stay_within_black_and_white():
    spec = ImageSpec(shape=(3, 64, 64))
    small = dict(StyleGAN2.presets["small"].config)
    deviations = []
    for contrast in (small["first_contrast"], 1.0):
        torch.manual_seed(0)
        gan = StyleGAN2(Config(**{**small, "first_contrast": contrast}), spec)
        with torch.no_grad():
            deviations.append(gan.generator(torch.randn(16, 64)).std().item())
    assert deviations[0] < 0.4 and deviations[1] > 0.8
