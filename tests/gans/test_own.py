"""The game between networks that users bring."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import gansmith
from gansmith import gans
from gansmith.cli import main
from gansmith.data.programs import RefusedError
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.networks.brought import BroughtCritic, BroughtGenerator
from tests import own_players, toys

FILE = Path(own_players.__file__)


@pytest.fixture
def digits():
    return np.random.default_rng(0).integers(0, 256, (60, 28, 28), np.uint8)


def spec():
    return open_dataset(np.zeros((30, 28, 28), np.uint8) + np.arange(30, dtype=np.uint8)[:, None, None]).codec.spec


@pytest.mark.parametrize(
    ("network", "noise", "maps", "layout", "sigmoid"),
    [
        (own_players.make_generator((1, 28, 28), 0), 8, False, "first", False),
        (own_players.maps_of_maps(), 6, True, "first", True),
        (own_players.channels_last(), 12, False, "last", False),
        (nn.Linear(10, 784), 10, False, "flat", False),
    ],
    ids=["rows", "maps", "channels last", "flat"],
)
def test_what_a_generator_expects_is_found(network, noise, maps, layout, sigmoid):
    if layout == "last":
        network.layer = nn.Identity()  # so that the first layer with a size is that of the noise
    found = BroughtGenerator(network, "nets.py:make", spec())
    assert (found.noise, found.maps, found.layout, found.ends_in_sigmoid) == (noise, maps, layout, sigmoid)
    made = found(torch.randn(3, noise))
    assert made.shape == (3, 1, 28, 28)
    if sigmoid:  # from [0, 1] to [-1, 1]
        x = torch.randn(3, 6)
        torch.testing.assert_close(found(x), 2 * network(x[:, :, None, None]) - 1)


def test_a_pixel_keeps_its_place_in_every_layout():
    where = torch.zeros(2, 1, 28, 28)
    where[:, 0, 3, 20] = 1

    class Fixed(nn.Module):
        def __init__(self, view):
            super().__init__()
            self.view, self.layer = view, nn.Linear(5, 1)

        def forward(self, x):
            return self.view(where[: len(x)]) + 0 * self.layer(x).mean()

    for view in (lambda x: x, lambda x: x.movedim(1, -1), lambda x: x.flatten(1), lambda x: x[:, 0]):
        assert torch.equal(BroughtGenerator(Fixed(view), "f", spec())(torch.randn(2, 5)), where)


def test_a_critic_with_a_sigmoid_answers_with_logits():
    critic = BroughtCritic(own_players.probable(), "nets.py:make", spec())
    assert (critic.layout, critic.ends_in_sigmoid) == ("last", True)
    x = torch.randn(4, 1, 28, 28)
    torch.testing.assert_close(critic(x).sigmoid(), critic.network(x.movedim(1, -1)))
    plain = BroughtCritic(own_players.make_critic((1, 28, 28)), "nets.py:make", spec())
    assert not plain.ends_in_sigmoid and torch.equal(plain(x), plain.network(x))


@pytest.mark.parametrize(
    ("generator", "critic", "said"),
    [
        ("", "make_critic", "give --generator FILE.py:FUNCTION"),
        ("make_generator", "nothing", "should return a torch module or a Keras model, but a str came"),
        ("broken", "make_critic", r"own_players.py fails in line \d+ \(RuntimeError: no such layer\)"),
        ("absent", "make_critic", "has no function absent, which --generator names"),
        (
            "too_small",
            "make_critic",
            r"should make examples \[n, 1, 28, 28\] or \[n, 28, 28, 1\] of noise \[n, size\], but of noise",
        ),
        ("make_generator", "too_small", r"should judge examples \[n, 1, 28, 28\], channels first, last or flat"),
    ],
)
def test_networks_that_do_not_fit_are_refused_in_a_sentence(digits, generator, critic, said):
    named = {name: f"{FILE}:{value}" if value else "" for name, value in (("generator", generator), ("critic", critic))}
    with pytest.raises(UserError, match=said):
        gansmith.train(digits, gan="own", options=named, samples=64)


@pytest.mark.parametrize("named", ["nets.py", "nets.txt:make", "nets.py:not a name", ":make"])
def test_what_names_no_function_is_refused(named):
    with pytest.raises(UserError, match="should name a function in a Python file"):
        gans.find("own").Config(generator=named)


@pytest.mark.parametrize("loss", ["non_saturating", "minimax", "least_squares", "hinge", "wasserstein", "relativistic"])
def test_every_loss_moves_both_players(loss):
    data = toys.every()["gray"]
    gan = toys.small("own", data, loss=loss, critic_moves=2, gradient_penalty=10.0 if loss == "wasserstein" else 0.0, r1=0.1)
    moves = list(gan.play(lambda: data.batch(range(4))))
    assert [move.player for move in moves] == [gan.critic, gan.critic, gan.generator]
    assert {"r1"} < set(moves[0].terms) and ("gradient_penalty" in moves[0].terms) == (loss == "wasserstein")


def test_the_command_names_both_and_a_run_from_elsewhere_needs_trust(tmp_path, monkeypatch, capsys, digits):
    monkeypatch.chdir(tmp_path)
    np.save("digits.npy", digits)
    (tmp_path / "nets.py").write_text(FILE.read_text())
    players = ["--generator", "nets.py:make_generator", "--critic=nets.py:make_critic"]
    assert main(["train", "digits.npy", *players, "--samples", "64", "--threads", "1", "--no-evaluate", "--out", "run"]) == 0
    assert gansmith.Run("run").facts["config"]["generator"] == f"{tmp_path / 'nets.py'}:make_generator"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    with pytest.raises(RefusedError, match="names the Python file .*nets.py"):
        gansmith.load("../run")
    assert len(gansmith.load("../run", trust=True).generate(3)) == 3
    capsys.readouterr()
    assert main(["train", "digits.npy", *players, "--gan", "dcgan"]) == 2
    assert "--generator and --critic play the game of --gan own" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras with NumPy
def test_a_keras_model_plays_like_a_module(tmp_path, monkeypatch, digits):
    pytest.importorskip("keras")
    (tmp_path / "nets.py").write_text(
        """
