"""The projected critic: a frozen network, fixed mixing, and what is said where there is none."""

import warnings
from pathlib import Path

import pytest
import torch

from gansmith.data.programs import trusting
from gansmith.errors import UserError
from gansmith.gans.projected import Config, Projected
from gansmith.layers.frozen import FrozenFeatures
from gansmith.training.trainer import Settings, Trainer
from tests import toys

HERE = Path(__file__).parent.parent / "feature_maps.py"


def test_network_and_mixing_never_move_and_gradients_reach_the_image():
    gan = toys.small("projected", toys.images()).train()
    critic = gan.critic.network
    assert not critic.features.network.training
    fixed = {*critic.features.parameters(), *critic.projection.parameters()}
    assert fixed and not fixed & set(gan.critic.moving())
    image = torch.randn(2, 1, 8, 8, requires_grad=True)
    gan.critic(image).sum().backward()
    assert image.grad is not None and float(image.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in fixed)


def test_without_its_network_a_model_generates_and_training_says_what_is_missing():
    data = toys.images()
    for features, sentence in (("", "none was given"), ("nonsense", "it is 'nonsense'"), ("nowhere.py:maps", "no such file")):
        gan = Projected(Config(features=features, width=8, widest=16, noise=8), data.codec.spec).eval()
        assert gan.generate(2, {}, rng=torch.Generator())["image"].shape == (2, 1, 8, 8)
        with pytest.raises(UserError, match=sentence):
            next(gan.play(lambda: data.batch(slice(0, 4))))


def test_a_network_that_answers_with_vectors_is_refused():
    with pytest.raises(UserError, match=r"maps \[B, C, h, w\], but \[2, 64\] came"):
        FrozenFeatures(f"{HERE}:vector")(torch.zeros(2, 1, 8, 8))


def test_the_weights_of_the_network_are_restored_with_the_training():
    torch.manual_seed(0)
    one = toys.small("projected", toys.images())
    torch.manual_seed(1)
    other = toys.small("projected", toys.images())
    image = torch.randn(2, 1, 8, 8)
    other.load_state_dict(one.state_dict())
    with torch.no_grad():
        for before, after in zip(one.critic.network.features(image), other.critic.network.features(image), strict=True):
            assert torch.equal(before, after)


def test_a_network_in_a_file_of_torchscript_plays_too(tmp_path):
    own = FrozenFeatures(f"{HERE}:maps").network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself
        torch.jit.script(own).save(tmp_path / "maps.pt")
    data = toys.images(channels=3)
    with trusting(True):
        gan = toys.small("projected", data, features=str(tmp_path / "maps.pt"))
    features = gan.critic.network.features
    assert not any(weight.requires_grad for weight in features.parameters())
    image = torch.randn(2, 3, 8, 8, requires_grad=True)
    for expected, found in zip(own(image), features(image), strict=True):
        torch.testing.assert_close(found, expected)
    trainer = Trainer(gan, data, Settings(batch=16, samples=10_000))
    for _ in range(2):
        trainer.play_round()
    trainer.load_state(*trainer.state())
    gan.critic(image).sum().backward()
    assert image.grad is not None and float(image.grad.abs().sum()) > 0
