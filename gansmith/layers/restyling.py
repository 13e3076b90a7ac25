"""The networks of StarGAN v2 (Choi et al. 2020, appendix B): a translator by style, and what makes styles of noise and of images."""

from math import sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, instance_norm, interpolate, leaky_relu

from gansmith.layers.equalized import EqualizedLinear, activated
from gansmith.layers.munit_autoencoder import adapted
from gansmith.layers.padding import padded

LOWEST = 4
"""The side at which critic and style encoder end."""


class PlainBlock(nn.Module):
    """Leaky ReLU, 3x3, leaky ReLU, 3x3 around a skip, halved where asked; with instance norm before each ReLU where asked."""

    def __init__(self, channels_in: int, channels_out: int, *, halves: bool, normed: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_in, 3, padding=1)
        self.second = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False) if channels_in != channels_out else nn.Identity()
        self.halves, self.normed = halves, normed

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch more h w"]:
        y = self.first(leaky_relu(instance_norm(x) if self.normed else x, 0.2))
        y = avg_pool2d(y, 2) if self.halves else y
        y = self.second(leaky_relu(instance_norm(y) if self.normed else y, 0.2))
        skip = self.shortcut(avg_pool2d(x, 2) if self.halves else x)  # the mean of 1x1 convolutions is that of the mean
        return (y + skip) / sqrt(2)


class StyledBlock(nn.Module):
    """The same with adaptive instance norm, doubled where asked."""

    def __init__(self, channels_in: int, channels_out: int, *, style: int, doubles: bool) -> None:
        super().__init__()
        self.first_style = nn.Linear(style, 2 * channels_in)
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.second_style = nn.Linear(style, 2 * channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False) if channels_in != channels_out else nn.Identity()
        self.doubles = doubles

    def forward(
        self, x: Float[Tensor, "batch channels height width"], style: Float[Tensor, "batch style"]
    ) -> Float[Tensor, "batch more h w"]:
        y = leaky_relu(adapted(x, *self.first_style(style).chunk(2, dim=1)), 0.2)
        y = self.first(_doubled(y) if self.doubles else y)
        y = self.second(leaky_relu(adapted(y, *self.second_style(style).chunk(2, dim=1)), 0.2))
        skip = self.shortcut(x)
        return (y + (_doubled(skip) if self.doubles else skip)) / sqrt(2)


def _doubled(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="nearest")


class StyleTranslator(nn.Module):
    """An image and a style to an image of the same, any, size: down with instance norm, two blocks each way, up with the style."""

    def __init__(self, channels: int, *, width: int, widest: int, halvings: int, style: int, residual: bool = False) -> None:
        """With `residual`, what the last layer makes, nothing at first, is added to the image."""
        super().__init__()
        self.residual = residual
        self.multiple = 2**halvings * 2  # two pixels at least, which is what instance norm needs
        widths = [min(widest, width * 2**level) for level in range(halvings + 1)]
        steps = list(zip(widths, widths[1:], strict=False))
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(PlainBlock(a, b, halves=True, normed=True) for a, b in steps)
        self.inner = nn.ModuleList(PlainBlock(widths[-1], widths[-1], halves=False, normed=True) for _ in range(2))
        self.styled = nn.ModuleList(StyledBlock(widths[-1], widths[-1], style=style, doubles=False) for _ in range(2))
        self.up = nn.ModuleList(StyledBlock(b, a, style=style, doubles=True) for a, b in reversed(steps))
        self.last_norm = nn.InstanceNorm2d(width, affine=True)
        self.last = nn.Conv2d(width, channels, 1)

    def forward(
        self, image: Float[Tensor, "batch channels height width"], style: Float[Tensor, "batch style"]
    ) -> Float[Tensor, "batch channels height width"]:
        x = self.first(padded(image, self.multiple))
        for block in (*self.down, *self.inner):
            x = block(x)
        for block in (*self.styled, *self.up):
            x = block(x, style)
        x = self.last(leaky_relu(self.last_norm(x), 0.2))
        x = x[..., : image.shape[2], : image.shape[3]].float()
        return image + x if self.residual else x


class StyleMapping(nn.Module):
    """Noise and a domain to a style: four layers that the domains share, four of each domain's own."""

    def __init__(self, noise: int, style: int, domains: int, *, width: int, pace: float) -> None:
        """`pace` multiplies the learning rate."""
        super().__init__()
        shared = [noise, *[width] * 4]
        own = [*[width] * 4, style]
        self.shared = nn.ModuleList(EqualizedLinear(a, b, pace=pace) for a, b in zip(shared, shared[1:], strict=False))
        self.own = nn.ModuleList(_Layers(own, pace) for _ in range(domains))

    def forward(self, noise: Float[Tensor, "batch noise"], domain: Int[Tensor, " batch"]) -> Float[Tensor, "batch style"]:
        x = noise
        for layer in self.shared:
            x = activated(layer(x))
        return of_domain(torch.stack([layers(x) for layers in self.own], dim=1), domain)


class _Layers(nn.Module):
    """Linear maps of these widths with ReLUs between."""

    def __init__(self, widths: list[int], pace: float) -> None:
        super().__init__()
        self.inner = nn.ModuleList(EqualizedLinear(a, b, pace=pace) for a, b in zip(widths, widths[1:-1], strict=False))
        self.last = EqualizedLinear(widths[-2], widths[-1], pace=pace)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.inner:
            x = activated(layer(x))
        return self.last(x)


class DomainReader(nn.Module):
    """An image to `made` numbers for its domain: the style encoder, and with one number the critic."""

    def __init__(self, channels: int, made: int, domains: int, *, width: int, widest: int, side: int) -> None:
        super().__init__()
        halvings = 0
        while side // 2 ** (halvings + 1) >= LOWEST:
            halvings += 1
        widths = [min(widest, width * 2**level) for level in range(halvings + 1)]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(PlainBlock(a, b, halves=True, normed=False) for a, b in zip(widths, widths[1:], strict=False))
        self.whole = nn.Conv2d(widths[-1], widths[-1], LOWEST)
        self.heads = nn.Linear(widths[-1], made * domains)
        self.made = made

    def forward(
        self, image: Float[Tensor, "batch channels height width"], domain: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch made"]:
        x = self.first(image.contiguous(memory_format=torch.channels_last))  # in which CPUs pool ten times as fast
        for block in self.down:
            x = block(x)
        x = x if x.shape[2:] == (LOWEST, LOWEST) else adaptive_avg_pool2d(x, LOWEST)
        x = leaky_relu(self.whole(leaky_relu(x, 0.2)), 0.2).flatten(1)
        return of_domain(self.heads(x).unflatten(1, (-1, self.made)), domain)


def of_domain(all_domains: Float[Tensor, "batch domains made"], domain: Int[Tensor, " batch"]) -> Float[Tensor, "batch made"]:
    """What belongs to each example's domain."""
    index = domain.view(-1, 1, 1).expand(-1, 1, all_domains.shape[2])
    return all_domains.gather(1, index)[:, 0].float()


def he_weights(network: nn.Module) -> None:
    """Convolutions and linear maps by He et al. 2015, biases 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
