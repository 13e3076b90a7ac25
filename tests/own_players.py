"""Networks as users bring them: modules that know nothing of gansmith."""

from math import prod

import torch
from torch import Tensor, nn


class Generator(nn.Module):
    """Rows of noise, and labels if there are any, to examples."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.shape = shape
        self.enter = nn.Linear(8, 16)
        self.of_label = nn.Embedding(max(1, classes), 16)
        self.leave = nn.Sequential(nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, prod(shape)))

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.enter(noise)
        if label is not None and not label.is_floating_point():
            x = x + self.of_label(label)
        return self.leave(x).view(-1, *self.shape)


def make_generator(shape: tuple[int, ...], classes: int) -> nn.Module:
    return Generator(shape, classes)


def make_critic(shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def maps_of_maps() -> nn.Module:
    """Noise as maps [n, 6, 1, 1]; a sigmoid at the end."""
    return nn.Sequential(nn.ConvTranspose2d(6, 4, 7), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 4), nn.Sigmoid())


class Last(nn.Module):
    """Channels last; takes and makes what Keras would."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 5)
        self.noise = nn.Linear(12, 28 * 28)

    def forward(self, x: Tensor) -> Tensor:
        return self.noise(x).view(-1, 28, 28, 1).tanh()


def channels_last() -> nn.Module:
    return Last()


class LastCritic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 5)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1:] != (28, 28, 1):
            raise ValueError(f"images [n, 28, 28, 1] are expected, not {list(x.shape)}")
        return torch.sigmoid(self.layer(x).mean((1, 2, 3)))[:, None]


def probable() -> nn.Module:
    return LastCritic()


def nothing() -> str:
    return "a network"


def broken() -> nn.Module:
    raise RuntimeError("no such layer")


def too_small() -> nn.Module:
    return nn.Linear(10, 5)
