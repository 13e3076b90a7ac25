"""ConvNeXt blocks along time (Liu et al. 2022; in one dimension as in Vocos, Siuzdak 2023, section 3.2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu


class OverChannels(nn.LayerNorm):
    """Layer normalisation of every frame over its channels."""

    def forward(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch channels frames"]:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class ConvNeXt(nn.Module):
    """A depthwise convolution of 7 frames, `apart` frames from each other, then two linear maps of every frame, added to what came in."""

    def __init__(self, width: int, inner: int, scale: float, apart: int = 1) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 7, padding=3 * apart, dilation=apart, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        inner = self.narrow(gelu(self.widen(self.norm(self.mix(x).transpose(1, 2)))))
        return x + (self.scale * inner).transpose(1, 2)


class FrameNetwork(nn.Module):
    """Numbers at every frame to other numbers at every frame: a convolution of 7 frames, `blocks` ConvNeXt blocks, a linear map.

    The frames that the blocks mix are `apart` of each other in turn: 1, or for instance (1, 2, 4). It looks at `reach` frames on each side:
    3 for the first convolution and 3 * apart for each block. With `start` 0 it begins by answering 0.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        blocks: int,
        out: int,
        *,
        expansion: int = 3,
        start: float = 1.0,
        apart: tuple[int, ...] = (1,),
    ) -> None:
        super().__init__()
        steps = [apart[place % len(apart)] for place in range(blocks)]
        self.reach = 3 * (1 + sum(steps))
        self.enter = nn.Conv1d(channels, width, 7, padding=3)
        self.norm = OverChannels(width)
        self.blocks = nn.Sequential(*(ConvNeXt(width, expansion * width, 1 / max(1, blocks), step) for step in steps))
        self.last_norm = OverChannels(width)
        self.leave = nn.Conv1d(width, out, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType], all of them have one
        with torch.no_grad():
            self.leave.weight.mul_(start)

    def forward(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch out frames"]:
        return self.leave(self.last_norm(self.blocks(self.norm(self.enter(x)))))
