"""The 2-1-2D network of voice conversion (Kaneko et al. 2019, CycleGAN-VC2, figure 2): two dimensions at the ends, time alone inside."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import instance_norm, pixel_shuffle

LAYOUT = torch.channels_last
"""Of what the widest convolutions take: their gradients then take a third of the time on a CPU."""
Spectrum = Float[Tensor, "batch channels bands frames"]


class Gated(nn.Module):
    """A convolution whose half of the channels opens the other half (Dauphin et al. 2017), after instance normalisation."""

    def __init__(self, convolution: nn.Module, *, norm: bool = True, shuffle: int = 1) -> None:
        """`convolution` answers twice the channels (and shuffle**2 times as many again, which become pixels)."""
        super().__init__()
        self.convolution, self.norm, self.shuffle = convolution, norm, shuffle

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x)
        x = pixel_shuffle(x, self.shuffle) if self.shuffle > 1 else x
        value, gate = (instance_norm(x) if self.norm else x).chunk(2, 1)
        return value * gate.sigmoid()


class SpokenBy(nn.Module):
    """A residual block along time; after instance normalisation, the voice decides scale and shift (Kaneko et al. 2019, StarGAN-VC2,
    section 3.2)."""

    def __init__(self, width: int, inner: int, voices: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(width, 2 * inner, 3, padding=1), nn.Conv1d(inner, width, 3, padding=1)
        self.scale, self.shift = (nn.Embedding(voices, 2 * inner) for _ in range(2))
        nn.init.normal_(self.scale.weight, std=0.1)
        nn.init.normal_(self.shift.weight, std=0.1)

    def forward(
        self, x: Float[Tensor, "batch width frames"], voice: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch width frames"]:
        inner = instance_norm(self.first(x)) * (1 + self.scale(voice)[:, :, None]) + self.shift(voice)[:, :, None]
        value, gate = inner.chunk(2, 1)
        return x + instance_norm(self.second(value * gate.sigmoid()))


class Converter(nn.Module):
    """A spectrum with a channel that says which frames are there, and a voice, to the spectrum in that voice.

    Bands must be a multiple of 4. It begins as the identity.
    """

    def __init__(self, bands: int, voices: int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.enter = Gated(nn.Conv2d(2, 2 * width, (5, 7), padding=(2, 3)), norm=False)
        self.down = nn.ModuleList(Gated(nn.Conv2d(a, 4 * width, 5, stride=2, padding=2)) for a in (width, 2 * width))
        inner, flat = 4 * width, 2 * width * (bands // 4)
        self.rows = bands // 4
        self.squeeze, self.spread = nn.Conv1d(flat, inner, 1), nn.Conv1d(inner, flat, 1)
        self.blocks = nn.ModuleList(SpokenBy(inner, 2 * inner, voices) for _ in range(blocks))
        self.up = nn.ModuleList(
            Gated(nn.Conv2d(a, 8 * b, 3, padding=1), shuffle=2) for a, b in ((2 * width, width), (width, width))
        )
        self.leave = nn.Conv2d(width, 1, (5, 7), padding=(2, 3))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Spectrum, voice: Int[Tensor, " batch"], there: Spectrum | None = None) -> Spectrum:
        there = torch.ones_like(x) if there is None else there
        y = self.enter(torch.cat([x * there, there], 1).contiguous(memory_format=LAYOUT))
        for layer in self.down:
            y = layer(y)
        channels = y.shape[1]
        y = instance_norm(self.squeeze(y.flatten(1, 2)))
        for block in self.blocks:
            y = block(y, voice)
        y = instance_norm(self.spread(y)).unflatten(1, (channels, self.rows))
        for layer in self.up:
            y = layer(y)
        return x * there + self.leave(y[:, :, :, : x.shape[3]].contiguous(memory_format=LAYOUT))
