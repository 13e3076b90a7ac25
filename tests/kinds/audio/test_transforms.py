"""Spectra against librosa's published definitions, inverses against what they invert."""

import numpy as np
import pytest
import torch

from gansmith.kinds.audio.transforms import (
    FLOOR,
    Mel,
    consistent_griffin_lim,
    griffin_lim,
    hertz_to_mel,
    istft,
    log_mel,
    magnitude,
    magnitudes_from_mel,
    mel_filters,
    mel_of,
    mel_to_hertz,
    overlap_add,
    stft,
    wave_from_log_mel,
)
from gansmith.layers.sounding import Fourier, GriffinLim

MEL = Mel(16_000, 512, 128, 40)


def waves(count: int = 2, samples: int = 2048) -> torch.Tensor:
    time = torch.arange(samples) / 16_000
    made = torch.stack([(2 * torch.pi * (300 + 200 * k) * time).sin() for k in range(count)]) * 0.5
    return made + 0.05 * torch.randn(made.shape, generator=torch.Generator().manual_seed(0))


def test_the_transform_is_the_discrete_fourier_transform_of_windowed_frames():
    wave, n_fft, hop = waves(1), 64, 16
    padded = np.pad(wave[0].double().numpy(), 32, mode="reflect")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    expected = np.stack([np.fft.rfft(padded[k * hop : k * hop + n_fft] * hann) for k in range(129)], 1)
    np.testing.assert_allclose(stft(wave, n_fft, hop, centred=True)[0].numpy(), expected, atol=1e-5)
    assert stft(wave, n_fft, hop).shape == (1, 33, 128)


@pytest.mark.parametrize("centred", [True, False])
def test_the_inverse_gives_the_wave_again(centred):
    wave = waves()
    again = istft(stft(wave, 512, 128, centred=centred), 512, 128, centred=centred)
    torch.testing.assert_close(again, wave, atol=2e-6, rtol=0)


def test_mel_bands_are_librosas():
    """Values of librosa.filters.mel(sr=16000, n_fft=1024, n_mels=80), version 0.11, and of librosa.hz_to_mel."""
    np.testing.assert_allclose(hertz_to_mel(np.array([60.0, 1000.0, 4000.0])), [0.9, 15.0, 35.16376], rtol=1e-6)
    np.testing.assert_allclose(mel_to_hertz(hertz_to_mel(np.linspace(0, 8000, 9))), np.linspace(0, 8000, 9), atol=1e-8)
    filters = mel_filters(Mel(16_000, 1024, 256, 80))
    assert filters.shape == (80, 513)
    width = 8000 / 512
    area = filters.sum(1) * width  # equal triangles, but for their sampling
    torch.testing.assert_close(area[20:], torch.ones(60), atol=0.05, rtol=0)


def test_spectra_equal_librosas_where_it_is_installed():
    librosa = pytest.importorskip("librosa")
    wave = waves(1)[0].numpy()
    expected = librosa.feature.melspectrogram(
        y=wave, sr=16_000, n_fft=512, hop_length=128, n_mels=40, power=1, pad_mode="reflect"
    )
    found = mel_of(torch.from_numpy(wave)[None], MEL, centred=True)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("hop", [128, 192, 200])  # four frames on a sample, or two and three in turns
def test_overlapping_frames_are_added_and_divided_by_the_windows(hop):
    frames, n_fft = torch.randn(2, 7, 512, dtype=torch.float64), 512
    hann = torch.hann_window(n_fft, dtype=torch.float64)
    made, weight = torch.zeros(2, 6 * hop + n_fft, dtype=torch.float64), torch.zeros(6 * hop + n_fft, dtype=torch.float64)
    for number in range(7):
        made[:, number * hop : number * hop + n_fft] += frames[:, number] * hann
        weight[number * hop : number * hop + n_fft] += hann.square()
    begin = (n_fft - hop) // 2
    expected = (made / weight.clamp_min(1e-11))[:, begin : begin + 7 * hop]
    torch.testing.assert_close(overlap_add(frames, hop), expected)


def test_quiet_bands_end_at_the_floor():
    assert log_mel(torch.zeros(1, 2048), MEL).unique().tolist() == pytest.approx([np.log(FLOOR)])


def test_magnitudes_have_a_finite_slope_at_zero():
    wave = torch.zeros(1, 2048, requires_grad=True)
    magnitude(stft(wave, 512, 128)).sum().backward()
    assert wave.grad.isfinite().all()


def test_inverted_mel_bands_have_nearly_these_bands_and_are_never_negative():
    bands = mel_of(waves(), MEL)
    found = magnitudes_from_mel(bands, MEL)
    assert (found >= 0).all()
    first = magnitudes_from_mel(bands, MEL, iterations=0)
    error = [float((mel_filters(MEL) @ each - bands).norm() / bands.norm()) for each in (first, found)]
    assert error[1] < 0.05 and error[1] < error[0]


def test_griffin_lim_comes_nearer_with_every_stretch_of_iterations():
    size = magnitude(stft(waves(), 512, 128))
    errors = []
    for iterations in (0, 8, 64):
        made = griffin_lim(size, 512, 128, iterations=iterations)
        errors.append(float((magnitude(stft(made, 512, 128)) - size).norm() / size.norm()))
    assert errors[0] > 2 * errors[1] > 2 * errors[2] and errors[2] < 0.1


def test_magnitudes_that_move_with_the_phases_come_much_nearer_to_the_bands():
    wave = waves()
    bands = mel_of(wave, MEL)
    errors = [
        float((mel_of(made, MEL) - bands).abs().mean())
        for made in (wave_from_log_mel(bands.log(), MEL, iterations=32), consistent_griffin_lim(bands, MEL, iterations=32))
    ]
    assert errors[1] < 0.8 * errors[0]


def test_griffin_lim_depends_on_its_seed_alone():
    bands = log_mel(waves(3), MEL)
    one, same, other = (wave_from_log_mel(bands, MEL, iterations=4, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)
    torch.testing.assert_close(wave_from_log_mel(bands[1:2], MEL, iterations=4), one[1:2], atol=1e-4, rtol=0)


def test_exported_transforms_equal_the_fast_ones(monkeypatch):
    fourier, wave = Fourier(512, 128), waves()
    fast = fourier.spectrum(wave)
    made = fourier.wave(*fast)
    network = GriffinLim(MEL, wave.shape[1] // 128, 2)
    sound = network(mel_of(wave, MEL))
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    for one, other in zip(fourier.spectrum(wave), fast, strict=True):
        torch.testing.assert_close(one, other, atol=2e-4, rtol=0)
    torch.testing.assert_close(fourier.wave(*fast), made, atol=1e-5, rtol=0)
    torch.testing.assert_close(network(mel_of(wave, MEL)), sound, atol=1e-3, rtol=0)


def test_the_networks_griffin_lim_is_the_functions():
    wave = waves()
    expected = consistent_griffin_lim(mel_of(wave, MEL), MEL, iterations=3)
    torch.testing.assert_close(GriffinLim(MEL, 16, 3)(mel_of(wave, MEL)), expected, atol=1e-4, rtol=0)


def test_a_wave_shorter_than_half_a_window_is_refused():
    with pytest.raises(ValueError, match="more than 192 samples"):
        stft(torch.zeros(1, 100), 512, 128)
