"""Pairs of damaged and clean sounds, their judges, and the command that restores files."""

import json

import numpy as np
import pytest
import torch
from scipy.fft import dct

from gansmith.cli import main
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.judge import judge
from gansmith.kinds.audio.degradations import degraded, parsed
from gansmith.kinds.audio.intelligibility import stoi
from gansmith.kinds.audio.metrics.restoration import cepstral_distortion, compared, prosody, si_sdr
from gansmith.kinds.audio.readers.files import decoded, wav_bytes
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import log_mel
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from tests import toys

RATE = 8_000


def voice(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """A gliding tone in bursts, as speech is."""
    rng, time = np.random.default_rng(seed), np.arange(round(seconds * RATE)) / RATE
    glide = 150 + 40 * np.sin(3 * time + rng.uniform(0, 6))
    tones = sum(np.sin(2 * np.pi * k * np.cumsum(glide) / RATE) / k for k in range(1, 12))
    return 0.2 * tones * (np.sin(2 * np.pi * 4 * time) > -0.3)


def put(path, wave):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(Sound(wave.astype(np.float32), RATE)))


@pytest.mark.parametrize("words", ["noise5", "hum0", "reverb0.3", "clip12", "lowpass1000", "bits4", "noise10,clip6"])
def test_degradations_keep_the_length_and_are_the_same_for_the_same_name(words):
    wave = voice()
    made = degraded(wave, RATE, words, "a")
    assert made.shape == wave.shape and not np.allclose(made, wave, atol=1e-4)
    assert np.array_equal(made, degraded(wave, RATE, words, "a"))


def test_degradations_do_what_they_say():
    wave = voice()
    noisy = degraded(wave, RATE, "noise5", "a")
    ratio = 10 * np.log10(np.square(wave).mean() / np.square(noisy - wave).mean())
    assert 5 <= ratio <= 20
    assert np.abs(degraded(wave, RATE, "clip12", "a")).max() == pytest.approx(np.abs(wave).max() * 10 ** (-12 / 20))
    low = np.abs(np.fft.rfft(degraded(wave, RATE, "lowpass1000", "a")))
    assert low[1100:].max() < 3e-3 * low.max()
    others = [voice(0.3, seed) for seed in (1, 2, 3)]
    assert degraded(wave, RATE, "babble0", "a", others).shape == wave.shape
    with pytest.raises(UserError, match="fewer than two"):
        degraded(wave, RATE, "babble0", "a")
    for word in ("nois5", "noise", "reverb99", "x4"):
        with pytest.raises(UserError, match="--degrade takes words of"):
            parsed(word)


def test_pairs_are_made_of_clean_recordings_or_read_from_two_folders(tmp_path):
    for place in range(6):
        put(tmp_path / "clean" / f"{place}.wav", voice(1, place))
    made = open_dataset(tmp_path / "clean", degrade="noise5", seconds=0.5)
    a, b = made.batch(slice(0, 8))["a"], made.batch(slice(0, 8))["b"]
    assert made.codec.spec.task == "pairs" and a.shape == b.shape
    assert 0 < float(si_sdr(a, b).nanmean()) < 30 and made.groups is not None
    for place in range(6):
        put(tmp_path / "two" / "clean" / f"{place}.wav", voice(1, place))
        put(tmp_path / "two" / "noisy" / f"{place}.wav", voice(1, place) * 0.5)
    found = open_dataset(tmp_path / "two", seconds=0.5).batch(slice(0, 4))
    torch.testing.assert_close(found["a"], found["b"] / 2, atol=1e-4, rtol=0)
    for place in range(6):
        put(tmp_path / "sides" / "a" / f"{place}.wav", voice(0.5, place))
        put(tmp_path / "sides" / "b" / f"{place}.wav", voice(0.5, place))
    assert open_dataset(tmp_path / "sides").codec.spec.kind == "audio"
    (tmp_path / "two" / "noisy" / "5.wav").unlink()
    with pytest.raises(UserError, match="5 is in one of the folders"):
        open_dataset(tmp_path / "two")


def test_noises_of_a_folder_are_mixed_in(tmp_path):
    for place in range(4):
        put(tmp_path / "clean" / f"{place}.wav", voice(0.5, place))
    tone = 0.5 * np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE)
    put(tmp_path / "noise" / "tone.wav", tone)
    batch = open_dataset(tmp_path / "clean", degrade="noise0", noises=tmp_path / "noise", level="none").batch(slice(0, 4))
    left = np.abs(np.fft.rfft((batch["a"] - batch["b"])[0].numpy()))
    assert np.argmax(left) / len(left) * RATE / 2 == pytest.approx(3000, abs=60)
    with pytest.raises(UserError, match="--noises is mixed in by"):
        open_dataset(tmp_path / "clean", noises=tmp_path / "noise")


