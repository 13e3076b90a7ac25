import pytest

from gansmith.errors import UserError
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.mark.parametrize("name", ["srgan", "esrgan", "real_esrgan"])
def test_the_critic_joins_when_its_share_of_the_budget_has_come(name: str):
    data = toys.pairs(scale=2)
    seed_everything(0)
    trainer = Trainer(toys.small(name, data, faithful=0.5), data, Settings(batch=8, samples=64))
    trainer.gan.clock.total = 64
    moved = []
    for _ in range(8):
        trainer.play_round()
        moved.append(sorted({term.partition("/")[0] for term in trainer.term_means.read()}))
        trainer.term_means.clear()
    assert moved == [["generator"]] * 4 + [["critic", "generator"]] * 4


@pytest.mark.parametrize("name", ["srgan", "esrgan", "real_esrgan"])
def test_a_network_of_the_users_adds_a_perceptual_term_beside_the_critics(name: str):
    data = toys.pairs(scale=2)
    seed_everything(0)
    trainer = Trainer(toys.small(name, data, features=toys.SMALL["projected"]["features"]), data, Settings(batch=8, samples=64))
    trainer.play_round()
    found = trainer.term_means.read()
    assert found["generator/perceptual"] > 0 and len(found) == 4
    assert all(not parameter.requires_grad for parameter in trainer.gan.features.parameters())


def test_a_short_training_is_nearer_than_before(capsys: pytest.CaptureFixture[str]):
    data = toys.pairs(64, side=16, scale=2)
    seed_everything(0)
    gan = toys.small("srgan", data, faithful=1.0, learning_rate=3e-3)
    trainer = Trainer(gan, data, Settings(batch=16, samples=1600))
    gan.clock.total = 1600
    distances = []
    for _ in range(100):
        trainer.play_round()
        distances.append(trainer.term_means.read()["generator/l1"])
        trainer.term_means.clear()
    assert sum(distances[-10:]) < 0.5 * sum(distances[:5]) * 2


@pytest.mark.parametrize(
    ("name", "scale", "sentence"), [("pix2pix", 2, "pix2pix keeps the size"), ("esrgan", 3, "1, 2, 4 or 8 times")]
)
def test_scales_that_a_gan_does_not_make_are_refused(name: str, scale: int, sentence: str):
    side = 12 if scale == 3 else 16
    with pytest.raises(UserError, match=sentence):
        toys.small(name, toys.pairs(side=side, scale=scale))


def test_the_identity_term_needs_as_many_channels_on_both_sides():
    with pytest.raises(UserError, match=r"have 1 and 3: pass --gan.identity 0"):
        toys.small("cyclegan", toys.pairs(given=1))
    assert toys.small("cyclegan", toys.pairs(given=1), identity=0.0).players
