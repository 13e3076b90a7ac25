"""Small models to reach into."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from tests import toys


class Styled(nn.Module):
    """A generator with a mapping and a style for each of two layers: the first decides the left half, the second the right one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 32, bias=False), nn.Linear(6, 32, bias=False)
        self.table = nn.Linear(16, 6)

    def mapping(self, noise: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        return self.table(noise)[:, None].expand(-1, 2, -1)

    def synthesis(self, styles: torch.Tensor) -> torch.Tensor:
        halves = [self.first(styles[:, 0]), self.second(styles[:, 1])]
        return torch.tanh(torch.cat([half.view(-1, 1, 8, 4) for half in halves], 3))

    def forward(self, noise: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        return self.synthesis(self.mapping(noise, label))


def made(name: str, data: Any) -> Model:
    seed_everything(0)
    return Model(toys.small(name, data).eval(), data.codec, {"gan": name, "data": data.name, "samples": 0})


@pytest.fixture
def labelled() -> Model:
    return made("dcgan", toys.images(classes=3))


@pytest.fixture
def attributed() -> Model:
    return made("dcgan", toys.attributed())


@pytest.fixture
def plain() -> Model:
    return made("gan", toys.images())


@pytest.fixture
def points() -> Model:
    return made("r3gan", toys.points())


@pytest.fixture
def styled(plain: Model) -> Model:
    """A model with styles of layers, which none of the smallest GANs has."""
    player = plain.gan.players["generator"]
    torch.manual_seed(0)
    player.network, player.average = Styled().eval(), None
    return plain


@pytest.fixture
def dcgan() -> Any:
    return partial(made, "dcgan")
