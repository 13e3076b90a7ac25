"""The mode-seeking term against equation 2."""

import pytest
import torch

from gansmith.terms.mode_seeking import SMALLEST, mode_seeking


def test_it_is_the_inverse_of_the_ratio_of_mean_distances():
    torch.manual_seed(0)
    images, noises = torch.randn(2, 5, 1, 4, 4), torch.randn(2, 5, 8)
    ratio = sum(abs(a - b) for a, b in zip(images[0].flatten().tolist(), images[1].flatten().tolist(), strict=True)) / 80
    ratio /= sum(abs(a - b) for a, b in zip(noises[0].flatten().tolist(), noises[1].flatten().tolist(), strict=True)) / 40
    assert mode_seeking(*images, *noises).item() == pytest.approx(1 / (ratio + SMALLEST), rel=1e-4)


def test_equal_examples_cost_much_but_not_infinitely():
    image = torch.zeros(3, 1, 2, 2)
    assert mode_seeking(image, image, torch.zeros(3, 2), torch.ones(3, 2)).item() == pytest.approx(1e5, rel=1e-3)


def test_its_gradient_drives_examples_apart():
    first = torch.zeros(1, 1, 1, 1, requires_grad=True)
    mode_seeking(first, torch.ones(1, 1, 1, 1), torch.zeros(1, 1), torch.ones(1, 1)).backward()
    assert first.grad is not None and first.grad.item() > 0  # descent moves it away from the second
