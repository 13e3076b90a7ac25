"""Penalties against closed forms and finite differences, in float32 and under bfloat16."""

import pytest
import torch
from torch import nn

from gansmith import penalties


def critic(seed=0, features=6):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(features, 16), nn.SiLU(), nn.Linear(16, 1), nn.Flatten(0))


def test_the_squared_norm_of_a_quadratic_critic_is_known():
    x = torch.randn(5, 3)
    logits, norm = penalties.with_gradient_norm(lambda x: x.square().sum(1) / 2, x)
    torch.testing.assert_close(norm, x.square().sum(1))
    torch.testing.assert_close(logits, x.square().sum(1) / 2)


def test_r1_and_r2_are_half_the_mean_squared_norm():
    x = torch.randn(4, 2, 3, 3)
    weight = torch.randn(2, 3, 3)
    expected = weight.square().sum() / 2
    torch.testing.assert_close(penalties.r1(lambda x: (x * weight).sum((1, 2, 3)), x), expected)
    torch.testing.assert_close(penalties.r2(lambda x: (x * weight).sum((1, 2, 3)), x.requires_grad_()), expected)


def test_the_gradient_penalty_of_a_linear_critic_is_the_squared_excess_of_its_slope():
    real, fake = torch.randn(6, 4), torch.randn(6, 4)
    slope = torch.tensor([3.0, 0.0, 4.0, 0.0])
    torch.testing.assert_close(penalties.gradient_penalty(lambda x: x @ slope, real, fake), torch.tensor(16.0))


def test_the_points_of_the_gradient_penalty_lie_between_real_and_fake():
    seen = []
    real, fake = torch.zeros(64, 1), torch.ones(64, 1)
    penalties.gradient_penalty(lambda x: (seen.append(x.detach()), x.sum(1))[1], real, fake)
    share = seen[0].flatten()
    assert share.min() >= 0 and share.max() <= 1 and share.std() > 0.2


@pytest.mark.parametrize("name", ["r1", "r2", "gradient_penalty"])
def test_the_weights_gradient_of_a_penalty_equals_finite_differences(name):
    network = critic().double()

    class Double(nn.Module):  # the penalty works in float32; a float64 critic behind it keeps the differences clean
        def forward(self, x):
            return network(x.double())

    real, fake = torch.randn(3, 6), torch.randn(3, 6)
    arguments = {"r1": (real,), "r2": (fake,), "gradient_penalty": (real, fake)}[name]

    def penalty():
        torch.manual_seed(1)
        return getattr(penalties, name)(Double(), *arguments)

    weight = network[0].weight
    (gradient,) = torch.autograd.grad(penalty(), weight)
    for index in [(0, 0), (3, 2), (7, 5)]:
        with torch.no_grad():
            step = 1e-3
            weight[index] += step
            above = penalty_value(penalty)
            weight[index] -= 2 * step
            below = penalty_value(penalty)
            weight[index] += step
        assert gradient[index].item() == pytest.approx((above - below) / (2 * step), rel=2e-2, abs=1e-4)


def penalty_value(penalty):
    with torch.enable_grad():
        return penalty().item()


def test_a_critic_without_slope_has_a_finite_gradient():
    weight = torch.zeros(4, requires_grad=True)
    loss = penalties.gradient_penalty(lambda x: x @ weight, torch.randn(3, 4), torch.randn(3, 4))
    (gradient,) = torch.autograd.grad(loss, weight)
    assert gradient.isfinite().all()


def test_r1_passes_no_gradient_to_the_generator_and_the_logits_do():
    weight = torch.ones(4, requires_grad=True)
    fake = torch.randn(3, 4) * weight
    logits, _ = penalties.with_gradient_norm(critic(features=4), fake)
    (gradient,) = torch.autograd.grad(logits.sum(), weight)
    assert gradient.abs().sum() > 0
    penalty = penalties.r2(lambda x: (x * x).sum(1), fake)
    assert torch.autograd.grad(penalty, weight, allow_unused=True) == (None,)


def test_under_bfloat16_penalties_are_float32_and_near():
    x = torch.randn(16, 6)
    network = critic()
    plain = penalties.r1(network, x)
    with torch.autocast("cpu", torch.bfloat16):
        low = penalties.r1(network, x)
    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(plain.item(), rel=0.03)


def test_large_images_do_not_overflow_under_bfloat16():
    x = torch.randn(2, 3, 64, 64)
    weight = torch.full((3, 64, 64), 300.0)
    with torch.autocast("cpu", torch.bfloat16):
        value = penalties.r1(lambda x: (x * weight).sum((1, 2, 3)), x)
    assert value.item() == pytest.approx(300.0**2 * 3 * 64 * 64 / 2, rel=1e-3)
