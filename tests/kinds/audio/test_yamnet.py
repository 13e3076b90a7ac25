"""YAMNet as a space of distances, with weights that are drawn at random: its own are published, and given by the user."""

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.judge import judge
from gansmith.kinds.audio.codec import AudioCodec
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.yamnet import YAMNet, _edges, _filters
from tests import toys

WIDTHS = (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    rng, arrays, width = np.random.default_rng(0), {}, 1
    for place in range(27):
        out = WIDTHS[(place + 1) // 2]
        kind, shape = ("dw", (1, 3, 3, width)) if place % 2 else ("conv", (out, 1, 1, width) if place else (out, 3, 3, 1))
        scale = (2 / np.prod(shape[1 : 3 if kind == "dw" else 4])) ** 0.5
        arrays[f"{place:02}_{kind}_w"] = (scale * rng.normal(size=shape)).astype(np.float16)
        arrays[f"{place:02}_{kind}_b"] = np.zeros(width if kind == "dw" else out, np.float16)
        width = width if kind == "dw" else out
    arrays |= {"27_fc_w": np.zeros((5, 1024), np.float16), "27_fc_b": np.arange(5, dtype=np.float16)}
    path = tmp_path_factory.mktemp("yamnet") / "weights.npz"
    np.savez(path, **arrays)
    return path


def test_silence_behind_short_sounds_changes_nothing_and_long_ones_are_means_of_views(weights):
    network = YAMNet(weights)
    wave = 0.3 * torch.randn(1, 8_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = network(wave)
        torch.testing.assert_close(network(torch.nn.functional.pad(wave, (0, 7_600))), found)
        long = torch.cat([wave, wave.flip(1), wave, wave, wave], 1)[:, : 400 + 160 * (95 + 48)]
        parts = [network(long[:, start : start + 400 + 160 * 95]) for start in (0, 48 * 160)]
        torch.testing.assert_close(network(long), torch.stack(parts).mean(0), atol=1e-5, rtol=1e-4)
    assert found.shape == (1, 1024) and found.std() > 0
    torch.testing.assert_close(network.logits(torch.zeros(1, 1024)), torch.arange(5.0)[None])


def test_edges_and_bands_are_those_of_tensorflow():
    assert [_edges(*own) for own in ((96, 2), (97, 2), (3, 1), (64, 2))] == [(0, 1), (1, 1), (1, 1), (0, 1)]
    filters = _filters()
    hertz = filters.argmax(0) * 16_000 / 512
    assert filters.shape == (257, 64) and filters[0].sum() == 0 and float(filters.max()) <= 1
    assert hertz[0] == pytest.approx(156, abs=32) and hertz[-1] == pytest.approx(7_217, abs=32)


def test_sounds_are_judged_in_its_space(weights, tmp_path):
    rng = np.random.default_rng(0)
    codec = AudioCodec(AudioSpec(shape=(1_024,), rate=16_000))

    def of(scale):
        waves = (8_000 * rng.normal(size=(40, 1_024)) * scale).astype(np.int16)
        return Dataset(name="noise", codec=codec, arrays={"wave": waves}, fingerprint=f"{scale} {waves[0, 0]}")

    train, held_out, other = of(1.0), of(1.0), of(0.1)
    score = judge(other, train, held_out, metrics=["frechet"], features=str(weights), cache=tmp_path).scores[0]
    assert score.name == "frechet[yamnet]" and score.value > 2 * score.ceiling


def test_a_file_without_the_network_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    train = toys.every()["named sounds"]
    for features, says in ((str(tmp_path / "other.npz"), "does not hold YAMNet"), ("inception", "a file of YAMNet's weights")):
        with pytest.raises(UserError, match=says):
            judge(train, train, train, metrics=["frechet"], features=features, cache=tmp_path)
