"""Options of SNGAN, SAGAN and DCGAN: each adds its term under its name, and the state it needs is state."""

import pytest
import torch

from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def terms_of(name="sngan", **options):
    seed_everything(0)
    data = toys.images(classes=3)
    trainer = Trainer(toys.small(name, data, **options), data, Settings(batch=16, samples=10_000))
    trainer.play_round()
    return trainer, trainer.term_means.read()


OPTIONS = {
    "consistency": "critic/consistency",
    "fake_consistency": "critic/fake_consistency",
    "latent_consistency": "critic/latent_consistency",
    "latent_insistence": "generator/latent_insistence",
    "lecam": "critic/lecam",
    "orthogonal": "generator/orthogonal",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_adds_its_term(option):
    _, terms = terms_of(**{option: 0.5})
    assert set(terms) == {"critic/hinge", "generator/hinge", OPTIONS[option]}
    assert terms[OPTIONS[option]] != 0


def test_without_options_there_is_the_hinge_alone():
    trainer, terms = terms_of()
    assert set(terms) == {"critic/hinge", "generator/hinge"}
    assert not any("lecam" in key for key in trainer.gan.state_dict())


def test_lecams_averages_are_part_of_the_state_and_move():
    trainer, _ = terms_of(lecam=0.1)
    assert trainer.gan.state_dict()["lecam.real_average"] != 0


def test_with_top_k_the_generator_learns_from_its_best_examples():
    trainer, _ = terms_of(top_k=0.25)
    trainer.gan.clock.total = 10_000
    assert 0.25 < trainer.gan.kept(trainer.gan.clock) < 1
    trainer.gan.clock.samples = 10_000
    assert trainer.gan.kept(trainer.gan.clock) == pytest.approx(0.25)


def test_every_layer_of_the_critic_is_normalised_and_none_of_sngans_generator():
    for name, expected in (("sngan", False), ("sagan", True)):
        trainer, _ = terms_of(name)
        for player, normalised in (("critic", True), ("generator", expected)):
            layers = [
                m for m in trainer.gan.players[player].network.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))
            ]
            assert all(torch.nn.utils.parametrize.is_parametrized(layer) == normalised for layer in layers)


@pytest.mark.parametrize("option", [{"label_smoothing": 0.1}, {"instance_noise": 0.5}, {"neighbour_kernels": 4}])
def test_dcgans_options_change_the_game(option):
    _, plain = terms_of("dcgan")
    _, changed = terms_of("dcgan", **option)
    assert plain["critic/non_saturating"] != pytest.approx(changed["critic/non_saturating"], abs=1e-6)
