"""Noise inputs: detail that no latent decides (Karras et al. 2019, section 3.2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.training.seeds import normal_rows


class NoiseInput(nn.Module):
    """Adds a noise image, times one learned strength, to all channels. Fresh in training; afterwards always the same one.

    So a latent means one image, in every export too.
    """

    rest: Tensor

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("rest", torch.randn(1, 1, height, width))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        noise = normal_rows(len(x), *self.rest.shape[1:], device=x.device) if self.training else self.rest
        return x + (noise * self.strength).to(x.dtype)
