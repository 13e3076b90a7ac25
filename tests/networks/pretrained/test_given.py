"""Modules and functions of the user's own as feature spaces."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.extractors import Extractor
from gansmith.networks.pretrained.given import Given, with_channels


class Small(nn.Module):
    """A convolution with dropout that remembers in which mode and with what it was called."""

    def __init__(self, channels: int = 1, **attributes: Any) -> None:
        super().__init__()
        self.convolution, self.dropout = nn.Conv2d(channels, 5, 3), nn.Dropout(0.5)
        self.shapes: list[tuple[int, ...]] = []
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, images: Tensor) -> Tensor:
        self.shapes.append(tuple(images.shape))
        return self.dropout(self.convolution(images))


def everything(data: Dataset) -> Tensor:
    return data.batch(slice(None))["image"]


def test_maps_are_averaged_over_space_for_all_examples_in_order(striped: tuple[Dataset, Dataset, Dataset]) -> None:
    data, module = striped[1], Small()
    space = Given(module)
    assert isinstance(space, Extractor)
    assert space.name == "Small"
    features = space.features(data)
    expected = module.convolution(everything(data)).mean((2, 3)).detach()
    assert features.dtype == torch.float32
    assert torch.allclose(features, expected, atol=1e-6)
    assert max(shape[0] for shape in module.shapes) == 64


def test_each_part_of_a_module_is_left_in_its_own_mode(striped: tuple[Dataset, Dataset, Dataset]) -> None:
    module = Small()
    module.convolution.eval()
    space = Given(module)
    assert torch.equal(space.features(striped[1]), space.features(striped[1]))  # no dropout
    assert module.training and module.dropout.training and not module.convolution.training


def test_a_function_is_a_space_of_its_own_name(striped: tuple[Dataset, Dataset, Dataset]) -> None:
    def halves(images: Tensor) -> Tensor:
        return images.flatten(1)[:, ::2]

    space = Given(halves)
    assert space.name == "halves"
    assert torch.equal(space.features(striped[1]), everything(striped[1]).flatten(1)[:, ::2])
    assert Given(lambda images: images.flatten(1)).name == "lambda"


def test_points_are_given_as_they_are(on_ring: tuple[Dataset, Dataset, Dataset]) -> None:
    data = on_ring[1]
    assert torch.equal(Given(lambda points: points * 2).features(data), data.batch(slice(None))["point"] * 2)


@pytest.mark.parametrize(("size", "sides"), [(12, (12, 12)), ((6, 10), (6, 10))])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_images_are_resized_and_coloured_where_the_network_says_so(
    striped: tuple[Dataset, Dataset, Dataset], size: Any, sides: tuple[int, int], mode: str
) -> None:
    module = Small(3, input_size=size, input_channels=3, input_interpolation=mode)
    data = striped[1].subset(np.arange(5))
    features = Given(module).features(data)
    large = interpolate(everything(data).repeat(1, 3, 1, 1), size=sides, mode=mode, antialias=True).clamp(-1, 1)
    assert module.shapes == [(5, 3, *sides)]
    assert torch.allclose(features, module.convolution(large).mean((2, 3)).detach(), atol=1e-6)


def test_colours_are_averaged_and_transparent_images_lie_on_white() -> None:
    colours = torch.rand(2, 3, 4, 4) * 2 - 1
    assert torch.allclose(with_channels(colours, 1), colours.mean(1, keepdim=True))
    assert with_channels(colours, None) is colours
    clear, solid = torch.full((2, 1, 4, 4), -1.0), torch.ones(2, 1, 4, 4)
    assert torch.equal(with_channels(torch.cat([colours, clear], 1), 3), torch.ones(2, 3, 4, 4))
    assert torch.allclose(with_channels(torch.cat([colours, solid], 1), 3), colours)


@pytest.mark.parametrize(
    "attributes", [{"input_size": "large"}, {"input_size": (3, 8, 8)}, {"input_channels": 2}, {"input_interpolation": "nearest"}]
)
def test_attributes_that_cannot_be_are_told(attributes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(attributes))):
        Given(Small(**attributes))


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (Small(3), "should take a float32 batch of shape \\[64, 1, 8, 8\\]"),
        (lambda images: images[0], "a tensor \\[64, features\\]"),
        (lambda images: images[:, 0], "\\[64, 8, 8\\] came"),
        (lambda images: (images, images), "a tuple came"),
    ],
)
def test_a_network_that_fails_or_answers_otherwise_is_told(
    striped: tuple[Dataset, Dataset, Dataset], network: Callable[[Tensor], Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        Given(network).features(striped[1])
