"""Games whose examples are made from a given image: what pix2pix, CycleGAN and super-resolution have in common after training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN


class Translating(GAN):
    """A GAN whose `generator` takes the image given, [B, C, H, W] of any size, to the one made of it."""

    tasks = ("pairs",)
    directions: Sequence[str] = ("b",)
    """The sides that it can make: b from a, for a cycle also a from b; for domains, their names."""
    partner: ClassVar[bool] = False
    """Whether it takes both images of a pair, a's channels before b's, and makes a third one in b's."""

    near: ClassVar[bool] = False
    """Whether it looks only so far around a pixel, so that tiles make what the whole makes."""
    crosses: ClassVar[bool] = False
    """Whether it learns from two domains whose images do not belong together."""

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        if not spec.aligned and not self.crosses:
            raise UserError(
                f"{self.name} needs images that belong together, but these are two domains: choose --gan "
                "cyclegan, cut or munit, or say --pairing names if files of one name belong together."
            )
        self.scale = spec.shape[1] // spec.source_shape[1]

    def maker(self, makes: str = "b") -> nn.Module:
        """The averaged network that makes this side of the other one."""
        return self.players["generator"].averaged

    def used(self, makes: str = "b") -> nn.Module:
        """The maker as it is used: of pictures with holes, what is known stays as it is."""
        return Filled(self.maker(makes)) if getattr(self.spec.source, "holes", False) else self.maker(makes)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the images given, "a" [n, ...]; neither rng nor truncation matter where no noise goes in."""
        return {self.spec.key: self.used()(condition["a"].to(self.device)).float(), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return Named(self.used()), {"input": torch.zeros(2, *self.spec.source_shape)}


class Styled(Translating):
    """A translating GAN that makes many images of one: its makers take a style [B, S] besides the image.

    The style comes of `config.noise` dimensions of normal noise, or of a reference image whose look is wanted.
    """

    @abstractmethod
    def style_of(self, reference: Tensor, makes: str = "b") -> Tensor:
        """The style [B, S] of reference images [B, C, H, W] of the side that is made."""

    def style_from(self, noise: Tensor, makes: str = "b") -> Tensor:
        """The style [B, S] of noise [B, config.noise]; the noise itself where nothing maps it."""
        return noise

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the images given, "a" [n, ...]; a truncation below 1 draws the styles nearer to their mean."""
        noise = truncation * torch.randn(n, self.config.noise, generator=rng).to(self.device)
        made = self.used()(condition["a"].to(self.device), self.style_from(noise)).float()
        return {self.spec.key: made, **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return NamedStyled(self.used()), {
            "input": torch.zeros(2, *self.spec.source_shape),
            "noise": torch.randn(2, self.config.noise),
        }


class Filled(nn.Module):
    """A network that fills holes, told by the last channel: where that is 1 the image is known, and stays."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)

    def forward(self, image: Tensor, *style: Tensor) -> Tensor:
        made = self.network(image, *style)
        return torch.where(image[:, -1:] > 0, image[:, : made.shape[1]], made)


class Named(nn.Module):
    """A network from image to image under the names that programs expect: `input` goes in, of any size that is a `multiple`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)

    def forward(self, input: Tensor) -> Tensor:
        return self.network(input)


class NamedStyled(Named):
    """A network from image and style to image, which go in as `input` and `noise`."""

    def forward(self, input: Tensor, noise: Tensor) -> Tensor:
        return self.network(input, noise)


def per_image(logits: Tensor) -> Tensor:
    """The mean logit [B] of an image's patches [B, ...]."""
    return logits.float().flatten(1).mean(1)
