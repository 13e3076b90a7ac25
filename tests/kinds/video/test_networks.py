"""Networks of videos in files as spaces of distances."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gansmith.data.dataset import Dataset
from gansmith.data.programs import trusting
from gansmith.errors import UserError
from gansmith.evaluation.extractors import extractor_for
from gansmith.kinds.opening import open_dataset


class Mean(nn.Module):
    """The mean colour of every frame."""

    def forward(self, clips: Tensor) -> Tensor:
        return clips.mean((3, 4)).flatten(1)


class LikeI3D(nn.Module):
    """What the I3D file of common evaluations of FVD takes."""

    def forward(self, x: Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False) -> Tensor:
        if rescale or resize or not return_features:
            return x.new_zeros(len(x), 400)
        return torch.cat([x.mean((3, 4)).flatten(1), torch.full((len(x), 1), float(x.shape[3]))], 1)


@pytest.fixture(autouse=True)
def trusted() -> Iterator[None]:
    with trusting(True):
        yield


@pytest.fixture(scope="module")
def clips() -> Dataset:
    return open_dataset("shapes", kind="video", frames=8).subset(range(20))


def colours(clips: Dataset, frames: list[int]) -> Tensor:
    video = clips.batch(slice(0, len(clips)))["video"].float()
    return video[:, frames].mean((3, 4)).transpose(1, 2).flatten(1)


def test_torchscript_that_returns_features_gets_sixteen_frames_of_224_pixels(clips: Dataset, tmp_path: Path):
    torch.jit.script(LikeI3D()).save(str(tmp_path / "i3d.pt"))
    space = extractor_for(clips, 0, tmp_path, tmp_path / "i3d.pt")
    found = space.features(clips)
    twice = [round(place * 7 / 15) for place in range(16)]
    torch.testing.assert_close(found[:, :-1], colours(clips, twice), atol=1e-3, rtol=0)
    assert space.name == "i3d" and set(found[:, -1].tolist()) == {224.0}


@pytest.mark.parametrize(("first", "shape"), [(False, (2, 3, 4, 16, 16)), (True, (2, 4, 3, 16, 16))])
def test_an_onnx_file_says_how_many_frames_of_which_size_it_takes(clips: Dataset, tmp_path: Path, first: bool, shape: tuple):
    pytest.importorskip("onnxruntime")

    path = tmp_path / "network.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of its exporter
        torch.onnx.export(Tokens(first).eval(), (torch.zeros(shape),), path, input_names=["clips"], dynamo=True)
    found = extractor_for(clips, 0, tmp_path, path).features(clips)
    torch.testing.assert_close(found, 2 * colours(clips, [0, 2, 5, 7]), atol=5e-3, rtol=0)


class Tokens(nn.Module):
    """Two tokens, whose mean is twice the mean colours."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        colour = (x.transpose(1, 2) if self.first else x).mean((3, 4)).flatten(1)
        return torch.stack([colour, 3 * colour], 1)


def test_modules_and_functions_are_spaces_too(clips: Dataset, tmp_path: Path):
    expected = colours(clips, list(range(8)))
    torch.testing.assert_close(extractor_for(clips, 0, tmp_path, Mean()).features(clips), expected)
    maps = extractor_for(clips, 0, tmp_path, lambda x: x.repeat(1, 2, 1, 1, 1)).features(clips)
    torch.testing.assert_close(maps, expected.unflatten(1, (3, 8)).mean(2).repeat(1, 2), atol=1e-5, rtol=0)


def test_what_is_no_network_of_videos_is_refused(clips: Dataset, tmp_path: Path):
    (tmp_path / "broken.pt").write_bytes(b"no archive")
    for asked, sentence in (
        ("inception", "a network in FILE.onnx"),
        (tmp_path / "missing.onnx", "no such file"),
        (tmp_path / "broken.pt", "should hold a network"),
        (3, "should be a file"),
        (lambda x: x[:1].flatten(1), "should answer a batch of 16"),
    ):
        with pytest.raises(UserError, match=sentence):
            extractor_for(clips, 0, tmp_path, asked).features(clips)
