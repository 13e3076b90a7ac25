"""What GANs share whose writer makes tokens of a row of normal noise: nothing can be given, and the truncation is the temperature."""

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.game import GAN, Player
from gansmith.layers.sequence import example_inputs, refused


class Written(GAN):
    """A game about what a writer writes."""

    spec: TokenSpec
    kinds = ("text",)
    axes = (("token",),)
    generator: Player

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n texts; the truncation is the temperature of the draws, 0 taking the likeliest token each time."""
        refused(self.name, condition)
        noise = torch.randn(n, self.spec.shape[0], generator=rng).to(self.device)
        label = condition["label"].to(self.device) if "label" in condition else None
        return {self.spec.key: self.generator.averaged(noise, label, truncation), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return self.generator.averaged, example_inputs(self.spec)