def test_held_out_speech_hears_the_noises_that_are_held_out(tmp_path):
    for side, hertz in (("train", 1000), ("test", 3000)):
        for place in range(3):
            put(tmp_path / "clean" / side / f"{place}.wav", voice(0.5, place))
        put(tmp_path / "noise" / side / "tone.wav", 0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE))
    data = open_dataset(tmp_path / "clean", degrade="noise0", noises=tmp_path / "noise", level="none")
    for part, hertz in ((data, 1000), (data.held_out, 3000)):
        batch = part.batch(slice(0, 2))
        left = np.abs(np.fft.rfft((batch["a"] - batch["b"])[0].numpy()))
        assert np.argmax(left) / len(left) * RATE / 2 == pytest.approx(hertz, abs=60)


def test_damage_that_was_added_is_known_as_such_but_names_the_data_no_differently(tmp_path):
    for place in range(3):
        put(tmp_path / "clean" / f"{place}.wav", voice(0.5, place))
    for words, added in (
        ("noise5", True),
        ("noise5,hum10", True),
        ("noise5,clip6", False),
        ("reverb0.3", False),
        ("same", False),
    ):
        spec = open_dataset(tmp_path / "clean", degrade=words).codec.spec
        assert spec.source.added is added and "added" not in spec.identity()["source"]


def test_mel_pairs_are_computed_from_the_waves_when_they_are_asked_for():
    data = toys.every()["mel sounds"]
    batch = data.batch(np.array([3, 5]))
    torch.testing.assert_close(batch["a"], log_mel(batch["b"], data.codec.spec.mel))


@pytest.mark.parametrize("words", ["--dry-run", "--profile"])
def test_a_rehearsal_opens_recordings_as_the_gan_does(words, tmp_path, capsys):
    for name in range(4):
        put(tmp_path / f"{name}.wav", voice(0.6, name))
    small = ["--gan.width", "8", "--gan.blocks", "1", "--gan.periods", "2", "--gan.windows", "128"]
    assert main(["train", str(tmp_path), "--gan", "vocos", "--rate", "8000", "--threads", "1", *small, words]) == 0
    assert "vocos (preset small)" in capsys.readouterr().out


def test_intelligibility_falls_with_noise_and_is_that_of_the_paper():
    """Values of pystoi 0.4.1 for these waves."""
    rng, clean = np.random.default_rng(0), voice(2)
    noise = rng.normal(size=len(clean))
    found = [stoi(clean, clean + share * noise, RATE) for share in (0, 0.05, 0.5, 5)]
    assert found[0] == pytest.approx(1, abs=1e-6) and found == sorted(found, reverse=True)
    pystoi = pytest.importorskip("pystoi")
    assert found == pytest.approx([pystoi.stoi(clean, clean + share * noise, RATE) for share in (0, 0.05, 0.5, 5)], abs=3e-3)
    for share in (0.05, 0.5):  # at 10 kHz nothing is resampled, and the two filters do not differ
        noisy = clean + share * noise
        assert stoi(clean, noisy, 10_000) == pytest.approx(pystoi.stoi(clean, noisy, 10_000), abs=1e-9)


