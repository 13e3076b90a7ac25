"""Inception-v3: the same features as the packages that FIDs are taken with, by every engine."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.images.features.inception import VARIABLE, Inception, read_network
from gansmith.kinds.opening import open_dataset
from gansmith.networks.pretrained import inception_engines
from gansmith.networks.pretrained.inception_network import InceptionV3

# of the weights and images below: torch-fidelity 0.4.0 and pytorch-fid 0.3.0 with torch 2.13.0
RECORDED = {
    "tensorflow": ([0.0, 0.04506034, 0.68456352], [0.0, 0.04300953, 0.71443921], [549.992432, 572.394409]),
    "pytorch": ([0.0, 0.04617130, 0.69309847], [0.0, 0.04657868, 0.72260427], [551.716309, 574.523438]),
    # the network of the above on images that clean-fid 0.1.35 had resized
    "clean": ([0.0, 0.04491790, 0.70476431], [0.0, 0.04416684, 0.75526720], None),
}
LOGITS = [[-0.43277430, 0.87306595], [-0.46348551, 0.87748981]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file in the usual layout, the same on every machine."""
    network = InceptionV3()
    with torch.no_grad():
        for i, (name, parameter) in enumerate(network.named_parameters()):
            noise = torch.from_numpy(np.random.RandomState(i).standard_normal(parameter.numel())).view(parameter.shape)
            if name.endswith("bn.weight"):
                parameter.copy_(1 + 0.1 * noise)
            elif parameter.dim() == 1:
                parameter.copy_(0.1 * noise)
            else:
                parameter.copy_(noise * 1.4 / parameter[0].numel() ** 0.5)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def waves(images: Callable[..., Dataset]) -> Dataset:
    y, x, c, b = np.meshgrid(np.arange(40), np.arange(56), np.arange(3), np.arange(2), indexing="ij")
    pixels = (127.5 + 127.5 * np.sin(0.3 * y * (1 + b) + 0.2 * x * (1 + c) + b)).round().astype(np.uint8)
    return images({"image": np.ascontiguousarray(pixels.transpose(3, 2, 0, 1))}, name="waves")


@pytest.mark.parametrize("resize", RECORDED)
def test_features_are_those_of_the_packages(resize: str, weights: Path, waves: Dataset, tmp_path: Path) -> None:
    inception = Inception.open(tmp_path, weights=weights, resize=resize, wanted=("features", "spatial"))
    found = inception.outputs(waves)
    first, second, sums = RECORDED[resize]
    assert found["features"].shape == (2, 2048)
    assert found["spatial"].shape == (2, 7 * 17 * 17)
    np.testing.assert_allclose(found["features"][:, :3], [first, second], atol=2e-5)
    if sums is not None:
        np.testing.assert_allclose(found["features"].sum(1), sums, rtol=1e-5)
    if resize == "tensorflow":
        np.testing.assert_allclose(inception.logits(found["features"])[:, :2], LOGITS, atol=2e-5)
    assert inception.name == f"inception-v3-{resize}"


def test_every_engine_gives_the_features_of_the_plain_network(
    weights: Path, waves: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = read_network(weights)
    images = torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    with torch.inference_mode():
        plain = network(images)
        engines = {
            "fused": inception_engines.fused(network, torch.float32),
            "folded": inception_engines.folded(network, torch.device("cpu"), torch.float32),
            "bfloat16": inception_engines.fused(network, torch.bfloat16),
        }
        for name, engine in engines.items():
            for output, expected in zip(engine(images), plain, strict=True):
                off = float((output - expected).norm() / expected.norm())
                assert off < (0.05 if name == "bfloat16" else 1e-5), name
                assert output.dtype == torch.float32
                assert name != "bfloat16" or off > 1e-4
    fast = Inception.open(tmp_path, weights=weights, fast=True)
    assert fast.name == "inception-v3-clean-fast"
    assert fast.key != fast.exact.key
    assert fast.exact.name == "inception-v3-clean"


def test_grey_images_are_those_of_three_equal_channels_and_progress_is_told(
    weights: Path, images: Callable[..., Dataset], tmp_path: Path
) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (3, 1, 20, 20)).astype(np.uint8)
    told = []
    inception = Inception.open(tmp_path, weights=weights, progress=lambda done, total: told.append((done, total)))
    of_grey = inception.features(images({"image": grey}))
    of_colour = inception.features(images({"image": np.repeat(grey, 3, axis=1)}))
    assert torch.equal(of_grey, of_colour)
    assert told == [(3, 3), (3, 3)]


def test_wrong_files_unknown_resizings_and_missing_weights_are_named(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UserError, match=r"text.pth should hold the weights of Inception-v3"):
        Inception.open(tmp_path, weights=tmp_path / "text.pth")
    torch.save({"fc.weight": torch.zeros(1008, 2048)}, tmp_path / "part.pth")
    with pytest.raises(UserError, match=r"part.pth should hold the weights of Inception-v3"):
        Inception.open(tmp_path, weights=tmp_path / "part.pth")
    with pytest.raises(UserError, match=r'no resizing "cleen".*"clean"'):
        Inception.open(tmp_path, weights=weights, resize="cleen")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent.pth"))
    with pytest.raises(UserError, match=VARIABLE):
        Inception.open(tmp_path)


def test_images_of_many_sizes_come_to_the_network_from_their_own_size(weights: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sizes = {"a.png": (30, 44), "b.png": (90, 61), "d.png": (64, 64)}  # width and height
    for name, (width, height) in sizes.items():
        Image.fromarray(rng.integers(0, 256, (height // 4, width // 4, 3), np.uint8)).resize((width, height)).save(
            tmp_path / name
        )
    (tmp_path / "c.png").write_bytes(b"damaged")
    inception = Inception.open(tmp_path / "cache", weights=weights)
    opening = {"cache": tmp_path / "cache", "skip_unreadable": True}
    together = open_dataset(tmp_path, **opening, originals=True)
    packed = open_dataset(tmp_path, **opening)
    assert together.fingerprint != packed.fingerprint and packed.originals is None
    backwards = inception.features(together.subset(np.array([2, 0, 1])))
    for position, name in enumerate(("d.png", "a.png", "b.png")):
        width, height = sizes[name]
        alone = open_dataset(tmp_path / name, resolution=(height, width), cache=tmp_path / "cache")
        torch.testing.assert_close(backwards[position : position + 1], inception.features(alone), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(backwards, inception.features(packed.subset(np.array([2, 0, 1]))), rtol=1e-2)


def test_images_of_one_small_size_need_no_originals(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 24)).save(tmp_path / name)
    assert open_dataset(tmp_path, cache=tmp_path / "cache", originals=True).originals is None
