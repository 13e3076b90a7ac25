"""Generators of super-resolution: a small image to one `scale` times as large. They know no global statistics, so tiles are exact."""

from functools import partial
from math import log2
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn.functional import interpolate, leaky_relu, pixel_shuffle, pixel_unshuffle

from gansmith.layers.padding import padded


def _small(convolution: nn.Conv2d, factor: float = 0.1) -> nn.Conv2d:
    """Kaiming's weights times a factor, so that a residual branch begins small (Wang et al. 2018, section 3.1)."""
    nn.init.kaiming_normal_(convolution.weight)
    convolution.weight.data.mul_(factor)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return convolution


class ResidualDenseBlock(nn.Module):
    """Five convolutions, each seeing all before it (Wang et al. 2018, figure 4)."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1 = _small(nn.Conv2d(width, growth, 3, padding=1))
        self.conv2 = _small(nn.Conv2d(width + growth, growth, 3, padding=1))
        self.conv3 = _small(nn.Conv2d(width + 2 * growth, growth, 3, padding=1))
        self.conv4 = _small(nn.Conv2d(width + 3 * growth, growth, 3, padding=1))
        self.conv5 = _small(nn.Conv2d(width + 4 * growth, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        x1 = leaky_relu(self.conv1(x), 0.2)
        x2 = leaky_relu(self.conv2(cat([x, x1], 1)), 0.2)
        x3 = leaky_relu(self.conv3(cat([x, x1, x2], 1)), 0.2)
        x4 = leaky_relu(self.conv4(cat([x, x1, x2, x3], 1)), 0.2)
        x5 = self.conv5(cat([x, x1, x2, x3, x4], 1))
        return x + 0.2 * x5


class RRDB(nn.Module):
    """Three dense blocks around a skip."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = ResidualDenseBlock(width, growth)
        self.rdb2 = ResidualDenseBlock(width, growth)
        self.rdb3 = ResidualDenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """ESRGAN's generator (Wang et al. 2018): 16.698 million parameters with 64 channels, 23 blocks and growth 32 at x4.

    `folded`, scales 1 and 2 fold the input's pixels into channels first (x4 of a quarter, or of a half), as the published networks of
    Real-ESRGAN do: faster, less exact. Names of weights are those of the published networks. Values from -1 to 1 go in and come out;
    inside they run from 0 to 1. It begins as an enlargement about as good as bicubic (folded, of the means of the folded squares), so that
    training starts from there and not from nothing. With `edges` repeated outside the blocks, for which the published networks have zeros,
    the frame of a picture is not darkened, without which the start is 2 to 9 dB worse.
    """

    def __init__(
        self,
        channels: int,
        made: int,
        *,
        scale: int,
        width: int,
        blocks: int,
        growth: int,
        folded: bool = True,
        edges: Literal["zeros", "replicate"] = "zeros",
    ) -> None:
        super().__init__()
        self.multiple = {1: 4, 2: 2}.get(scale, 1) if folded else 1
        """The side of the squares of pixels that are folded."""
        doublings = int(log2(scale * self.multiple))
        outer = partial(_outer, edges=edges)
        self.conv_first = outer(channels * self.multiple**2, width)
        self.body = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.conv_body = _small(nn.Conv2d(width, width, 3, padding=1), 0.3)
        self.conv_up1 = outer(width, width) if doublings > 0 else None
        self.conv_up2 = outer(width, width) if doublings > 1 else None
        self.conv_up3 = outer(width, width) if doublings > 2 else None
        self.conv_hr = outer(width, width)
        self.conv_last = outer(width, made)
        self.scale, self.conv_growth = scale, growth
        if width >= made:
            self._begin_smooth(channels, made)

    @property
    def doubling(self) -> list[nn.Conv2d]:
        """The convolutions after each repetition of pixels."""
        return [layer for layer in (self.conv_up1, self.conv_up2, self.conv_up3) if layer is not None]

    @torch.no_grad()
    def _begin_smooth(self, channels: int, made: int) -> None:
        """Lets the first channels carry the image itself: values from 0 to 1 pass leaky ReLUs as they are. After a repetition of pixels the
        kernel 1 2 1 is bilinear interpolation; what it smooths away is added before, which together is near to a cubic spline."""
        doubling = self.doubling
        taps = torch.tensor([0.25, 0.5, 0.25])
        smooth, own = torch.outer(taps, taps), torch.zeros(3, 3)
        own[1, 1] = 1
        sharp = 2 * own - smooth
        for layer in (self.conv_first, self.conv_body, *doubling, self.conv_hr, self.conv_last):
            assert layer.bias is not None
            layer.weight[:made].zero_()
            layer.bias[:made].zero_()
        for channel in range(made):
            squares = self.multiple**2
            carried = slice(channel * squares, (channel + 1) * squares) if channels == made else slice(None)
            share = 1 / self.conv_first.weight[channel, carried, 1, 1].numel()
            self.conv_first.weight[channel, carried] = share * (sharp if self.multiple == 1 and doubling else own)
            for layer in doubling:
                layer.weight[channel, channel] = smooth
            self.conv_hr.weight[channel, channel] = (own + sharp) / 2 if doubling else own
            self.conv_last.weight[channel, channel] = own
        self.conv_last.weight[:, made:] *= 0.01

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch made tall wide"]:
        height, width = x.shape[2:]
        x = (x + 1) / 2
        if self.multiple > 1:
            x = pixel_unshuffle(padded(x, self.multiple), self.multiple)
        first = self.conv_first(x)
        y = first + self.conv_body(self.body(first))
        for layer in self.doubling:
            y = leaky_relu(layer(interpolate(y, scale_factor=2, mode="nearest")), 0.2)
        y = self.conv_last(leaky_relu(self.conv_hr(y), 0.2)).float()
        return 2 * y[..., : height * self.scale, : width * self.scale] - 1