def test_equal_waves_have_the_best_values_and_the_level_matters_not_to_si_sdr():
    spec = toys.every()["noisy sounds"].codec.spec
    wave = toys.every()["sounds"].batch(slice(0, 4))["wave"]
    same = compared(wave, wave, spec)
    assert same["mel_l1"].max() == 0 and same["mr_stft"].max() == 0 and same["si_sdr"].min() > 80
    noise = 0.01 * torch.randn(wave.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(si_sdr(wave + noise, wave), si_sdr(3 * (wave + noise), wave))


@pytest.mark.parametrize(("toy", "gan"), [("noisy sounds", "cmgan"), ("mel sounds", "advoc")])
def test_restorations_are_judged_beside_what_needs_no_training(toy, gan, tmp_path):
    data = toys.every()[toy]
    train, held_out = data.split(0.4)
    seed_everything(0)
    model = Model(toys.small(gan, data).eval(), data.codec, {"gan": gan}, held_out)
    found = judge(
        Dataset.of(model.sample(len(held_out), seed=0), data.codec, "made"),
        train,
        held_out,
        metrics=["mel_l1", "si_sdr"],
        cache=tmp_path,
    )
    scores = {score.metric: score for score in found.scores}
    assert scores["mel_l1"].baseline > 0 and scores["mel_l1"].value > 0
    assert all(score.baseline_name == "the best without training" for score in scores.values())


@pytest.fixture
def models(tmp_path):
    for toy, gan in (("noisy sounds", "cmgan"), ("mel sounds", "advoc"), ("sounds", "specgan")):
        data = toys.every()[toy]
        seed_everything(0)
        Model(toys.small(gan, data).eval(), data.codec, {"gan": gan}).save(tmp_path / gan / "model")
    return tmp_path


def test_recordings_are_translated_by_their_names(models, capsys):
    for name, seconds in (("a.wav", 0.2), ("deep/b.wav", 1.3), ("short.wav", 0.001)):
        put(models / "in" / name, voice(seconds)[: max(3, round(seconds * RATE))])
    for gan in ("cmgan", "advoc"):
        assert main(["translate", str(models / gan), str(models / "in"), "--out", str(models / "out" / gan), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["rate"] == 2000
        for name in ("a.wav", "deep/b.wav", "short.wav"):
            rate, wave = decoded((models / "out" / gan / name).read_bytes(), name)
            assert rate == 2000 and len(wave) == -(-len(decoded((models / "in" / name).read_bytes(), name)[1]) // 4)
    assert main(["translate", str(models / "cmgan"), str(models / "in"), "--out", str(models / "out" / "cmgan")]) == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_long_recordings_are_made_in_parts_without_seams(models, monkeypatch):
    from gansmith.kinds.audio.translation import waves

    model = Model.load(models / "cmgan")
    wave = toys.every()["sounds"].batch(slice(0, 16))["wave"].flatten().numpy()
    whole = waves.translate_sound(model, wave).wave
    monkeypatch.setattr(waves, "PART", 1.0)
    monkeypatch.setattr(waves, "SHARED", 0.25)
    parts = waves.translate_sound(model, wave).wave
    assert len(parts) == len(whole) == len(wave)
    assert np.abs(parts - whole).max() < 0.05


def test_mel_spectra_become_waves_and_others_are_refused(models, capsys):
    data = toys.every()["mel sounds"]
    np.save(models / "mel.npy", data.batch(slice(0, 1))["a"][0].numpy())
    assert main(["translate", str(models / "advoc"), str(models / "mel.npy"), "--out", str(models / "made.wav")]) == 0
    assert len(decoded((models / "made.wav").read_bytes(), "made.wav")[1]) == 512
    np.save(models / "other.npy", np.zeros((80, 16), np.float32))
    for words, said in (
        (["advoc", "other.npy"], "must be a mel spectrum of 27 bands"),
        (["cmgan", "mel.npy"], "makes sounds of sounds"),
        (["specgan", "made.wav"], "from noise alone"),
        (["advoc", "nothing.wav"], "there is no file or folder"),
    ):
        assert main(["translate", str(models / words[0]), str(models / words[1]), "--out", str(models / "x")]) == 2
        assert said in capsys.readouterr().err


def test_distortion_and_prosody_have_the_values_of_planted_changes():
    rate, time = 16_000, np.arange(16_000) / 16_000
    truth = np.stack([np.sign(np.sin(2 * np.pi * 200 * time)) * 0.2, 0.1 * np.random.default_rng(0).normal(size=len(time))])
    higher = truth.copy()
    higher[0] = np.sign(np.sin(2 * np.pi * 200 * 2 ** (1 / 12) * time)) * 0.2
    found = prosody(higher, truth, rate)
    assert found["f0_error"][0] == pytest.approx(100, abs=3) and np.isnan(found["f0_error"][1])
    assert found["voicing"][0] == 1 and np.isnan(found["voicing"][1])
    assert prosody(truth[::-1], truth, rate)["voicing"].max() == 0
    spec = AudioSpec(shape=(16_000,), rate=rate)
    waves = torch.from_numpy(truth).float()
    assert cepstral_distortion(0.5 * waves, waves, spec).max() < 1e-3
    mfcc = dct(log_mel(waves, spec.mel).double().numpy(), axis=1, norm="ortho")[:, 1:14]
    expected = 10 * np.sqrt(2) / np.log(10) * np.linalg.norm(mfcc[1] - mfcc[0], axis=0).mean()
    assert float(cepstral_distortion(waves[1:], waves[:1], spec)) == pytest.approx(expected, rel=1e-4)
