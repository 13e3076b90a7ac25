"""What GANs that make waves of a given wave or spectrum have in common after training."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.game import GAN


class Given(nn.Module):
    """A network under the name that programs expect of its input."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)
        if hasattr(network, "tolerance"):
            self.tolerance = network.tolerance

    def forward(self, input: Tensor) -> Tensor:
        return self.network(input)


class MakingWaves(GAN):
    """A GAN whose `generator` makes the wave "b" of what is given, "a": a wave [n, samples] or a mel spectrum [n, bands, frames], of any
    length."""

    kinds = ("audio",)
    tasks = ("pairs",)
    source_axes: ClassVar[tuple[tuple[str, ...], ...]] = (("sample",),)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """Neither rng nor truncation matter, since no noise goes in."""
        return {self.spec.key: self.players["generator"].averaged(condition["a"].to(self.device)).float(), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        rng = torch.Generator().manual_seed(0)
        return Given(self.players["generator"].averaged), {"input": 0.1 * torch.randn(2, *self.spec.source_shape, generator=rng)}
