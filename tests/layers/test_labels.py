"""Attributes reach networks as numbers and as hat functions on knots."""

import numpy as np
import torch

from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.labels import condition_of, label_embedding, with_hats, with_label


def test_hats_are_linear_interpolation_between_knots():
    label = torch.tensor([[-1.0, 0.3], [0.5, -1.0], [0.37, 1.0], [1.0, 0.3]])
    made = with_hats(label, (8, 1))
    assert made.shape == (4, 2 + 9 + 3)  # two numbers, 8 steps and 2; a number of two values needs no knots
    torch.testing.assert_close(made[:, :2], label)
    knots = torch.linspace(-1, 1, 9)
    values = np.random.default_rng(0).normal(size=9)
    expected = np.interp(label[:, 0].numpy(), knots.numpy(), values)
    np.testing.assert_allclose(made[:, 2:11].numpy() @ values, expected, atol=1e-6)
    torch.testing.assert_close(made[:, 2:11].sum(1), torch.ones(4))
    torch.testing.assert_close(made[1, 2:11].nonzero().flatten(), torch.tensor([6]))  # on a knot: that alone


def test_networks_of_models_without_steps_see_plain_numbers():
    spec = ImageSpec(shape=(1, 8, 8), attributes=("age", "smile"))
    label = torch.rand(3, 2)
    assert spec.label_width == 2 and condition_of(label, spec) is label
    assert label_embedding(spec, 5).weight.shape == (5, 2)


def test_planes_hold_plain_numbers_and_features_hold_knots():
    spec = ImageSpec(shape=(1, 8, 8), attributes=("age", "smile"), steps=(64, 1))
    label = torch.rand(3, 2)
    assert spec.label_width == 2 + 65 + 17 + 5
    assert with_label(torch.zeros(3, 4), label, spec).shape == (3, 4 + spec.label_width)
    assert with_label(torch.zeros(3, 1, 8, 8), label, spec).shape == (3, 3, 8, 8)
    assert label_embedding(spec, 5)(label).shape == (3, 5)
    assert ImageSpec.from_json(spec.to_json()) == spec
