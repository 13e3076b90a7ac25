"""Rates, silence and levels."""

import numpy as np
import pytest

from gansmith.kinds.audio.cleaning import LOUDNESS, PEAK, as_int16, levelled, mono, resampled, sounding
from gansmith.kinds.audio.pitch import note_of, yin


def tones(rate: int, seconds: float = 0.5) -> np.ndarray:
    """Sines below 3.4 kHz that fade in and out."""
    time = np.arange(round(rate * seconds)) / rate
    made = sum(share * np.sin(2 * np.pi * hertz * time + hertz) for hertz, share in ((220, 0.3), (997, 0.2), (3300, 0.1)))
    return made * np.sin(np.pi * time / seconds) ** 2


@pytest.mark.parametrize(("rate", "to"), [(44_100, 16_000), (48_000, 16_000), (22_050, 16_000), (8_000, 16_000), (16_000, 8_000)])
def test_resampled_tones_are_the_tones_at_the_other_rate(rate, to):
    made, expected = resampled(tones(rate), rate, to), tones(to)
    assert len(made) == len(expected)
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_resampling_equals_soxr_where_it_is_installed():
    soxr = pytest.importorskip("soxr")
    made, expected = resampled(tones(44_100), 44_100, 16_000), soxr.resample(tones(44_100), 44_100, 16_000, quality="VHQ")
    np.testing.assert_allclose(made[100:-100], expected[100 : len(made) - 100], atol=1e-5)


def test_what_the_lower_rate_cannot_hold_is_removed():
    time = np.arange(22_050) / 44_100
    assert np.abs(resampled(np.sin(2 * np.pi * 9_000 * time), 44_100, 16_000))[200:-200].max() < 1e-5


def test_silence_at_both_ends_is_found_with_a_margin():
    wave = np.zeros(16_000)
    wave[4_000:8_000] = tones(16_000, 0.25)
    first, end = sounding(wave, 16_000, 60)
    assert 3_600 <= first <= 4_000 and 8_000 <= end + 160 <= 8_600
    assert sounding(np.zeros(1000), 16_000, 60) == (0, 0)


def test_levels():
    quiet = tones(16_000) / 50
    assert np.abs(levelled(quiet, 16_000, "peak")).max() == pytest.approx(PEAK)
    steady = np.sin(np.arange(16_000) / 5) * 1e-3
    assert np.sqrt(np.square(levelled(steady, 16_000, "loudness")).mean()) == pytest.approx(LOUDNESS, rel=1e-3)
    assert np.array_equal(levelled(quiet, 16_000, "none"), quiet)
    assert np.abs(levelled(3 * tones(16_000), 16_000, "none")).max() == pytest.approx(1)
    assert np.array_equal(levelled(np.zeros(10), 16_000, "peak"), np.zeros(10))


def test_channels_are_averaged_and_samples_rounded_and_cut():
    np.testing.assert_allclose(mono(np.array([[1.0, 0.0], [0.5, 0.5]])), [0.5, 0.5])
    assert as_int16(np.array([-2.0, -1.0, 0.5, 1.0])).tolist() == [-32768, -32768, 16384, 32767]


@pytest.mark.parametrize("note", [36, 45, 57, 69, 84])
def test_notes_are_heard_within_ten_cents(note):
    hertz, time = 440 * 2 ** ((note - 69) / 12), np.arange(8_000) / 16_000
    wave = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in (1, 2, 3, 4)) * 0.3
    assert note_of(wave, 16_000, low=50, high=4_000) == pytest.approx(note, abs=0.1)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).normal(size=8_000) * 0.1
    assert np.isnan(note_of(np.zeros(8_000), 16_000)) and np.isnan(note_of(noise, 16_000))
    assert len(yin(np.zeros(10), 16_000)[0]) == 0
