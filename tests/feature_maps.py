"""A frozen network for tests: two maps of any image."""

from torch import Tensor, nn


class Maps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.input_channels = 3
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> list[Tensor]:
        first = self.first(images).relu()
        return [first, self.second(first).relu()]


def maps() -> nn.Module:
    return Maps()


def vector() -> nn.Module:
    return nn.Flatten()
