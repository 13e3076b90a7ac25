"""Minibatch standard deviation: the critic sees how varied a group of examples is (Karras et al. 2018, section 3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MinibatchDeviation(nn.Module):
    """Appends planes that hold the mean deviation of the features over each group of examples, the same for the whole group.

    Groups are consecutive rows, so that parts of a batch, in accumulation or in several processes, give what the whole batch
    gives. A batch that the group does not divide is split into the largest groups that divide it.
    """

    def __init__(self, *, group: int = 4, planes: int = 1) -> None:
        """`planes`: into how many sets the channels are split, each with a plane of its own."""
        super().__init__()
        self.group, self.planes = group, planes

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch more height width"]:
        batch, _, height, width = x.shape
        group = next(size for size in range(min(self.group, batch), 0, -1) if batch % size == 0)
        grouped = x.float().unflatten(0, (-1, group)).unflatten(2, (self.planes, -1))  # [batch / group, group, planes, C, H, W]
        variance = (grouped - grouped.mean(1, keepdim=True)).square().mean(1)  # `var` is ten times as slow in channels_last
        deviation = (variance + 1e-8).sqrt().mean((2, 3, 4))  # [batch / group, planes]
        planes = deviation.repeat_interleave(group, 0)[:, :, None, None].expand(-1, -1, height, width)
        return torch.cat([x, planes.to(x.dtype)], 1)
