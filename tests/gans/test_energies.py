"""BEGAN's controller and EBGAN's terms against their equations."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.ebgan import pulling_away
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def trained(name, rounds, **options):
    seed_everything(0)
    data = toys.images()
    trainer = Trainer(toys.small(name, data, **options), data, Settings(batch=16, samples=10_000))
    terms = []
    for _ in range(rounds):
        trainer.play_round()
        terms.append(trainer.term_means.read())
        trainer.term_means.clear()
    return trainer, terms


def test_the_balance_follows_the_papers_controller():
    trainer, terms = trained("began", 5, diversity=0.9, gain=0.3)
    balance = 0.0
    for line in terms:
        assert line["critic/fake_error"] <= 0 and (balance > 0) == (line["critic/fake_error"] < 0)
        balance = min(1, max(0, balance + 0.3 * (0.9 * line["critic/real_error"] - line["generator/error"])))
    assert balance > 0 and trainer.gan.balance.item() == pytest.approx(balance, rel=1e-3)


def test_energies_above_the_margin_are_left_alone():
    _, terms = trained("ebgan", 1, margin=1e-6)
    assert terms[0]["critic/missing_energy"] == 0
    _, terms = trained("ebgan", 1, margin=100.0)
    assert 90 < terms[0]["critic/missing_energy"] < 100


def test_pulling_away_is_the_mean_squared_cosine_of_different_codes():
    torch.manual_seed(0)
    codes = torch.randn(5, 7)
    cosine = torch.nn.functional.cosine_similarity
    pairs = [cosine(codes[i], codes[j], dim=0).item() ** 2 for i in range(5) for j in range(5) if i != j]
    assert pulling_away(codes).item() == pytest.approx(sum(pairs) / 20, rel=1e-5)
    assert pulling_away(torch.eye(4)).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["began", "ebgan"])
def test_scores_fall_with_the_error_of_the_reconstruction(name):
    trainer, _ = trained(name, 60)
    real = trainer.data.batch(slice(0, 32))["image"]
    scores = trainer.gan.scores({"image": torch.cat([real, torch.randn_like(real)])}).detach()
    assert scores.shape == (64,) and scores[:32].mean() > scores[32:].mean()


@pytest.mark.parametrize("name", ["began", "ebgan"])
def test_plain_players_redraw_images_of_any_size_and_see_single_pixels(name):
    gan = toys.small(name, toys.images(side=12, classes=2), network="plain")
    images = torch.rand(3, 1, 12, 12)
    label = torch.tensor([0, 1, 1])
    code, again = gan.critic.network(images, label)
    assert code.shape == (3, 16) and again.shape == images.shape
    assert gan.generator(torch.randn(3, 16), label).shape == images.shape
    with pytest.raises(UserError, match="see single pixels"):
        toys.small(name, toys.images(), network="plain", patch=2)
