"""SpecGAN learns what simple sounds are, and its network is exported with the phases in it."""

import numpy as np
import pytest
import torch

from gansmith.kinds.audio.pitch import note_of
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_spectra_of_a_wave_become_that_wave_again():
    data = toys.every()["sounds"]
    gan = toys.small("specgan", data, bands=24, iterations=64)
    wave = data.batch(slice(0, 8))["wave"]
    picture = gan.picture(wave)
    assert picture.min() >= -1 and picture.max() <= 1
    bands = ((picture[:, 0] + 1) / 2 * 9.0 + 1.0 - 9.0).exp()
    made = gan.generator.network.phases(bands)
    heard = [note_of(own.double().numpy(), 2000, low=80, high=900) for own in made]
    real = [note_of(own.double().numpy(), 2000, low=80, high=900) for own in wave]
    assert np.median(np.abs(np.array(heard) - np.array(real))) < 0.5


def after(data, *, rounds, iterations):
    """A small SpecGAN that has learned these sounds for so many rounds."""
    seed_everything(0)
    gan = toys.small("specgan", data, bands=24, width=8, critic_width=8, iterations=iterations)
    trainer = Trainer(gan, data, Settings(batch=32, samples=32 * rounds))
    for _ in range(rounds):
        trainer.play_round()
    return gan


def test_a_short_game_learns_which_class_is_high():
    data = toys.every()["named sounds"]
    gan = after(data, rounds=120, iterations=16)
    centres = []
    for label in (0, 1):
        made = gan.eval().generate(16, {"label": torch.full((16,), label)}, rng=torch.Generator().manual_seed(0))["wave"]
        power = torch.fft.rfft(made).abs().square().mean(0)
        centres.append(float((power * torch.linspace(0, 1000, len(power))).sum() / power.sum()))
    assert data.codec.spec.classes == ("high", "low") and centres[0] > centres[1] + 100


def test_a_short_game_learns_the_pitch_that_is_asked_for():
    data = toys.every()["noted sounds"]
    gan = after(data, rounds=150, iterations=32)
    label = data.batch(slice(0, 32))["label"]
    made = gan.eval().generate(32, {"label": label}, rng=torch.Generator().manual_seed(0))["wave"]
    heard = np.array([note_of(own.double().numpy(), 2000, low=80, high=900) for own in made])
    asked = data.codec.repack({"wave": made, "label": label})["label"][:, 0]
    assert np.median(np.abs(heard - asked)) < 0.5


@pytest.mark.parametrize("sounds", ["named sounds", "noted sounds"])
def test_the_exported_network_makes_the_same_waves(sounds, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from gansmith.model import Model

    data = toys.every()[sounds]
    seed_everything(0)
    gan = toys.small("specgan", data).eval()
    path = Model(gan, data.codec, {"gan": "specgan"}).export("onnx", tmp_path / "made.onnx")
    network, inputs = gan.exportable()
    with torch.no_grad():
        expected = network(*inputs.values()).numpy()
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    np.testing.assert_allclose(found, expected, atol=1e-4)
