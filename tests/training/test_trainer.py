"""The trainer: whose gradients, lockstep accumulation, roll-back, budgets and signals."""

import copy
import os
import re
import signal

import pytest
import torch

from gansmith.adversarial import minimax_critic, non_saturating_generator
from gansmith.data.dataset import Order
from gansmith.data.schema import MismatchError
from gansmith.errors import UserError
from gansmith.game import GAN, Player
from gansmith.training.clock import Clock
from gansmith.training.seeds import normal_rows, seed_everything
from gansmith.training.trainer import Interrupted, Settings, Trainer
from tests import toys


class Listener:
    """A guest that remembers."""

    def __init__(self):
        self.records, self.states, self.said = [], [], []

    def tick(self, trainer, record):
        self.records.append(record)

    def progress(self, trainer): ...

    def save(self, tensors, facts):
        self.states.append(({key: value.clone() for key, value in tensors.items()}, facts))

    def last_good(self):
        return self.states[-1] if self.states else None

    def enough(self):
        return False

    def say(self, sentence):
        self.said.append(sentence)


def trainer_for(name="gan", data=None, guest=None, options=None, **settings):
    data = data or toys.points()
    seed_everything(0)
    return Trainer(toys.small(name, data, **(options or {})), data, Settings(**{"batch": 32, "samples": 3200, **settings}), guest)


def weights(trainer):
    return torch.cat([parameter.detach().flatten() for parameter in trainer.gan.parameters()])


@pytest.mark.parametrize("name", ["gan", "wgan", "r3gan"])
@pytest.mark.parametrize("parts", [2, 4])
def test_accumulated_games_in_lockstep_equal_the_whole_batch(name, parts):
    found = []
    for accumulate in (1, parts):
        trainer = trainer_for(name, accumulate=accumulate, batch=64)
        for player in trainer.gan.players.values():  # plain descent: Adam would magnify rounding errors where gradients are tiny
            player.optimizer = torch.optim.SGD(player.moving(), lr=0.01)
        for _ in range(3):
            trainer.play_round()
        found.append(weights(trainer))
        assert trainer.gan.clock.rounds == 3
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_a_move_gives_gradients_to_its_player_alone():
    trainer = trainer_for()
    game = trainer.gan.play(trainer.draw)
    (move,) = trainer.next_moves(game)
    sum(move.terms.values()).backward(inputs=move.player.moving())
    assert all(p.grad is not None for p in trainer.gan.players["critic"].moving())
    assert all(p.grad is None for p in trainer.gan.players["generator"].moving())


class Simultaneous(GAN):
    """Two numbers, each attracted by the other: x' = x - lr (x - y), y' = y - lr (y - x)."""

    Config = dict

    def __init__(self):
        super().__init__({}, toys.points().codec.spec)

        def sgd(parameters):
            return torch.optim.SGD(parameters, lr=0.1)

        self.a = Player(torch.nn.Linear(1, 1, bias=False), learning_rate=0.1, optimizer=sgd)
        self.b = Player(torch.nn.Linear(1, 1, bias=False), learning_rate=0.1, optimizer=sgd)
        torch.nn.init.constant_(self.a.network.weight, 3.0)
        torch.nn.init.constant_(self.b.network.weight, 1.0)

    def play(self, draw):
        draw()
        x, y = self.a.network.weight, self.b.network.weight
        distance = (x - y).square().sum() / 2
        yield self.a.minimizes(distance=distance), self.b.minimizes(distance=distance)


def test_simultaneous_moves_take_their_gradients_before_any_player_steps():
    data = toys.points()
    trainer = Trainer(Simultaneous(), data, Settings(batch=4, samples=8))
    trainer.play_round()
    assert trainer.gan.a.network.weight.item() == pytest.approx(3 - 0.1 * 2)
    assert trainer.gan.b.network.weight.item() == pytest.approx(1 + 0.1 * 2)


