"""Published networks, of packages that are played here."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.networks.pretrained.pretrained import KNOWN, from_known, from_timm, from_torchvision

MEAN, DEVIATION = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


class Pooled(nn.Module):
    """Means of colours and of their squares, and a classifier of them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(pooled(images))


def pooled(images: Tensor) -> Tensor:
    return torch.cat([images.mean((2, 3)), images.square().mean((2, 3))], 1)


class Bare(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return pooled(images)


def seen(images: Tensor, side: int, mode: str) -> Tensor:
    """Gray images as a published network should see them."""
    large = interpolate(images.repeat(1, 3, 1, 1), size=(side, side), mode=mode, antialias=True).clamp(-1, 1)
    return ((large + 1) / 2 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)


@pytest.fixture
def conditions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """A timm whose every network is the same; it notes what it was asked for, and has no network for one of them."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def create_model(name: str, pretrained: bool = False, **options: Any) -> nn.Module:
        asked.append((name, {"pretrained": pretrained, **options}))
        if name == "offline_net":
            raise OSError("no route to the hub\nand much more")
        return Bare()

    def config(network: nn.Module) -> dict[str, Any]:
        return {"input_size": (3, 12, 12), "interpolation": "bicubic", "mean": MEAN, "std": DEVIATION, "crop_pct": 0.9}

    names = ["offline_net", "small_net", *(known.network.partition(".")[0] for known in KNOWN.values())]
    timm, data = ModuleType("timm"), ModuleType("timm.data")
    vars(timm).update(create_model=create_model, is_model=names.__contains__, list_models=lambda: names, data=data)
    vars(data).update(resolve_model_data_config=config)
    monkeypatch.setitem(sys.modules, "timm", timm)
    monkeypatch.setitem(sys.modules, "timm.data", data)
    return asked


@pytest.fixture
def classifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torchvision of two networks, one without a linear layer."""
    own = SimpleNamespace(crop_size=[10], mean=MEAN, std=DEVIATION, interpolation=SimpleNamespace(value="bilinear"))
    weights = SimpleNamespace(DEFAULT=SimpleNamespace(transforms=lambda: own))
    torchvision, models = ModuleType("torchvision"), ModuleType("torchvision.models")
    known = {"pooled": Pooled, "bare": Bare}
    vars(models).update(
        list_models=lambda module: list(known),
        get_model_weights=lambda name: weights,
        get_model=lambda name, weights: known[name](),
    )
    vars(torchvision).update(models=models)
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


def few(data: Dataset) -> tuple[Dataset, Tensor]:
    data = data.subset(np.arange(6))
    return data, data.batch(slice(None))["image"]


def test_a_network_of_timm_sees_the_whole_image_in_its_own_way(
    conditions: list[tuple[str, dict[str, Any]]], striped: tuple[Dataset, Dataset, Dataset]
) -> None:
    data, images = few(striped[1])
    space = from_timm("small_net")
    assert conditions == [("small_net", {"pretrained": True, "num_classes": 0})]
    assert space.name == "small_net"
    assert torch.allclose(space.features(data), pooled(seen(images, 12, "bicubic")), atol=1e-5)


def test_dinov2_sees_224_pixels_and_clip_is_compared_by_direction(
    conditions: list[tuple[str, dict[str, Any]]], striped: tuple[Dataset, Dataset, Dataset]
) -> None:
    data, images = few(striped[1])
    dino, clip = from_known("dinov2"), from_known("clip")
    assert conditions[0] == ("vit_large_patch14_dinov2.lvd142m", {"pretrained": True, "num_classes": 0, "img_size": 224})
    assert conditions[1] == ("vit_large_patch14_clip_quickgelu_336.openai", {"pretrained": True})
    assert torch.allclose(dino.features(data), pooled(seen(images, 224, "bicubic")), atol=1e-4)
    directions = pooled(seen(images, 12, "bicubic"))
    assert torch.allclose(clip.features(data), directions / directions.norm(dim=1, keepdim=True), atol=1e-5)
    assert dino.key != clip.key


def test_a_classifier_of_torchvision_gives_what_its_last_layer_sees(
    classifiers: None, striped: tuple[Dataset, Dataset, Dataset]
) -> None:
    data, images = few(striped[1])
    space = from_torchvision("pooled")
    assert space.name == "pooled"
    assert torch.allclose(space.features(data), pooled(seen(images, 10, "bilinear")), atol=1e-5)
    with pytest.raises(UserError, match="no linear layer"):
        from_torchvision("bare")


def test_unknown_networks_are_told_with_the_nearest_name(conditions: list[tuple[str, dict[str, Any]]], classifiers: None) -> None:
    with pytest.raises(UserError, match='timm has no network "smal_net" \\(did you mean "small_net"\\?\\)'):
        from_timm("smal_net")
    with pytest.raises(UserError, match='torchvision has no network "poled" \\(did you mean "pooled"\\?\\)'):
        from_torchvision("poled")


def test_offline_one_sentence_says_so(conditions: list[tuple[str, dict[str, Any]]]) -> None:
    with pytest.raises(UserError, match="offline_net must be fetched once and could not be \\(no route to the hub\\)") as told:
        from_timm("offline_net")
    assert "\n" not in str(told.value)


def test_without_the_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    for make, name in ((from_timm, "small_net"), (from_known, "dinov2"), (from_torchvision, "resnet50")):
        with pytest.raises(UserError, match='pip install "gansmith\\[features\\]"'):
            make(name)
