"""Plain players for images: few and narrow strided convolutions, no residuals, which learn most in a second of a CPU.

They take images of any size: the side is halved while it is even and at least 8, and the lowest resolution, whatever it is, is
joined to noise or logit by a full linear map. The critic has no normalisation, so its logits are linear between kinks and a
gradient penalty costs one pass (`gansmith.penalties`).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.data.spec import Spec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.halving import Doubling, Halving
from gansmith.layers.labels import Label, label_embedding, with_label
from gansmith.layers.pyramid import pyramid

SLOPE = 0.2


def widths(count: int, highest: int, most: int) -> list[int]:
    """Channels after each halving, from the highest resolution down: doubled each time, up to `most` times the highest."""
    return [highest * min(most, 2**i) for i in range(count)]


def halvings(channels: int, spec: Spec, width: int, most: int) -> tuple[nn.ModuleList, int]:
    """Strided convolutions from so many channels to the lowest resolution (one that keeps the side where none can be halved), and how
    many numbers an image has there."""
    _, height, columns = spec.shape
    stages, lowest = pyramid(height, columns, 1)
    inner = widths(max(stages - 1, 1), width, most)
    pairs = zip([channels, *inner], inner, strict=False)
    layers = nn.ModuleList(Halving(a, b) if stages > 1 else nn.Conv2d(a, b, 5, padding=2) for a, b in pairs)
    return layers, inner[-1] * math.prod(lowest)


def halved(layers: nn.ModuleList, image: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch features"]:
    """The numbers that `halvings` makes of an image."""
    x = image.contiguous(memory_format=torch.channels_last)
    for layer in layers:
        x = leaky_relu(layer(x), SLOPE)
    return x.flatten(1)


class PlainGenerator(nn.Module):
    """Noise and class to an image: a linear map to the lowest resolution, then transposed convolutions with batch norm."""

    def __init__(self, spec: Spec, *, noise: int, width: int, most: int = 8) -> None:
        """`width` counts the channels at half the side of the image; each halving below doubles them, at most `most` times."""
        super().__init__()
        self.spec = spec
        channels, height, columns = spec.shape
        stages, lowest = pyramid(height, columns, 1)
        count = stages - 1
        inner = widths(max(count, 1), width, most)[::-1]
        self.lowest = (inner[0], *lowest)
        self.first = nn.Linear(noise + spec.label_width, math.prod(self.lowest), bias=False)
        self.first_norm = BatchNorm(inner[0])
        outer = [*inner[1:], channels]
        last = len(inner) - 1
        self.layers = nn.ModuleList(
            Doubling(a, b, bias=i == last) if count else nn.ConvTranspose2d(a, b, 5, padding=2, bias=i == last)
            for i, (a, b) in enumerate(zip(inner, outer, strict=True))
        )
        self.norms = nn.ModuleList(BatchNorm(b) for b in inner[1:])

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = self.first(with_label(noise, label, self.spec)).unflatten(1, self.lowest)
        x = leaky_relu(self.first_norm(x.contiguous(memory_format=torch.channels_last)), SLOPE)
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            x = leaky_relu(norm(layer(x)), SLOPE)
        return bounded(self.layers[-1](x))


class PlainAutoEncoder(nn.Module):
    """An image and its class to a code, by strided convolutions and a linear map, and to the image that a generator makes of it."""

    def __init__(self, spec: Spec, *, code: int, width: int, most: int = 8) -> None:
        """`width` counts the channels at half the side of the image; each halving below doubles them, at most `most` times."""
        super().__init__()
        self.spec = spec
        self.layers, features = halvings(spec.shape[0] + spec.conditions, spec, width, most)
        self.code = nn.Linear(features, code)
        self.decoder = PlainGenerator(spec, noise=code, width=width, most=most)

    def forward(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> tuple[Float[Tensor, "batch code"], Float[Tensor, "batch channels height width"]]:
        code = self.code(halved(self.layers, with_label(image, label, self.spec)))
        return code, self.decoder(code, label)


class PlainCritic(nn.Module):
    """An image and its class to a logit: strided convolutions, then a linear map; classes enter by projection."""

    def __init__(self, spec: Spec, *, width: int, most: int = 8, class_features: int = 64) -> None:
        """`width` counts the channels at half the side of the image; each halving below doubles them, at most `most` times."""
        super().__init__()
        self.layers, features = halvings(spec.shape[0], spec, width, most)
        self.score = nn.Linear(features, class_features if spec.conditions else 1)
        self.classes = label_embedding(spec, class_features)
        if self.classes is not None:
            nn.init.normal_(self.classes.weight, 0, 1 / math.sqrt(class_features))

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        score = self.score(halved(self.layers, image))
        return (score * self.classes(label)).sum(1) if self.classes is not None else score.squeeze(1)
