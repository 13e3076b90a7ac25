"""GANs that make waves of waves or spectra: exported equal to torch at other lengths, and better than nothing after a short game."""

from dataclasses import replace
from itertools import combinations, pairwise
from math import log

import numpy as np
import pytest
import torch
from scipy.fft import idct

from gansmith.augment.sounds import coloured, varied
from gansmith.errors import UserError
from gansmith.gans.vits import likelihoods
from gansmith.kinds.audio.metrics.restoration import si_sdr
from gansmith.kinds.audio.transforms import FLOOR, log_mel
from gansmith.kinds.audio.translation.codes import coded, read_codes, sounding, write_codes
from gansmith.kinds.audio.translation.streaming import Stream
from gansmith.kinds.audio.translation.waves import translate_sound
from gansmith.layers import sounding as layers_sounding
from gansmith.layers.alignment_search import monotonic_durations
from gansmith.layers.hifi import HifiGenerator, enlargements
from gansmith.layers.residual_quantiser import ResidualQuantiser
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.mark.parametrize(
    ("gan", "toy"),
    [
        ("cmgan", "noisy sounds"),
        ("vocos", "mel sounds"),
        ("hifigan", "mel sounds"),
        ("advoc", "mel sounds"),
        ("codec", "noisy sounds"),
        ("maskcyclegan_vc", "voiced sounds"),
        ("speech", "said sounds"),
        ("vits", "said sounds"),
    ],
)
def test_exported_networks_equal_torch_at_several_lengths(gan, toy, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(layers_sounding, "UPDATES", 2)  # an exporter takes as long as there are nodes
    data = toys.every()[toy]
    seed_everything(0)
    made = Model(toys.small(gan, data).eval(), data.codec, {"gan": gan}).export("onnx", tmp_path / "made.onnx")
    assert made.stat().st_size > 1000


@pytest.mark.parametrize("hop", [32, 60, 256])
def test_hifigan_looks_no_further_than_it_says(hop):
    network = HifiGenerator(3, hop, width=16, sizes=(3, 7)).eval()
    x = torch.randn(1, 3, 2 * network.reach + 5)
    other = x.clone()
    other[:, :, network.reach + 2] += 5  # the frame in the middle
    assert enlargements(hop)[:1] == [8 if hop % 8 == 0 else 2]
    with torch.no_grad():
        changed = torch.nonzero((network(x) - network(other)).abs()[0] > 1e-7)[:, 0]
    assert network(x).shape == (1, x.shape[2] * hop)
    assert changed.min() >= 2 * hop and changed.max() < (2 * network.reach + 3) * hop


@pytest.mark.parametrize(("gan", "toy"), [("cmgan", "noisy sounds"), ("vocos", "mel sounds"), ("hifigan", "mel sounds")])
def test_a_stream_of_chunks_equals_the_whole(gan, toy):
    data = toys.every()[toy]
    seed_everything(0)
    made = toys.small(gan, data).eval()
    for player in made.players.values():
        for weights in player.averaged.parameters():
            weights.data += 0.05 * torch.randn_like(weights)
    model = Model(made, data.codec, {"gan": gan})
    wave = 0.3 * np.random.default_rng(0).normal(size=9_001).astype(np.float32)
    spec, network = data.codec.spec, made.players["generator"].averaged
    with torch.inference_mode():
        whole = torch.from_numpy(np.pad(wave, (0, -len(wave) % spec.hop)))[None]
        given = log_mel(whole, spec.mel) if spec.source.key == "mel" else whole
        expected = network(given)[0, : len(wave)].numpy()
    stream, edges = Stream(model), [0, 1, 500, 700, 4_000, 4_001, 9_001]
    parts = [stream.push(wave[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    assert sum(len(part) for part in parts) > 5_000  # it does not wait for the end
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(np.concatenate([*parts, stream.end()]), expected, atol=2e-5)
    np.testing.assert_allclose(translate_sound(model, wave).wave, expected, atol=2e-5)


def test_a_model_that_needs_the_whole_says_that_it_cannot_stream():
    data = toys.every()["mel sounds"]
    with pytest.raises(UserError, match="advoc needs the whole of a recording"):
        Stream(Model(toys.small("advoc", data).eval(), data.codec, {"gan": "advoc"}))


def test_codes_come_back_as_the_same_sound(tmp_path):
    data = toys.every()["noisy sounds"]
    seed_everything(0)
    gan = toys.small("codec", data)
    model = Model(gan.eval(), data.codec, {"gan": "codec"})
    wave = data.batch(slice(0, 1))["b"][0].numpy()[:500]
    found = coded(model, wave)
    assert found.codes.shape == (2, 512 // data.codec.spec.hop) and found.codes.max() < 8
    assert gan.bits_per_second == 2 * 3 * 2_000 / data.codec.spec.hop
    write_codes(model, found, tmp_path / "codes.npz")
    made = sounding(model, read_codes(model, tmp_path / "codes.npz"))
    assert len(made.wave) == 500
    np.testing.assert_allclose(made.wave, translate_sound(model, wave).wave, atol=1e-3)
    other = Model(toys.small("codec", data).eval(), data.codec, {"gan": "codec"})
    with pytest.raises(UserError, match="those of another model"):
        read_codes(other, tmp_path / "codes.npz")
    with pytest.raises(UserError, match="codes are made by models of codec"):
        coded(Model(toys.small("cmgan", data).eval(), data.codec, {"gan": "cmgan"}), wave)


def test_residual_codes_are_nearer_with_every_book():
    seed_everything(0)
    quantiser = ResidualQuantiser(3, 16, 4, decay=0.5, rare=0.05)
    x = torch.randn(8, 4, 64)
    for _ in range(20):
        quantiser(x)
        quantiser.absorb()
    chosen = quantiser.eval().nearest(x)
    errors = [
        float((x - ResidualQuantiser.look_up(_first(quantiser, count), chosen[:, :count])).square().mean()) for count in (1, 2, 3)
    ]
    assert errors == sorted(errors, reverse=True) and errors[2] < 0.3
    torch.testing.assert_close(quantiser(x)[0], quantiser.look_up(chosen))


def _first(quantiser, count):
    few = ResidualQuantiser(count, 16, 4, decay=0.5, rare=0.05)
    few.books = quantiser.books[:count]
    return few


def test_a_converter_begins_as_the_identity_and_hides_frames_in_a_row():
    data = toys.every()["voiced sounds"]
    gan = toys.small("maskcyclegan_vc", data)
    picture = gan.revoicing.picture(log_mel(data.batch(slice(0, 4))["wave"], data.codec.spec.mel))
    label = torch.tensor([0, 1, 1, 0])
    torch.testing.assert_close(gan.revoicing.converter(picture, label), picture)
    there = gan.hiding(picture.expand(-1, -1, -1, -1).repeat(50, 1, 1, 1))[:, 0, 0]
    gaps = (there[:, 1:] - there[:, :-1]).abs().sum(1)
    assert set(gaps.tolist()) <= {0.0, 1.0, 2.0} and 0 < (1 - there).sum(1).max() <= 4


def test_conversion_keeps_cepstra_in_the_units_of_their_voice():
    data = toys.every()["voiced sounds"]
    gan, plain = toys.small("maskcyclegan_vc", data), toys.small("maskcyclegan_vc", data, content=0.0)
    bands, rng = data.codec.spec.bands, np.random.default_rng(0)
    cepstra = rng.normal(size=(2, bands, 50))  # voices that say the same, with other means and spreads of every cepstrum
    other = cepstra * rng.uniform(0.5, 2, (1, bands, 1)) + rng.normal(size=(1, bands, 1))
    mel = torch.from_numpy(idct(np.concatenate([cepstra, other]), axis=1, norm="ortho")).float()
    assert gan.voices is not None and plain.voices is None and not any("voices." in name for name in plain.state_dict())
    gan.voices.learn(mel, torch.tensor([0, 0, 1, 1]))
    first, second = gan.voices(mel[:2], torch.tensor([0, 0])), gan.voices(mel[2:], torch.tensor([1, 1]))
    torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)
    expected = (cepstra - cepstra.mean((0, 2), keepdims=True)) / cepstra.std((0, 2), ddof=1, keepdims=True)
    torch.testing.assert_close(first, torch.from_numpy(expected[:, : first.shape[1]]).float(), atol=1e-4, rtol=1e-4)
    shown = [(own - log(FLOOR))[:, None] / 4 - 1 for own in (mel[:2], mel[2:])]
    said, wanted = torch.tensor([0, 0]), torch.tensor([1, 1])
    assert float(gan.kept(shown[0], said, shown[1], wanted)) < 1e-4
    assert float(gan.kept(shown[0], said, shown[0], wanted)) > 0.1


def test_the_search_finds_the_best_of_all_monotonic_paths():
    rng = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 4, 7, generator=rng)
    symbols, frames = torch.tensor([4, 2, 3]), torch.tensor([7, 5, 3])
    found = monotonic_durations(scores, symbols, frames)
    for row, count, length, own in zip(scores, symbols, frames, found, strict=True):
        best = max(
            (
                sum(
                    float(row[symbol, at])
                    for symbol, (a, b) in enumerate(pairwise([0, *cuts, int(length)]))
                    for at in range(a, b)
                ),
                [b - a for a, b in pairwise([0, *cuts, int(length)])],
            )
            for cuts in combinations(range(1, int(length)), int(count) - 1)
        )
        assert own.tolist() == [*best[1], *[0] * (4 - int(count))]


def test_a_flow_comes_back_and_likelihoods_are_those_of_gaussians():
    data = toys.every()["said sounds"]
    seed_everything(0)
    network = toys.small("vits", data).voice
    x, there = torch.randn(2, 8, 12), (torch.arange(12) < torch.tensor([[12], [7]])).float()[:, None]
    for weights in network.flow.parameters():
        weights.data += 0.2 * torch.randn_like(weights)
    moved = network.flow(x * there, there, None)
    assert (moved - x * there).abs().max() > 0.1
    torch.testing.assert_close(network.flow.inverse(moved, there, None), x * there)
    mean, deviation = torch.randn(2, 8, 3), 0.3 * torch.randn(2, 8, 3)
    expected = torch.distributions.Normal(mean[:, :, :, None], deviation.exp()[:, :, :, None]).log_prob(x[:, :, None]).sum(1)
    torch.testing.assert_close(likelihoods(x, mean, deviation), expected, atol=1e-4, rtol=1e-4)


def test_vits_speaks_the_same_each_time_and_faster_when_asked():
    data = toys.every()["said sounds"]
    seed_everything(0)
    model = Model(toys.small("vits", data).eval(), data.codec, {"gan": "vits"})
    waves = [model.speak("low high noise", speed=speed).wave for speed in (1.0, 1.0, 2.0)]
    np.testing.assert_array_equal(waves[0], waves[1])
    assert 0 < len(waves[2]) < len(waves[0])
    with pytest.raises(UserError, match="leave out --vocoder"):
        model.speak("low", vocoder=model)


def test_an_enhancer_begins_at_what_it_is_given_and_adds_what_others_suffered():
    data = toys.every()["noisy sounds"]
    seed_everything(0)
    gan = toys.small("cmgan", data, louder=0.0, pace=0.0, bands=0)
    batch = data.batch(slice(0, 6))
    with torch.no_grad():
        torch.testing.assert_close(gan.generator.network(batch["a"]), batch["a"], atol=1e-4, rtol=0)
    given, clean = gan.drawn(lambda: batch)
    added = [given - clean, batch["a"] - batch["b"]]
    sizes = [each.norm(dim=1) / whole.norm(dim=1) for each, whole in zip(added, (clean, batch["b"]), strict=True)]
    assert not torch.allclose(*sizes, rtol=0.05)  # another's
    spectra = [torch.fft.rfft(each).abs() for each in added]  # begun at another place and softer, but the same sounds
    spectra = [each / each.norm(dim=1, keepdim=True) for each in spectra]
    assert sorted((spectra[0] @ spectra[1].T).argmax(1).tolist()) == list(range(6))
    own = toys.small("cmgan", data, remix=False).drawn(lambda: batch)
    torch.testing.assert_close(own[0], batch["a"])


def test_an_enhancer_in_bands_begins_at_what_it_is_given_and_reaches_all_frequencies():
    data = toys.every()["noisy sounds"]
    spec, given = data.codec.spec, 0.1 * data.batch(slice(0, 2))["a"]
    gan = toys.small("cmgan", data, bands=12)
    network = gan.generator.network
    assert network.in_bands and network.spread.shape == (network.filters.shape[1], 12)
    torch.testing.assert_close(network.spread.sum(1), torch.ones(len(network.spread)))  # shares of bands at every frequency
    with torch.no_grad():
        torch.testing.assert_close(network(given), given, atol=1e-4, rtol=0)
        network.network.leave.bias.fill_(-50.0)  # nothing stays
        assert float(network(given).abs().max()) < 1e-3
    clipped = replace(spec, source=replace(spec.source, added=False))  # what is lost cannot be made of what is there
    assert not type(gan)(gan.config, clipped).generator.network.in_bands


def test_colours_are_smooth_and_as_strong_as_they_are_asked_to_be():
    torch.manual_seed(0)
    curves = coloured(50, 257, torch.device("cpu"))
    assert curves.abs().max() <= 1 and curves.std(0).min() > 0.3
    assert (curves[:, 129:] - curves[:, 128:-1]).abs().max() <= 2 / 128 + 0.02  # at most from -1 to 1 over the highest octave
    wave = torch.randn(3, 4096)
    made = varied(wave, pace=0.0, colour=12.0)  # begun at another place, which spectra do not show
    decibels = 20 * (torch.fft.rfft(made).abs() / torch.fft.rfft(wave).abs()).log10()[:, 1:-1]
    assert 3 < decibels.abs().max() <= 12.1


def test_varied_sounds_are_faster_or_slower_all_alike():
    time = torch.arange(4_096) / 4_096
    wave = torch.sin(2 * torch.pi * 512 * time)[None].repeat(2, 1)
    found = set()
    for seed in range(8):
        seed_everything(seed)
        made = varied(wave, pace=0.2, decibels=(-6.0, 0.0))
        peaks = torch.fft.rfft(made).abs().argmax(1)
        assert made.shape == wave.shape and peaks[0] == peaks[1] and 400 < peaks[0] < 650
        assert 0.45 < made.abs().amax(1).min() < made.abs().amax(1).max() < 1.02
        found.add(int(peaks[0]))
    assert len(found) > 5
    seed_everything(0)
    torch.testing.assert_close(varied(wave[:, :50], pace=0.0).sort().values, wave[:, :50].sort().values)


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
