"""Unrolled GAN: what it foresees is gradient descent, and its gradient goes through the critic's answers."""

import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import softplus

from gansmith.adversarial import non_saturating_critic
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def played(rounds, **options):
    seed_everything(0)
    data = toys.images()
    trainer = Trainer(toys.small("unrolled", data, **options), data, Settings(batch=16, samples=10_000))
    for _ in range(rounds):
        trainer.play_round()
    return trainer.gan, data.batch(slice(0, 16))["image"]


def test_three_foreseen_steps_are_three_steps_of_gradient_descent():
    gan, real = played(1, steps=3, foresight=0.05)
    fake = gan.generator(torch.randn(16, 16)).detach()
    future = gan.unrolled_weights(real, fake, None)
    descent = torch.optim.SGD(gan.critic.parameters(), lr=0.05)
    for _ in range(3):
        descent.zero_grad()
        non_saturating_critic(gan.critic(real), gan.critic(fake)).backward()
        descent.step()
    for name, parameter in gan.critic.network.named_parameters():
        torch.testing.assert_close(future[name], parameter)


def test_nothing_moves_while_the_future_is_foreseen():
    gan, real = played(2)
    before = {name: tensor.clone() for name, tensor in gan.critic.state_dict().items()}
    states = [state["exp_avg"].clone() for state in gan.critic.optimizer.state.values()]
    gan.unrolled_weights(real, gan.generator(torch.randn(16, 16)), None)
    assert all(torch.equal(tensor, before[name]) for name, tensor in gan.critic.state_dict().items())
    assert all(torch.equal(a, b["exp_avg"]) for a, b in zip(states, gan.critic.optimizer.state.values(), strict=True))


def test_the_generator_gains_nothing_by_lifting_all_logits_of_the_future():
    """Real examples count against it: a bias of the critic's last layer, the same for both sides, has its best value at the critic's."""
    gan, real = played(1, steps=0)
    move = next(gan.play(lambda: {"image": real}))
    move.terms["non_saturating"].backward()
    lifted = gan.critic.network.last.bias.grad.item()
    with torch.no_grad():
        rises = gan.critic(real).sigmoid().mean()
        falls = gan.critic(gan.generator(torch.randn(16, 16))).neg().sigmoid().mean()
    assert lifted == pytest.approx(float(rises - falls), abs=0.02)
    assert abs(lifted) < 0.25  # of the fakes' loss alone it would be about -1/2


def test_the_gradient_equals_finite_differences_through_the_unrolled_steps(monkeypatch):
    def exact(real, fake):  # the losses work in float32, whose rounding would drown small differences
        return (softplus(-real) + softplus(fake)).mean()

    monkeypatch.setattr("gansmith.gans.unrolled.non_saturating_critic", exact)
    gan, real = played(2, steps=2, foresight=0.5)  # far enough for the answers to matter
    gan, real = gan.double(), real.double()
    fake = gan.generator(torch.randn(16, 16, dtype=torch.float64)).detach().double()
    direction = torch.randn_like(fake)

    def loss(shift):
        moved = fake + shift * direction
        weights = gan.unrolled_weights(real, moved, None)
        return softplus(-functional_call(gan.critic.network, weights, (moved, None))).mean()

    shift = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(shift), shift)
    assert slope.item() == pytest.approx((loss(1e-7) - loss(-1e-7)).item() / 2e-7, rel=1e-4)
