"""Gradient penalties of a critic that sees augmented images."""

import pytest

from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys

AUGMENTED = {
    "r3gan": {"against_overfitting": "diffaugment", "gamma": 1e4, "gamma_end": 1e4},
    "stylegan2": {"augment": "diffaugment", "gamma": 1e4, "penalty_interval": 1},
    "transgan": {"augment": "diffaugment", "gamma": 1e4, "penalty_interval": 1},
}


@pytest.mark.parametrize("name", AUGMENTED)
def test_every_form_of_the_penalty_sees_the_same_augmentation(name):
    """Forms that call the critic twice would otherwise take its slopes at images that were moved and coloured anew."""
    norms = []
    for compiler in (None, lambda function: function):
        seed_everything(0)
        data = toys.images(side=16, channels=3)
        trainer = Trainer(toys.small(name, data, **AUGMENTED[name]), data, Settings(batch=16, samples=10_000))
        trainer.compiler = compiler  # with one, penalties are taken in forward mode
        for _ in range(2):
            trainer.play_round(measure=True)
        norms.append(trainer.term_means.read()["critic|gradient_norm"])
    assert norms[0] == pytest.approx(norms[1], rel=1e-3)
