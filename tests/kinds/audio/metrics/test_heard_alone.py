"""Opinions of speech heard alone."""

import importlib.util

import numpy as np
import pytest

from gansmith.kinds.audio.metrics import heard_alone
from gansmith.metrics.registry import NotApplicableError

EXPECTED = [2.28968, 1.11422]
"""The package's own answers (0.0.1.1) for half a second of a chord, and for noise."""


def test_short_sounds_are_doubled_and_long_ones_heard_in_parts_a_second_apart():
    short = np.arange(50_000, dtype=np.float32)
    parts = heard_alone.parts_of(short)  # 200,000 samples
    assert len(parts) == 3
    np.testing.assert_array_equal(parts[0], np.tile(short, 3)[: heard_alone.LENGTH])
    long = np.arange(12 * 16_000, dtype=np.float32)
    parts = heard_alone.parts_of(long)
    assert [part[0] for part in parts] == [0, 16_000, 32_000] and {len(part) for part in parts} == {heard_alone.LENGTH}


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    heard_alone.listener.cache_clear()
    with pytest.raises(NotApplicableError, match="pip install --no-deps speechmos"):
        heard_alone.listener()


def test_opinions_are_those_of_the_package_where_it_is_installed():
    heard_alone.listener.cache_clear()
    try:
        hears = heard_alone.listener()
    except NotApplicableError as reason:
        pytest.skip(str(reason))
    time = np.arange(8_000) / 16_000
    chord = sum(0.2 * np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330)).astype(np.float32)
    noise = (0.1 * np.random.default_rng(0).standard_normal(160_000)).astype(np.float32)
    assert [hears(chord), hears(noise)] == pytest.approx(EXPECTED, abs=1e-3)