def _outer(narrow: int, wide: int, edges: Literal["zeros", "replicate"]) -> nn.Conv2d:
    """A convolution of 3 x 3 with Kaiming's weights: torch's own fade over so many layers."""
    return _small(nn.Conv2d(narrow, wide, 3, padding=1, padding_mode=edges), 1.0)


class SRResNet(nn.Module):
    """SRGAN's generator without batch norm (Ledig et al. 2017, figure 4; Lim et al. 2017): residual blocks at the small size.

    The result is added to the input enlarged, so that the network learns what bicubic enlargement lacks.
    """

    def __init__(self, channels: int, made: int, *, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.ahead = nn.ModuleList(_small(nn.Conv2d(width, width, 3, padding=1), 1.0) for _ in range(blocks))
        self.back = nn.ModuleList(_small(nn.Conv2d(width, width, 3, padding=1)) for _ in range(blocks))
        doublings = int(log2(scale)) if scale & (scale - 1) == 0 else 0
        factors = [2] * doublings if doublings or scale == 1 else [scale]
        self.factors = factors
        self.up = nn.ModuleList(nn.Conv2d(width, width * factor**2, 3, padding=1) for factor in factors)
        self.last = _small(nn.Conv2d(width, made, 3, padding=1))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch made tall wide"]:
        y = leaky_relu(self.first(x), 0.1)
        for ahead, back in zip(self.ahead, self.back, strict=True):
            y = y + back(leaky_relu(ahead(y), 0.1))
        for factor, up in zip(self.factors, self.up, strict=True):
            y = leaky_relu(pixel_shuffle(up(y), factor), 0.1)
        return self.last(y).float() + enlarged(x, self.scale, self.last.out_channels)


class Compact(nn.Module):
    """The compact network of Real-ESRGAN (Wang et al. 2021, SRVGGNetCompact): plain convolutions at the small size, for video's speed.

    Names of weights are those of the published networks (`body.0.weight`, ...). Inside, values run from 0 to 1.
    """

    def __init__(self, channels: int, made: int, *, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(blocks):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, _small(nn.Conv2d(width, made * scale**2, 3, padding=1)))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch made tall wide"]:
        y = pixel_shuffle(self.body((x + 1) / 2), self.scale).float()
        return 2 * y + enlarged(x, self.scale, y.shape[1], mode="nearest")


def enlarged(x: Tensor, scale: int, channels: int, mode: str = "bilinear") -> Tensor:
    """The input `scale` times as large with so many channels, as what a network adds to; gray is repeated, colours are averaged."""
    x = x.float()
    if x.shape[1] != channels:
        x = x.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    if scale == 1:
        return x
    return interpolate(x, scale_factor=scale, mode=mode, align_corners=None if mode == "nearest" else False)
