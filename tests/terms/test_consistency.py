"""Consistency terms against their formulas, and the augmentation against a naive loop."""

import pytest
import torch

from gansmith.terms.consistency import SHIFT, consistency, flipped_and_shifted, latent_insistence, nearby


def test_consistency_is_the_mean_squared_difference_and_insistence_its_negative():
    before, after = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.0, -2.0, 2.5])
    assert consistency(before, after).item() == pytest.approx((1 + 0 + 4) / 3)
    assert latent_insistence(before, after).item() == pytest.approx(-(1 + 0 + 4) / 3)


def test_noise_nearby_has_the_asked_deviation():
    torch.manual_seed(0)
    noise = torch.randn(200, 50)
    assert (nearby(noise, 0.07) - noise).std().item() == pytest.approx(0.07, rel=0.02)


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (7, 9)])
def test_every_augmented_image_is_a_flip_and_a_shift_with_reflected_borders(size):
    torch.manual_seed(0)
    images = torch.randn(12, 2, *size)
    most = [int(side * SHIFT + 0.5) for side in size]
    for image, made in zip(images, flipped_and_shifted(images), strict=True):
        found = False
        for flipped in (image, image.flip(2)):
            padded = torch.nn.functional.pad(flipped[None], (most[1], most[1], most[0], most[0]), mode="reflect")[0]
            for row in range(2 * most[0] + 1):
                for column in range(2 * most[1] + 1):
                    found = found or torch.equal(padded[:, row : row + size[0], column : column + size[1]], made)
        assert found


def test_flips_and_shifts_differ_from_image_to_image():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 16, 16)
    made = flipped_and_shifted(image.expand(64, -1, -1, -1))
    assert len({tuple(one.flatten().tolist()) for one in made}) > 20
