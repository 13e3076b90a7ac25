"""Path length regularisation: equal steps in the latent space should change the image equally (Karras et al. 2020, section 3.2)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import grad

from gansmith.training import distributed
from gansmith.training.seeds import normal_rows

DECAY = 0.01
"""How much of the mean length each new batch decides (appendix B)."""


class PathLengthPenalty(nn.Module):
    """(|J^T y| - a)^2 with y random images and a the running mean of the lengths (equation 4), a buffer."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(
        self, images: Float[Tensor, "batch channels height width"], styles: Float[Tensor, "batch layers style"]
    ) -> Float[Tensor, ""]:
        """`images` must have been made from `styles`, which require gradients; differentiable in the generator's weights."""
        direction = normal_rows(*images.shape, device=images.device) / math.sqrt(images.shape[2] * images.shape[3])
        (slope,) = grad((images.float() * direction).sum(), styles, create_graph=True)
        lengths = slope.float().square().sum(2).mean(1).clamp_min(1e-12).sqrt()  # layers are averaged before the root
        with torch.no_grad():
            self.mean.lerp_(distributed.average(lengths.mean()), DECAY)
        return (lengths - self.mean).square().mean()
