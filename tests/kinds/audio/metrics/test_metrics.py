"""Metrics of sounds on sounds whose answers are known."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.kinds.audio.metrics.quality import values_of
from gansmith.kinds.audio.metrics.speakers import encoder
from gansmith.kinds.audio.metrics.words import _pocketsphinx, _whisper, errors, whisper_model, words_of
from gansmith.kinds.audio.rivals import shaped_noise, spectrum_gaussian
from gansmith.kinds.audio.transforms import log_mel
from gansmith.metrics.registry import NotApplicableError
from tests import toys


def test_real_notes_have_their_pitch_and_noise_has_none(tmp_path):
    data = toys.every()["noted sounds"]
    train, held_out = data.split(0.4)
    score = judge(held_out, train, held_out, metrics=["pitch_accuracy"], cache=tmp_path).scores[0]
    assert score.value == score.ceiling > 0.8 and score.baseline < 0.3


def test_a_classifier_hears_the_classes_of_real_sounds_and_learns_from_them(tmp_path):
    train, held_out = toys.every()["named sounds"].split(0.4)
    scores = judge(held_out, train, held_out, metrics=["gan_test", "gan_train"], cache=tmp_path).scores
    assert {score.metric for score in scores} == {"gan_test", "gan_train"}
    assert all(score.value > 0.9 for score in scores)


@pytest.mark.parametrize("sampler", [shaped_noise, spectrum_gaussian])
def test_rivals_have_the_mean_spectrum_of_their_class(sampler):
    data = toys.every()["named sounds"]
    made = sampler(data, 40, seed=0)
    assert np.array_equal(sampler(data, 40, seed=0).arrays["wave"], made.arrays["wave"])
    mel = data.codec.spec.mel
    for label in (0, 1):
        means = []
        for own in (data, made):
            rows = np.flatnonzero(own.labels() == label)
            means.append(log_mel(own.batch(rows)["wave"], mel).mean((0, 2)))
        other = log_mel(data.batch(np.flatnonzero(data.labels() != label))["wave"], mel).mean((0, 2))
        assert (means[0] - means[1]).abs().mean() < (other - means[1]).abs().mean()


def test_words_are_compared_as_they_are_said():
    assert words_of("Dial 21, then press it.") == ["dial", "twenty", "one", "then", "press", "it"]
    assert errors(["press", "one", "now"], ["press", "won", "now", "please"]) == 2
    assert errors(["press", "one"], []) == 2 and errors([], ["one"]) == 1


def test_a_recogniser_hears_next_to_nothing_in_silence():
    pytest.importorskip("pocketsphinx")
    assert len(_pocketsphinx()(np.zeros(8_000), 8_000)) <= 1


def test_a_recogniser_is_named_by_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSMITH_WHISPER", str(tmp_path))
    assert whisper_model() == tmp_path
    with pytest.raises(NotApplicableError, match="in CTranslate2's form"):
        _whisper(tmp_path)


def test_quality_is_that_of_the_package_at_any_level():
    pytest.importorskip("pesq")
    rng = np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    speech = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 3 * time) > 0)
    speech = (0.2 * speech).astype(np.float32)
    noisy = speech + 0.05 * rng.normal(size=16_000).astype(np.float32)
    codec = SimpleNamespace(spec=SimpleNamespace(rate=16_000), unpack=lambda packed: {"b": torch.from_numpy(packed["b"])})

    def of(wave):
        return Dataset(name="", codec=codec, arrays={"b": wave[None]}, fingerprint="")

    exact, half, worse = (float(values_of(of(wave), of(speech))["pesq"][0]) for wave in (speech, speech / 2, noisy))
    assert exact == pytest.approx(4.64, abs=0.02) and half == pytest.approx(exact, abs=0.05) and worse < 3


def test_an_encoder_of_speakers_hears_voices_at_any_level():
    if importlib.util.find_spec("resemblyzer") is None:
        pytest.skip("could not find 'resemblyzer'")
    time = torch.arange(32_000) / 16_000

    def voice(hertz):
        return 0.3 * sum(torch.sin(2 * torch.pi * hertz * k * time) / k for k in range(1, 20))

    low, lower, high = encoder()(torch.stack([voice(110), 0.001 * voice(112), voice(260)]))
    assert low.norm() == pytest.approx(1, abs=1e-5)
    assert low @ lower > low @ high + 0.1
