"""Games whose examples are made from a given image: what pix2pix, CycleGAN and super-resolution have in common after training."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.game import GAN


class Translating(GAN):
    """A GAN whose `generator` takes the image given, [B, C, H, W] of any size, to the one made of it."""

    kinds = ("pairs",)
    directions: ClassVar[tuple[str, ...]] = ("b",)
    """The sides that it can make: b of a, and for a cycle a of b too."""

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.scale = spec.shape[1] // spec.given[1]

    def maker(self, makes: str = "b") -> nn.Module:
        """The averaged network that makes this side of the other one."""
        return self.players["generator"].averaged

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the images given, "a" [n, ...]; neither rng nor truncation matter where no noise goes in."""
        return {self.spec.key: self.maker()(condition["a"].to(self.device)).float(), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return Named(self.maker()), {"input": torch.zeros(2, *self.spec.given)}


class Named(nn.Module):
    """A network from image to image under the names that programs expect: `input` goes in, of any size that is a `multiple`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)

    def forward(self, input: Tensor) -> Tensor:
        return self.network(input)


def per_image(logits: Tensor) -> Tensor:
    """The mean logit [B] of an image's patches [B, ...]."""
    return logits.float().flatten(1).mean(1)
