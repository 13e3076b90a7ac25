"""SequenceGAN: stages, the gate, resampling and what is asked of it."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def trainer(**options) -> Trainer:
    data = toys.every()["texts"]
    seed_everything(0)
    gan = toys.small("sequencegan", data, likelihood_share=0.4, critic_share=0.2, **options)
    gan.clock.total = 160
    return Trainer(gan, data, Settings(batch=16, samples=160))


def moved(run: Trainer) -> tuple[str, set[str]]:
    """The stage of the next round, and which players it moves."""
    stage = run.gan.stage
    before = {name: [p.detach().clone() for p in player.moving()] for name, player in run.gan.players.items()}
    run.play_round()
    after = run.gan.players
    return stage, {
        name for name, own in before.items() if any(not torch.equal(a, b) for a, b in zip(own, after[name].moving(), strict=True))
    }


def test_stages_follow_each_other():
    run = trainer()
    found = [moved(run) for _ in range(10)]
    assert [stage for stage, _ in found] == ["likelihood"] * 4 + ["critic"] * 2 + ["game"] * 4
    assert found[0][1] == {"generator"} and found[-1][1] == {"generator", "critic", "judge"}
    assert {"critic", "judge"} <= found[5][1]


def test_without_the_game_the_critics_go_on():
    run = trainer(adversarial=False)
    assert [moved(run)[0] for _ in range(10)][-4:] == ["critic"] * 4


def test_a_game_that_makes_nothing_better_is_taken_back():
    run = trainer(gate_interval=1, adversarial_learning_rate=0.5)
    for _ in range(6):
        run.play_round()
    before = {key: value.clone() for key, value in run.gan.generator.averaged.state_dict().items()}
    for _ in range(4):
        run.play_round()
    assert run.gan.taken_back and run.gan.gauges()["taken_back"] == 1 and run.gan.stage == "critic"
    for network in (run.gan.model, run.gan.generator.averaged):
        assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_that_it_was_taken_back_is_part_of_its_state():
    first, second = trainer(), trainer()
    first.gan.taken_back = True
    second.gan.load_state_dict(first.gan.state_dict())
    assert second.gan.taken_back


def test_what_is_asked_of_it_is_granted_or_a_sentence():
    gan = trainer().gan.eval()
    asked = {key: gan.condition_of(key, value, 40) for key, value in (("critic", "3"), ("temperature", "0.5"), ("top_p", "0.9"))}
    made = gan.generate(40, asked, rng=torch.Generator().manual_seed(0))
    assert made.keys() == {"text"} and made["text"].shape == (40, *gan.spec.shape)
    plain = gan.generate(40, {}, rng=torch.Generator().manual_seed(0))["text"]
    assert not torch.equal(made["text"], plain)
    assert gan.condition_of("class", "a", 1) is None
    for key, value in (("critic", "2.5"), ("critic", "0"), ("temperature", "hot"), ("top_p", "7")):
        with pytest.raises(UserError, match=f"{key} must be a number between"):
            gan.condition_of(key, value, 1)
    with pytest.raises(UserError, match="add up to 1"):
        trainer(critic_width=8).gan.__class__(gan.Config(likelihood_share=0.9, critic_share=0.3), gan.spec)


def test_a_prefix_is_what_examples_begin_with():
    gan, prefix = trainer().gan.eval(), torch.full((9, trainer().gan.spec.shape[0]), -1)
    prefix[:, :3] = torch.tensor([4, 5, 6])
    made = gan.generate(9, {"prefix": prefix}, rng=torch.Generator().manual_seed(0))
    assert (made["text"][:, :3] == prefix[:, :3]).all() and "prefix" not in made
