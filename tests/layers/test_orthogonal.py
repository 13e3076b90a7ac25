"""Orthogonal starts and the orthogonal penalty against equation 3."""

import pytest
import torch
from torch import nn

from gansmith.layers.orthogonal import orthogonal_penalty, start_orthogonal


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(20, 4), nn.BatchNorm1d(4))


def test_every_weight_starts_with_orthonormal_rows():
    made = network()
    start_orthogonal(made)
    for layer in (made[0], made[2]):
        rows = layer.weight.detach().flatten(1)
        torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), atol=1e-5, rtol=0)
        assert not layer.bias.any()
    assert orthogonal_penalty(made).item() < 1e-9


def test_the_penalty_is_the_sum_of_squared_products_of_different_rows():
    made, expected = network(), 0.0
    for layer in (made[0], made[2]):
        rows = layer.weight.detach().flatten(1)
        expected += sum(float(a @ b) ** 2 for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j)
    assert orthogonal_penalty(made).item() == pytest.approx(expected, rel=1e-4)


def test_the_length_of_a_row_costs_nothing():
    made = nn.Linear(2, 2)
    with torch.no_grad():
        made.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.1]]))
    assert orthogonal_penalty(made).item() == 0
