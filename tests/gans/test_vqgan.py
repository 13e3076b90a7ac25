import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.vqgan import VQGAN, Config, halvings_of
from gansmith.kinds.images.spec import ImageSpec
from gansmith.terms.perceptual import feature_distance
from gansmith.training.clock import Clock
from gansmith.training.health import Health
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys
from tests.toys import SMALL


def playing(**options) -> Trainer:
    data = toys.images(96, side=16)
    seed_everything(0)
    trainer = Trainer(toys.small("vqgan", data, **options), data, Settings(batch=16, samples=10_000))
    trainer.gan.clock.total = 10_000
    return trainer


def terms(trainer: Trainer, rounds: int) -> list[dict[str, float]]:
    found = []
    for _ in range(rounds):
        trainer.play_round()
        found.append(trainer.term_means.read())
        trainer.term_means.clear()
    return found


def test_the_tokeniser_learns_to_restore_images_and_the_prior_to_foretell_codes():
    # no critic, so that nothing but the restored image counts
    found = terms(playing(critic_begins=2.0, learning_rate=3e-3), 80)
    assert found[-1]["generator/l1"] < 0.4 * found[0]["generator/l1"]
    assert found[-1]["prior/likelihood"] < 0.8 * max(line["prior/likelihood"] for line in found)
    assert "critic/hinge" not in found[-1]


def test_critic_tokeniser_and_prior_take_their_turns():
    trainer = playing(critic_begins=0.25, tokeniser_share=0.5, prior_begins=0.5)
    trainer.gan.clock.total = 16 * 8
    players = [sorted({name.partition("/")[0] for name in line}) for line in terms(trainer, 8)]
    assert players == [["generator"]] * 2 + [["critic", "generator"]] * 2 + [["prior"]] * 4


def test_the_critics_gradient_on_the_last_layer_is_as_long_as_that_of_the_rest():
    trainer = playing()
    gan = trainer.gan
    assert isinstance(gan, VQGAN)
    image = trainer.draw()["image"]
    made, _ = gan.generator(image)
    faithful, hinge = (made - image).abs().mean(), -gan.critic(made).mean()
    weight = gan.adapted(faithful, hinge)
    last = gan.tokeniser.leave.weight
    norms = [torch.autograd.grad(term, last, retain_graph=True)[0].norm() for term in (faithful, weight * hinge)]
    assert not weight.requires_grad and norms[1].item() == pytest.approx(norms[0].item(), rel=0.05)


def test_generated_images_are_decoded_codes_and_temperature_zero_makes_one():
    gan = playing().gan.eval()
    with torch.no_grad():
        made = gan.generate(3, {}, rng=torch.Generator().manual_seed(0), truncation=0.0)["image"]
        style = gan.style(gan.latent(2, torch.Generator().manual_seed(0)), {})
    torch.testing.assert_close(made, made[:1].expand_as(made))
    assert style.shape == (2, 4 * 4 * 4)
    codes = gan.players["generator"].averaged.codebook.codes
    rows = style.unflatten(1, (4, 16)).mT.reshape(-1, 4)
    assert torch.cdist(rows, codes).amin(1).max() < 1e-3


def test_little_use_of_the_codebook_is_said_by_health_once_it_lasts():
    gan = playing().gan
    assert isinstance(gan, VQGAN)
    gan.clock.samples = gan.clock.total = 100
    object.__setattr__(gan, "config", Config(**{**SMALL["vqgan"], "tokeniser_share": 0.5}))
    gan.tokeniser.codebook.counts[0] = 5
    health = Health()
    assert health.check_own(gan.symptoms()) == []
    (alarm,) = health.check_own(gan.symptoms())
    assert alarm.name == "codebook_collapse" and "Only 6% of the 16 codes" in alarm.sentence
    again = Health()
    again.load_state(health.state())
    assert again.check_own(gan.symptoms()) and again.check_own({}) == [] and again.check_own(gan.symptoms()) == []
    assert gan.gauges() == {"codebook_use": pytest.approx(1 / 16, abs=1e-4)}


def test_the_perceptual_term_takes_a_network_of_the_users():
    trainer = playing(features=SMALL["projected"]["features"])
    (line,) = terms(trainer, 1)
    assert line["generator/perceptual"] > 0
    features = trainer.gan.features
    image = trainer.draw()["image"]
    assert feature_distance(features, image, image).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("sides", "most", "expected"), [((28, 28), 3, 2), ((64, 48), 4, 4), ((20, 8), 4, 2)])
def test_images_are_halved_as_often_as_their_sides_allow(sides: tuple[int, int], most: int, expected: int):
    assert halvings_of(ImageSpec(shape=(3, *sides)), most) == expected


@pytest.mark.parametrize(("sides", "expected"), [((32, 32), 2), ((64, 32), 2), ((28, 28), 1), ((8, 8), 0), ((6, 6), 0)])
def test_small_images_keep_a_least_grid_of_codes(sides: tuple[int, int], expected: int):
    assert halvings_of(ImageSpec(shape=(3, *sides)), 3, least_grid=8) == expected


def test_mistakes_are_answered_in_a_sentence():
    with pytest.raises(UserError, match="63x63 halved 0 times leaves 3969"):
        halvings_of(ImageSpec(shape=(3, 63, 63)), 4)
    with pytest.raises(UserError, match="3 heads do not divide 16"):
        toys.small("vqgan", toys.images(), prior_heads=3)
    assert Clock().progress() == 0
