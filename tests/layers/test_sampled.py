"""Images taken at places."""

import torch
from torch.nn.functional import grid_sample

from gansmith.layers.sampled import sampled


def test_it_is_grid_sample_with_its_derivatives():
    image = torch.randn(2, 3, 5, 6, requires_grad=True)
    places = (torch.rand(2, 4, 4, 2) * 3 - 1.5).requires_grad_()
    weight = torch.randn(2, 3, 4, 4)
    for padding in ("zeros", "border"):
        found = sampled(image, places, padding)
        expected = grid_sample(image, places, padding_mode=padding, align_corners=False)
        torch.testing.assert_close(found, expected)
        for own, other in zip(
            torch.autograd.grad((found * weight).sum(), (image, places)),
            torch.autograd.grad((expected * weight).sum(), (image, places)),
            strict=True,
        ):
            torch.testing.assert_close(own, other)


def test_places_that_are_no_numbers_give_none_and_end_no_process():
    image = torch.randn(1, 1, 8, 8, requires_grad=True)
    places = torch.zeros(1, 3, 1, 2)
    places[0, 0], places[0, 1] = torch.nan, torch.inf
    places.requires_grad_()
    for padding in ("zeros", "border"):
        found = sampled(image, places, padding)
        assert found[0, 0, :2].isnan().all() and not found[0, 0, 2].isnan().any()
        found.sum().backward()
