"""GANs that make waves of waves or spectra: exported equal to torch at other lengths, and better than nothing after a short game."""

import pytest
import torch

from gansmith.kinds.audio.metrics.restoration import si_sdr
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.mark.parametrize(
    ("gan", "toy"), [("cmgan", "noisy sounds"), ("vocos", "mel sounds"), ("advoc", "mel sounds"), ("speech", "said sounds")]
)
def test_exported_networks_equal_torch_at_several_lengths(gan, toy, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    data = toys.every()[toy]
    seed_everything(0)
    made = Model(toys.small(gan, data).eval(), data.codec, {"gan": gan}).export("onnx", tmp_path / "made.onnx")
    assert made.stat().st_size > 1000


def test_a_short_game_takes_noise_away():
    data = toys.every()["noisy sounds"]
    seed_everything(0)
    gan = toys.small("cmgan", data, width=32)
    trainer = Trainer(gan, data, Settings(batch=16, samples=16 * 80))
    for _ in range(80):
        trainer.play_round()
    batch = data.batch(slice(0, 32))
    with torch.no_grad():
        made = gan.eval().generate(32, batch, rng=torch.Generator())["b"]
    assert si_sdr(made, batch["b"]).mean() > si_sdr(batch["a"], batch["b"]).mean() + 3


def test_a_short_game_makes_spectra_nearer_than_the_inverse_of_the_bands():
    data = toys.every()["mel sounds"]
    seed_everything(0)
    gan = toys.small("advoc", data, width=32, critic_begins=1.0)
    trainer = Trainer(gan, data, Settings(batch=16, samples=16 * 60))
    batch = data.batch(slice(0, 32))

    def error() -> float:
        with torch.no_grad():
            return float((gan.generator.network.logarithms(batch["a"]) - gan.picture(batch["b"])).abs().mean())

    before = error()
    for _ in range(60):
        trainer.play_round()
    assert error() < before