import keras
from keras import layers


def make_generator():
    return keras.Sequential([
        keras.Input((10,)), layers.Dense(7 * 7 * 4, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Reshape((7, 7, 4)), layers.Conv2DTranspose(1, 4, strides=4, activation="tanh"),
    ])


def make_discriminator():
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(4, 5, strides=4), layers.LeakyReLU(), layers.Dropout(0.3), layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ])
"""
    )
    monkeypatch.chdir(tmp_path)
    players = {"generator": "nets.py:make_generator", "critic": "nets.py:make_discriminator"}
    how = {"gan": "own", "options": players, "evaluate": False, "threads": 1, "precision": "float32"}
    whole = gansmith.train(digits, samples=256, out="whole", **how)
    made = whole.model().sample(4, seed=3)["image"]
    part = gansmith.train(digits, samples=128, out="part", **how)
    part = gansmith.train(digits, resume=True, out="part", samples=256, evaluate=False, trust=True)
    weights = [run.model().gan.generator.averaged.state_dict() for run in (whole, part)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0]) and len(weights[0]) == 7
    network = whole.model().gan.generator.averaged
    assert network.noise == 10 and network.layout == "last"
    again = gansmith.load("whole", trust=True)
    assert torch.equal(made, again.sample(4, seed=3)["image"])


def test_networks_that_take_no_labels_make_examples_without(tmp_path, monkeypatch):
    """Or they would be judged by classes that they have never seen."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(
        "from torch import nn\n"
        "from tests.own_players import make_critic\n"
        "class Plain(nn.Sequential):\n"
        "    def forward(self, noise, gain=1.0):\n"
        "        return gain * super().forward(noise)\n"
        "def make_generator():\n"
        "    return Plain(nn.Linear(8, 64), nn.Unflatten(1, (1, 8, 8)))\n"
    )
    arrays = {"images": toys.images(150, classes=3).arrays["image"], "labels": np.arange(150) % 3}
    np.savez("labelled.npz", **arrays)
    named = {name: f"nets.py:make_{name}" for name in ("generator", "critic")}
    how = {"gan": "own", "samples": 64, "threads": 1, "trust": True}
    run = gansmith.train("labelled.npz", options=named, out="run", evaluate=False, **how)
    found = run.evaluate(metrics=["cas", "frechet"], samples=30)
    assert found.skipped == {"cas": "cas needs labels of two or more classes, and the generated examples have none."}
    model = gansmith.load("run", trust=True)
    assert [picture.label for picture in model.generate(3)] == [None] * 3
    with pytest.raises(UserError, match="class=2"):
        model.generate(3, where={"class": "2"})
    labelled = {**named, "generator": f"{FILE}:make_generator"}
    other = gansmith.train("labelled.npz", options=labelled, out="other", evaluate=False, **how).model()
    assert {picture.label for picture in other.generate(3, where={"class": "2"})} == {"2"}
