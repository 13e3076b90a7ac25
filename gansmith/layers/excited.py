"""FastGAN's generator: gated blocks, and skip-layer excitation from low resolutions to high ones (Liu et al. 2021, section 3.1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, glu, interpolate, leaky_relu, pixel_shuffle

from gansmith.data.spec import Spec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.labels import Label, with_label
from gansmith.layers.noise import NoiseInput
from gansmith.layers.pyramid import pyramid


def widths(width: int, widest: int, stages: int) -> list[int]:
    """Channels from the lowest resolution up: doubled at each halving of the side."""
    return [min(widest, width << i) for i in reversed(range(stages))]


class SkipExcitation(nn.Module):
    """Gates the channels of a large map by what a small one holds (equations 1 and 2)."""

    def __init__(self, low: int, high: int, base: tuple[int, int]) -> None:
        """`base`: the lowest resolution, to which the small map is averaged."""
        super().__init__()
        self.base = base
        self.gather = nn.Conv2d(low, high, base)
        self.gate = nn.Conv2d(high, high, 1)

    def forward(
        self, low: Float[Tensor, "batch low _ _"], high: Float[Tensor, "batch high height width"]
    ) -> Float[Tensor, "batch high height width"]:
        x = avg_pool2d(low, low.shape[2] // self.base[0])
        x = leaky_relu(self.gather(x), 0.1)
        return high * self.gate(x).sigmoid()


class GatedUp(nn.Module):
    """Twice the side, then a 3x3 convolution, noise, batch norm and a gated linear unit; every other stage has two of these."""

    def __init__(self, channels_in: int, channels_out: int, size: tuple[int, int], *, twice: bool) -> None:
        super().__init__()
        count = 2 if twice else 1
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels_in if i == 0 else channels_out, 2 * channels_out, 3, padding=1, bias=False) for i in range(count)
        )
        self.noises = nn.ModuleList(NoiseInput(*size) for _ in range(count))
        self.norms = nn.ModuleList(BatchNorm(2 * channels_out) for _ in range(count))

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        x = interpolate(x, scale_factor=2, mode="nearest")
        for convolution, noise, norm in zip(self.convolutions, self.noises, self.norms, strict=True):
            x = glu(norm(noise(convolution(x))), 1)
        return x


class ExcitedGenerator(nn.Module):
    """Noise (and label) to an image of any size and number of channels."""

    def __init__(self, spec: Spec, *, noise: int, width: int, widest: int, patch: int) -> None:
        super().__init__()
        self.spec, self.patch = spec, patch
        stages, base = pyramid(spec.shape[1], spec.shape[2], patch)
        channels = widths(width, widest, stages)
        self.first = nn.ConvTranspose2d(noise + spec.label_width, 2 * channels[0], base, bias=False)
        self.first_norm = BatchNorm(2 * channels[0])
        self.blocks = nn.ModuleList(
            GatedUp(a, b, (base[0] << i, base[1] << i), twice=i % 2 == 0)
            for i, (a, b) in enumerate(zip(channels, channels[1:], strict=False), start=1)
        )
        self.reach = min(4, stages // 2 + 1)  # the paper's: a map gates the one 16 times as wide
        self.skips = nn.ModuleList(SkipExcitation(a, b, base) for a, b in zip(channels, channels[self.reach :], strict=False))
        self.last = nn.Conv2d(channels[-1], spec.shape[0] * patch**2, 3, padding=1)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(layer.weight, 0, 0.02)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = with_label(noise, label, self.spec)[:, :, None, None]
        maps = [glu(self.first_norm(self.first(x)), 1).contiguous(memory_format=torch.channels_last)]
        for block in self.blocks:
            x = block(maps[-1])
            source = len(maps) - self.reach
            maps.append(self.skips[source](maps[source], x) if source >= 0 else x)
        return bounded(pixel_shuffle(self.last(maps[-1]), self.patch))
