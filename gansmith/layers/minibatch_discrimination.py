"""Minibatch discrimination: a critic that sees how near examples lie to each other (Salimans et al. 2016, section 3.2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """Appends to a feature map [B, C, H, W] one plane for each kernel: how close this example is to the others of the batch.

    Features are mapped linearly to `kernels` rows of `dimensions` numbers; the closeness of two examples is exp(-L1 distance) of
    their rows, summed over the others (equation 1; an example is no neighbour of itself).
    """

    def __init__(self, features: int, kernels: int, dimensions: int) -> None:
        super().__init__()
        self.project = nn.Linear(features, kernels * dimensions, bias=False)
        nn.init.normal_(self.project.weight, 0, features**-0.5)  # rows of unit deviation: distances that exp(-) can tell apart
        self.kernels, self.dimensions = kernels, dimensions

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch more height width"]:
        rows = self.project(x.flatten(1)).float().unflatten(1, (self.kernels, self.dimensions))  # [B, K, D]
        distance = (rows[:, None] - rows[None]).abs().sum(3)  # [B, B, K]
        closeness = (-distance).exp().sum(1) - 1
        planes = closeness.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return torch.cat([x, planes], dim=1)