def test_the_loop_equals_a_hand_written_one():
    data = toys.points()
    trainer = trainer_for(data=data, batch=16)
    seed_everything(0)
    gan = toys.small("gan", data)
    generator, critic = gan.generator.network, gan.critic.network
    optimizers = [torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True) for n in (generator, critic)]
    order = Order(len(data), 0)
    torch.manual_seed(7)
    for _ in range(5):
        real = data.batch(order.take(16))["point"]
        fake = generator(normal_rows(16, 16))
        for optimizer, loss in (
            (optimizers[1], lambda: minimax_critic(critic(real), critic(fake.detach()))),  # noqa: B023
            (optimizers[0], lambda: non_saturating_generator(critic(fake))),  # noqa: B023
        ):
            for each in optimizers:
                each.zero_grad()
            loss().backward()
            optimizer.step()
    torch.manual_seed(7)
    for _ in range(5):
        trainer.play_round()
    for mine, theirs in zip(trainer.gan.generator.network.parameters(), generator.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_training_ends_at_the_budget_and_ticks_on_the_way():
    guest = Listener()
    trainer = trainer_for(guest=guest, samples=3200)
    trainer.train()
    assert trainer.gan.clock.samples == 3200
    assert len(guest.records) >= 50 and guest.records[-1]["samples"] == 3200
    assert set(guest.records[0]["terms"]) == {"critic/minimax", "generator/non_saturating"}
    assert set(guest.records[0]["gradient_norms"]) == {"critic", "generator"}
    assert guest.states[0][1]["clock"]["samples"] == 0 and guest.states[-1][1]["clock"]["samples"] == 3200


@pytest.mark.parametrize(
    ("total", "samples"), [(59, 1), (6000, 100), (3_000_000, 50_000), (10**8, 50_000), (10**9, 500_000), (10**12, 5 * 10**8)]
)
def test_a_budget_has_at_least_60_ticks_and_however_long_it_is_not_many_more_than_2000(total, samples):
    trainer = trainer_for(samples=total)
    trainer.gan.clock.total = total
    assert trainer.tick_samples() == samples
    assert min(total, 60) <= trainer.tick_number(total) <= 2000


def test_minutes_become_samples_once_and_end_near_the_minute():
    guest = Listener()
    trainer = trainer_for(guest=guest, samples=None, minutes=0.03)
    trainer.train()
    assert trainer.gan.clock.total == trainer.gan.clock.samples
    assert 0.5 < trainer.seconds() < 4
    assert guest.states[-1][1]["clock"]["total"] == trainer.gan.clock.total


def test_minutes_that_are_over_at_once_train_one_round_and_say_how_long_it_takes():
    guest = Listener()
    trainer = trainer_for(guest=guest, samples=None, minutes=1e-9)
    trainer.train()
    assert trainer.gan.clock.rounds == 1 and trainer.gan.clock.samples == 32
    assert len(guest.said) == 1
    assert re.fullmatch(
        r"Almost nothing was learned: one round was trained, and a round takes about [\d.e-]+ minutes. A first result takes "
        r"hundreds of rounds: give --minutes 1 or more.",
        guest.said[0],
    )


def test_a_diverged_game_goes_back_and_halves_the_learning_rates_then_gives_up():
    guest = Listener()
    trainer = trainer_for(guest=guest)
    poisoned = {"from": 1600}
    play = trainer.gan.play

    def poisoned_play(draw):
        for move in play(draw):
            if trainer.gan.clock.samples >= poisoned["from"]:
                move.terms["poison"] = sum(p.sum() for p in move.player.moving()) * float("nan")
            yield move

    trainer.gan.play = poisoned_play
    with pytest.raises(UserError, match="diverged.*after 3 returns.*lower learning rate"):
        trainer.train()
    assert len(guest.said) == 3 and "back to the last good state" in guest.said[0]
    assert trainer.gan.players["critic"].learning_rate_scale == pytest.approx(0.125)
    assert all(
        torch.isfinite(tensor).all() for state in guest.states for tensor in state[0].values() if tensor.is_floating_point()
    )


def test_a_passing_nan_is_survived():
    guest = Listener()
    trainer = trainer_for(guest=guest)
    play, poison = trainer.gan.play, [True]

    def poisoned_play(draw):
        for move in play(draw):
            if trainer.gan.clock.samples >= 1600 and poison:
                poison.pop()
                move.terms["poison"] = sum(p.sum() for p in move.player.moving()) * float("nan")
            yield move

    trainer.gan.play = poisoned_play
    trainer.train()
    assert trainer.gan.clock.samples == 3200 and weights(trainer).isfinite().all()
    assert trainer.gan.players["generator"].learning_rate_scale == 0.5


def test_sigterm_saves_and_stops_and_the_rest_of_the_training_is_exact():
    guest = Listener()
    trainer = trainer_for(guest=guest)
    guest.progress = lambda t: os.kill(os.getpid(), signal.SIGTERM) if t.gan.clock.samples == 1056 else None
    with pytest.raises(Interrupted):
        trainer.train()
    stopped = guest.states[-1]
    assert stopped[1]["clock"]["samples"] == 1056

    resumed = trainer_for(guest=Listener())
    resumed.load_state(*stopped)
    resumed.train()
    whole = trainer_for(guest=Listener())
    whole.train()
    assert torch.equal(weights(resumed), weights(whole))
    after = [record["terms"] for record in whole.guest.records if record["samples"] > 1056]
    assert [record["terms"] for record in resumed.guest.records] == after


def test_a_stop_that_is_asked_for_while_the_first_state_is_saved_is_followed():
    guest = Listener()
    save = guest.save
    guest.save = lambda tensors, facts: (save(tensors, facts), os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        trainer_for(guest=guest).train()
    assert guest.states[-1][1]["clock"]["samples"] == 0


def test_the_last_state_is_saved_once(monkeypatch):
    monkeypatch.setattr(Trainer, "checkpoint_due", lambda self: True)
    guest = Listener()
    trainer_for(guest=guest).train()
    saved = [facts["clock"]["samples"] for _, facts in guest.states]
    assert saved == list(range(0, 3201, 32))


def test_a_guest_that_has_enough_ends_the_training_which_is_saved():
    guest = Listener()
    guest.enough = lambda: len(guest.records) == 10
    trainer = trainer_for(guest=guest)
    trainer.train()
    assert trainer.gan.clock.samples == guest.records[-1]["samples"] < 3200
    assert guest.states[-1][1]["clock"]["samples"] == trainer.gan.clock.samples
    resumed = trainer_for(guest=guest)
    resumed.load_state(*guest.states[-1])
    resumed.train()
    assert resumed.gan.clock.samples == trainer.gan.clock.samples


def test_minutes_are_left_to_the_guest():
    trainer = trainer_for(samples=None, minutes=10)
    trainer.aside = 0.2
    assert trainer._minutes_left() == pytest.approx(8)


def test_a_batch_that_does_not_divide_is_refused_in_a_sentence():
    with pytest.raises(UserError, match="multiple of 3"):
        trainer_for(accumulate=3, batch=32)


def test_lazy_terms_are_due_every_so_many_rounds():
    clock = Clock()
    due = []
    for _ in range(33):
        due.append(clock.every(16))
        clock.advance(1)
    assert [i for i, d in enumerate(due) if d] == [0, 16, 32]


@pytest.mark.parametrize(
    ("key", "change", "says"),
    [
        ("optimizer/critic/0/exp_avg_sq", lambda tensor: tensor.new_zeros(0), "has the shape"),
        ("optimizer/critic/0/exp_avg", lambda tensor: torch.zeros(*tensor.shape, 2), "has the shape"),
        ("optimizer/critic/0/exp_avg", lambda tensor: torch.zeros(()), "has the shape"),
        ("optimizer/critic/0/exp_avg", lambda tensor: tensor * float("nan"), "finite numbers"),
        ("optimizer/critic/99/exp_avg", lambda tensor: torch.zeros(3), "belongs to no parameter"),
    ],
)
def test_states_of_optimisers_that_do_not_fit_are_never_used(key, change, says):
    guest = Listener()
    trainer_for(guest=guest).train()
    tensors, facts = guest.states[-1]
    with pytest.raises(MismatchError, match=says):
        trainer_for().load_state({**tensors, key: change(tensors.get(key, torch.zeros(3)))}, facts)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("clock", "samples"), "x", "clock.samples should be a whole number"),
        (("clock", "samples"), -1, "clock.samples should be from 0"),
        (("position",), -1, "position should be from 0"),
        (("position",), [], "position should be a whole number"),
        (("learning_rate_scales", "critic"), float("inf"), "learning_rate_scales.critic should be a finite number"),
        (("learning_rate_scales", "critic"), 0.0, "above 0 and at most 1"),
        (("roll_backs",), [0], "roll_backs should be a list of 2"),
        (("clock",), None, "clock should be an object"),
    ],
)
def test_facts_of_a_checkpoint_that_are_none_are_never_used(place, value, says):
    guest = Listener()
    trainer_for(guest=guest).train()
    tensors, facts = guest.states[-1]
    facts = copy.deepcopy(facts)
    inner = facts
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    with pytest.raises(MismatchError, match=re.escape(says)):
        trainer_for().load_state(tensors, facts)


def test_weights_of_a_checkpoint_are_finite_and_of_their_type():
    guest = Listener()
    trainer_for(guest=guest).train()
    tensors, facts = guest.states[-1]
    name = next(name for name in tensors if name.startswith("gan/"))
    for change, says in ((tensors[name] * float("nan"), "not finite"), (tensors[name].double(), "is expected")):
        with pytest.raises(MismatchError, match=says):
            trainer_for().load_state({**tensors, name: change}, facts)
