"""HiFi-GAN's generator (Kong et al. 2020, section 2.2): frames made longer step by step, by residual blocks of several reaches."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.layers.wave_critics import SLOPE

DILATIONS = (1, 3, 5)


def enlargements(hop: int) -> list[int]:
    """Factors whose product is the hop, by eight as long as that leaves any, then by two: 8, 8, 2, 2 of 256, as in the paper.

    What is left of a hop that is no power of two comes last.
    """
    found = []
    while hop % 8 == 0:
        found.append(8)
        hop //= 8
    while hop % 2 == 0:
        found.append(2)
        hop //= 2
    return [*found, hop] if hop > 1 or not found else found


class Residual(nn.Module):
    """For each dilation two convolutions, added to what came in."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.wide = nn.ModuleList(nn.Conv1d(width, width, size, dilation=own, padding=size // 2 * own) for own in DILATIONS)
        self.plain = nn.ModuleList(nn.Conv1d(width, width, size, padding=size // 2) for _ in DILATIONS)

    def forward(self, x: Float[Tensor, "batch width samples"]) -> Float[Tensor, "batch width samples"]:
        for wide, plain in zip(self.wide, self.plain, strict=True):
            x = x + plain(leaky_relu(wide(leaky_relu(x, SLOPE)), SLOPE))
        return x


class HifiGenerator(nn.Module):
    """Numbers at every frame to a wave of frames * hop samples.

    It looks at `reach` frames on each side. The channels are halved at each enlargement; after it, residual blocks with kernels of these
    `sizes` are averaged.
    """

    def __init__(self, channels: int, hop: int, *, width: int, sizes: Sequence[int]) -> None:
        super().__init__()
        factors = enlargements(hop)
        widths = [max(1, width >> place) for place in range(len(factors) + 1)]
        self.enter = nn.Conv1d(channels, width, 7, padding=3)
        self.grow = nn.ModuleList(
            nn.ConvTranspose1d(a, b, 2 * by, by, padding=by // 2 + by % 2, output_padding=by % 2)
            for a, b, by in zip(widths, widths[1:], factors, strict=False)
        )
        self.blocks = nn.ModuleList(nn.ModuleList(Residual(own, size) for size in sizes) for own in widths[1:])
        self.leave = nn.Conv1d(widths[-1], 1, 7, padding=3)
        reach, step = 3.0, 1.0  # in frames
        for by in factors:
            reach, step = reach + step, step / by
            reach += step * (max(sizes) // 2) * sum(own + 1 for own in DILATIONS)
        self.reach = int(reach + 3 * step) + 1

    def forward(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch samples"]:
        x = self.enter(x)
        for grow, blocks in zip(self.grow, self.blocks, strict=True):
            x = grow(leaky_relu(x, SLOPE))
            x = torch.stack([block(x) for block in blocks]).mean(0)  # pyright: ignore[reportGeneralTypeIssues]
        return self.leave(leaky_relu(x, SLOPE))[:, 0].float().tanh()
