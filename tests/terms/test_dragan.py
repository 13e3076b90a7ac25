"""DRAGAN's penalty against a critic of known slope, and the reach of its perturbation."""

import torch

from gansmith.terms.dragan import dragan_penalty, perturbed


def test_the_penalty_of_a_linear_critic_is_the_squared_excess_of_its_slope():
    slope = torch.tensor([3.0, 0.0, 4.0, 0.0])
    torch.testing.assert_close(dragan_penalty(lambda x: x @ slope, torch.randn(6, 4)), torch.tensor(16.0))


def test_a_critic_of_unit_slope_costs_nothing():
    assert dragan_penalty(lambda x: x[:, 0], torch.randn(5, 3)).item() < 1e-10


def test_examples_move_up_by_at_most_the_scale_times_their_own_deviation():
    torch.manual_seed(0)
    real = torch.randn(3, 1, 20, 20) * torch.tensor([1.0, 10.0, 0.0]).view(3, 1, 1, 1)
    moves = (perturbed(real, 0.5) - real).flatten(1)
    limits = 0.5 * real.flatten(1).std(1)
    assert moves.min() >= 0 and torch.all(moves.max(1).values <= limits + 1e-5)
    torch.testing.assert_close(moves.mean(1), limits / 2, rtol=0.1, atol=1e-6)
