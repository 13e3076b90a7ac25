"""The accountant against closed forms, numerical integrals and published values; private gradients against a naive loop."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn
from torch.nn.functional import softplus

from gansmith.data.dataset import Order
from gansmith.errors import UserError
from gansmith.gans.dpgan import DPGAN, Config, donated
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.rows import RowLayout
from gansmith.model import Model
from gansmith.training.privacy import CHUNK, ORDERS, as_term, clipped_sum, divergences, epsilon_of, noise_for
from gansmith.training.trainer import Settings, Trainer
from tests import toys

LIMIT = 1.5


def test_without_sampling_the_divergence_is_that_of_two_normal_distributions():
    expected = np.array(ORDERS) / (2 * 3.0**2)
    assert divergences(1 - 1e-15, 3.0) == pytest.approx(expected, rel=1e-9)
    assert not divergences(0.0, 1.0).any()


@pytest.mark.parametrize(("order", "rate", "noise"), [(2, 0.01, 1.0), (8, 0.1, 2.0), (32, 0.02, 4.0)])
def test_the_divergence_equals_the_integral_that_defines_it(order: int, rate: float, noise: float):
    def moment(z: float) -> float:
        with_one = math.log(1 - rate), math.log(rate) + (2 * z - 1) / (2 * noise**2)
        return math.exp(norm.logpdf(z, 0, noise) + order * float(np.logaddexp(*with_one)))

    integral = quad(moment, -20 * noise, order + 20 * noise, epsabs=1e-12, limit=500, points=[0, 1, order])[0]
    assert float(divergences(rate, noise)[ORDERS.index(order)]) == pytest.approx(math.log(integral) / (order - 1), rel=1e-6)


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "delta", "expected"),
    [
        (256 / 60_000, 1.1, 14_063, 1e-5, 2.597079519657),
        (0.01, 4.0, 10_000, 1e-5, 1.035490066036),
        (0.05, 0.8, 500, 1e-6, 15.833667081032),
        (1.0 - 1e-16, 20.0, 100, 1e-5, 2.168010636784),
    ],
)
def test_epsilon_equals_that_of_opacus(rate: float, noise: float, steps: int, delta: float, expected: float):
    """The expected values are those of Opacus 1.6.0 (`accountants.analysis.rdp`) at the same orders."""
    assert epsilon_of(steps * divergences(rate, noise), delta) == pytest.approx(expected, rel=1e-9)


def test_the_bound_is_not_above_the_published_one_of_the_moments_accountant():
    assert epsilon_of(10_000 * divergences(0.01, 4.0), 1e-5) < 1.26  # Abadi et al. 2016, section 3.2


def test_the_noise_found_spends_the_budget_and_no_more():
    noise = noise_for(3.0, 1e-5, 0.02, 1000)
    assert 2.98 < epsilon_of(1000 * divergences(0.02, noise), 1e-5) <= 3.0
    half = noise_for(3.0, 1e-5, 0.02, 500, 500 * divergences(0.02, noise))
    assert half == pytest.approx(noise, rel=2e-2)
    with pytest.raises(UserError, match="is spent"):
        noise_for(1.0, 1e-5, 0.02, 500, 1000 * divergences(0.02, noise))


def test_clipped_gradients_equal_a_loop_over_examples():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.GroupNorm(2, 8), nn.Tanh(), nn.Linear(8, 1))
    rows = 3 * torch.randn(CHUNK + 6, 5)
    total, losses = clipped_sum(network, lambda critic, row: softplus(critic(row)).sum(), (rows,), LIMIT)
    expected = [torch.zeros_like(parameter) for parameter in network.parameters()]
    shortened = 0
    for row in rows:
        gradients = torch.autograd.grad(softplus(network(row[None])).sum(), list(network.parameters()))
        length = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        shortened += int(length > LIMIT)
        for sum_, gradient in zip(expected, gradients, strict=True):
            sum_ += gradient * min(1.0, LIMIT / float(length))
    assert 0 < shortened < len(rows) and len(losses) == len(rows)
    assert all(torch.allclose(mine, theirs, atol=1e-5) for mine, theirs in zip(total.values(), expected, strict=True))
    nothing, _ = clipped_sum(network, lambda critic, row: critic(row).sum(), (rows[:0],), 0.4)
    assert all(each.eq(0).all() for each in nothing.values())


def test_a_term_carries_gradients_and_its_value():
    network = nn.Linear(3, 2)
    requested = {name: torch.randn_like(parameter) for name, parameter in network.named_parameters()}
    term = as_term(network, requested, torch.tensor(0.7))
    term.backward()
    assert float(term.detach()) == pytest.approx(0.7, abs=1e-6)
    assert all(torch.allclose(parameter.grad, requested[name]) for name, parameter in network.named_parameters())


def test_poisson_sampling_takes_every_row_equally_often_and_varies_in_size():
    order = Order(50, 3, poisson=True)
    drawn = [order.take(10) for _ in range(2000)]
    sizes = np.array([len(rows) for rows in drawn])
    assert sizes.mean() == pytest.approx(10, abs=0.3) and sizes.var() == pytest.approx(50 * 0.2 * 0.8, rel=0.15)
    often = np.bincount(np.concatenate(drawn), minlength=50)
    assert np.abs(often / 2000 - 0.2).max() < 0.04
    again = Order(50, 3, poisson=True)
    again.position = 70
    assert (again.take(10) == drawn[7]).all()


def played(**options: object) -> DPGAN:
    torch.manual_seed(0)
    data = toys.rows(400)
    gan = toys.small("dpgan", data, **options)
    assert isinstance(gan, DPGAN)
    Trainer(gan, data, Settings(batch=40, samples=40 * gan.config.critic_moves * 6)).train()
    return gan


def test_the_whole_training_spends_what_was_planned():
    gan = played(epsilon=2.0)
    facts = gan.facts()
    assert 1.7 < facts["epsilon"] <= 2.0 and facts["delta"] == Config().delta
    assert int(gan.seen) == 40 * gan.config.critic_moves * 6


def test_going_back_after_a_divergence_takes_back_no_privacy():
    torch.manual_seed(0)
    data = toys.rows(400)
    gan = toys.small("dpgan", data, epsilon=2.0)
    trainer = Trainer(gan, data, Settings(batch=40, samples=40 * gan.config.critic_moves * 6))
    trainer.gan.clock.total = trainer.settings.samples
    trainer.play_round()
    tensors, facts = trainer.state()
    good = {name: tensor.clone() for name, tensor in tensors.items()}, json.loads(json.dumps(facts))
    trainer.play_round()
    spent = gan.spent.clone()
    trainer.guest = SimpleNamespace(last_good=lambda: good, say=lambda _: None)
    trainer.roll_back(["critic|norm"])
    assert gan.clock.rounds == 1 and torch.equal(gan.spent, spent)
    while gan.clock.samples < gan.clock.total:
        trainer.play_round()
    assert 1.7 < gan.facts()["epsilon"] <= 2.0


def test_the_card_of_the_saved_model_tells_epsilon(tmp_path):
    gan = played(epsilon=2.0)
    data = toys.rows(400)
    Model(gan, data.codec, {"gan": "dpgan", **gan.facts()}).save(tmp_path)
    loaded = Model.load(tmp_path)
    assert loaded.card["epsilon"] == gan.facts()["epsilon"] and "privacy" in loaded.card
    made = loaded.generate(200, size="small")
    assert {row["size"] for row in made} == {"small"}


def test_completed_rows_follow_the_given_cells_as_far_as_generated_rows_do():
    """A choice of two and a number that is 2 or -2 with it: given one, the other one comes along."""
    spec = TableSpec(shape=(3,), columns=((2,), (1,)))
    first = torch.arange(400) % 2 == 0
    donors = torch.stack([first.float(), (~first).float(), torch.where(first, 2.0, -2.0)], 1)
    wanted = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]).repeat(200, 1)
    rng = torch.Generator().manual_seed(0)
    by_choice = donated(wanted, torch.tensor([[True, False]]).expand(400, 2), donors, RowLayout(spec), rng)
    assert (by_choice[:, :2] == wanted[:, :2]).all() and (
        by_choice[:, 2] == torch.tensor([2.0, -2.0]).repeat(200)
    ).float().mean() > 0.95
    by_number = donated(donors, torch.tensor([[False, True]]).expand(400, 2), donors, RowLayout(spec), rng)
    assert (by_number == donors).all()


def test_the_private_frequencies_are_unbiased():
    """With a huge epsilon hardly any noise is left, and the counted frequencies are those of the rows."""
    gan = played(epsilon=1e6, frequencies=0.9)
    data = toys.rows(400)
    features = gan.features(data.batch(slice(None))["row"])
    expected = features.T @ features / len(data)
    assert (gan.wanted() - expected).abs().max() < 0.12


def test_batches_larger_than_the_data_and_accumulation_are_refused():
    data = toys.rows(100)
    with pytest.raises(UserError, match="at random, in one process"):
        Trainer(toys.small("dpgan", data), data, Settings(batch=200, samples=400))
    with pytest.raises(UserError, match="at random, in one process"):
        Trainer(toys.small("dpgan", data), data, Settings(batch=40, accumulate=2, samples=400))
    with pytest.raises(UserError, match="share from 0"):
        toys.small("dpgan", data, frequencies=1.0)
