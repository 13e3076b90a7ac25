"""Spectral normalisation against the singular values, through averaging."""

import pytest
import torch
from torch import nn

from gansmith.layers.spectral import normalize_spectra
from gansmith.training.clock import Clock
from gansmith.training.ema import Average


def network():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 5))
    normalize_spectra(made)
    return made


def greatest_singular_value(layer):
    return torch.linalg.svdvals(layer.weight.flatten(1))[0].item()


def test_after_some_forward_passes_the_largest_singular_value_is_one():
    made = network()
    for _ in range(50):
        made(torch.randn(1, 2, 4, 4))
    for layer in (made[0], made[3]):
        assert greatest_singular_value(layer.eval()) == pytest.approx(1, abs=1e-3)


def test_embeddings_are_normalised_too():
    made = nn.Sequential(nn.Embedding(7, 3))
    normalize_spectra(made)
    for _ in range(50):
        made(torch.tensor([0]))
    assert greatest_singular_value(made[0].eval()) == pytest.approx(1, abs=1e-3)


def test_an_average_of_moving_weights_stays_normalised():
    made = network()
    average, clock = Average(made, half_life=50, ramp=None), Clock()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.5)
    for _ in range(60):  # weights and their singular vectors turn a long way
        made(torch.randn(8, 2, 4, 4)).square().sum().neg().backward()
        for parameter in made.parameters():
            parameter.grad /= parameter.grad.norm() + 1e-9
        optimizer.step()
        optimizer.zero_grad()
        average.update(made, clock, 8)
    assert not any(module.training for module in average.network.modules())
    for index in (0, 3):
        assert greatest_singular_value(average.network[index]) == pytest.approx(1, abs=0.02)


def test_generating_from_an_average_changes_nothing_in_it():
    average = Average(network(), half_life=50)
    before = {key: tensor.clone() for key, tensor in average.network.state_dict().items()}
    average.network(torch.randn(3, 2, 4, 4))
    assert all(torch.equal(tensor, before[key]) for key, tensor in average.network.state_dict().items())
