"""DCGAN's players: strided and transposed convolutions without pooling or hidden linear layers (Radford et al. 2016, section 3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear, relu

from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.halving import Doubling, Halving
from gansmith.layers.labels import Label, with_label
from gansmith.layers.minibatch_discrimination import MinibatchDiscrimination

SIDES = (8, 16, 28, 32, 64, 128, 256)


def stages(spec: Spec, gan: str) -> tuple[int, int]:
    """(doublings, lowest side) for images of this size: from 4, or from 7 for 28 pixels.

    Raises UserError if the data are no square images of a legal side.
    """
    if spec.axes != ("channel", "height", "width"):
        raise UserError(
            f"{gan} makes images, but these data are {spec.kind} of shape {spec.shape}: choose --gan r3gan or --gan gan."
        )
    height, width = spec.shape[1:]
    if height != width or height not in SIDES:
        near = min(SIDES, key=lambda side: abs(side - min(height, width)))
        raise UserError(
            f"{gan} makes square images with a side of {', '.join(map(str, SIDES[:-1]))} or {SIDES[-1]}, but the data are "
            f"{height}x{width}: train with --resolution {near}, or with --gan r3gan, which takes any size."
        )
    lowest = 7 if height == 28 else 4
    return (height // lowest).bit_length() - 1, lowest


def initialize(network: nn.Module) -> None:
    """Normal weights with deviation 0.02 (section 4)."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)


class FromVector(nn.ConvTranspose2d):
    """A transposed convolution of a single pixel, computed as the linear layer that it is, which is faster."""

    def forward(self, input: Float[Tensor, "batch features"]) -> Float[Tensor, "batch channels height width"]:  # type: ignore[override]
        bias = None if self.bias is None else self.bias.repeat_interleave(self.weight[0, 0].numel())
        x = linear(input, self.weight.flatten(1).T, bias).unflatten(1, self.weight.shape[1:])
        return x.contiguous(memory_format=torch.channels_last)


class StridedGenerator(nn.Module):
    """Noise and class to an image; every transposed convolution doubles the side and halves the channels."""

    def __init__(self, spec: Spec, *, noise: int, width: int, gan: str) -> None:
        """`width` counts the channels before the last layer; each lower stage has twice as many, at most eight times."""
        super().__init__()
        self.spec = spec
        doublings, lowest = stages(spec, gan)
        channels = [width * min(8, 2**i) for i in reversed(range(doublings))]
        self.first = FromVector(noise + spec.label_width, channels[0], lowest, bias=False)
        self.first_norm = BatchNorm(channels[0])
        pairs = list(zip(channels, channels[1:], strict=False))
        self.layers = nn.ModuleList(Doubling(a, b, bias=False) for a, b in pairs)
        self.norms = nn.ModuleList(BatchNorm(b) for _, b in pairs)
        self.last = Doubling(channels[-1], spec.shape[0])
        initialize(self)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = relu(self.first_norm(self.first(with_label(noise, label, self.spec))))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = relu(norm(layer(x)))
        return bounded(self.last(x))


class StridedFeatures(nn.Module):
    """An image and its class to features at the lowest resolution; every convolution halves the side and doubles the channels."""

    def __init__(self, spec: Spec, *, width: int, batch_norm: bool, gan: str) -> None:
        """`width` counts the channels after the first layer. Without batch norm each example is seen alone."""
        super().__init__()
        self.spec = spec
        doublings, self.lowest = stages(spec, gan)
        channels = [width * min(8, 2**i) for i in range(doublings)]
        self.channels = channels[-1]
        self.first = Halving(spec.shape[0] + spec.conditions, channels[0])
        pairs = list(zip(channels, channels[1:], strict=False))
        self.layers = nn.ModuleList(Halving(a, b, bias=not batch_norm) for a, b in pairs)
        self.norms = nn.ModuleList(BatchNorm(b) if batch_norm else nn.Identity() for _, b in pairs)

    def features(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> Float[Tensor, "batch more lowest lowest"]:
        x = self.first(with_label(image, label, self.spec)).contiguous(memory_format=torch.channels_last)
        x = leaky_relu(x, 0.2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = leaky_relu(norm(layer(x)), 0.2)
        return x


class StridedCritic(StridedFeatures):
    """An image and its class to a logit."""

    def __init__(self, spec: Spec, *, width: int, batch_norm: bool, gan: str, kernels: int = 0) -> None:
        """With `kernels`, minibatch discrimination of so many kernels of 16 dimensions comes before the last layer."""
        super().__init__(spec, width=width, batch_norm=batch_norm, gan=gan)
        size = self.channels * self.lowest**2
        self.neighbours = MinibatchDiscrimination(size, kernels, 16) if kernels else nn.Identity()
        self.last = nn.Conv2d(self.channels + kernels, 1, self.lowest)
        if batch_norm:
            initialize(self)

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        return self.last(self.neighbours(self.features(image, label))).flatten()
