"""Critics of videos that a CPU can afford: of single frames, of whole clips as the channels of one small image, of how colours change.

All are piecewise linear, without normalisation, so that a gradient penalty costs one pass (`gansmith.penalties`). A label chooses the
direction in which features are read (projection: Miyato & Koyama 2018); a second reading guesses it (Odena et al. 2017, "AC-GAN").

Such a critic must be able to tell shapes: one whose weights are small at first, whose input lies far from 0, or which only reads features
place by place, does not tell a circle from a square within 400 rounds even where it is taught to; with weights that keep the variance (He
et al. 2015), centred input and features that are also averaged over all places, at `POOLED` times their size, it does within 250.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu

from gansmith.data.spec import Spec
from gansmith.layers.halving import Halving, halve
from gansmith.layers.labels import Label, condition_of
from gansmith.layers.pyramid import pyramid

SLOPE = 0.2
SMALLEST = 16
"""The least side of frames that a critic of clips sees: larger ones are averaged down to it."""
DIFFERENCES = 3.0
"""How much more the differences of neighbouring frames weigh than frames: they are small."""


POOLED = 2.0
"""How much features that are averaged over all places are enlarged, times the root of how many places there are."""

LEVELS = (-0.75, -0.25, 0.25, 0.75)
"""The middles of the steps of a channel of colour, of which each colour is a mixture of neighbouring ones."""
CHANGES = 60.0
"""How much changes of the shares of colours are enlarged: they are small."""
READ = 32
"""Numbers that a critic of changes makes of them."""


class FrameCritic(nn.Module):
    """Images (and labels) to logits: strided convolutions, then a linear map."""

    def __init__(self, spec: Spec, width: int, channels: int | None = None, side: tuple[int, int] | None = None) -> None:
        """`width` counts the channels at half the side of the image; each halving below doubles them, at most eight times."""
        super().__init__()
        self.spec = spec
        height, columns = side or spec.shape[-2:]
        stages, lowest = pyramid(height, columns, 1)
        inner = [width * min(8, 2**level) for level in range(max(1, stages - 1))]
        pairs = zip([channels or spec.shape[-3], *inner], inner, strict=False)
        self.layers = nn.ModuleList(Halving(a, b) if stages > 1 else nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        for layer in self.layers:
            assert isinstance(layer, nn.Conv2d) and layer.bias is not None
            nn.init.kaiming_normal_(layer.weight, SLOPE)
            nn.init.zeros_(layer.bias)
        self.gain = POOLED * math.sqrt(math.prod(lowest))
        self.score = nn.Linear(inner[-1] * math.prod(lowest), 1 + spec.label_width)
        self.pooled = nn.Linear(inner[-1], 1 + spec.label_width, bias=False)
        self.guess = nn.Linear(inner[-1], spec.conditions) if spec.conditions else None

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        return self._scored(self._features(image), label)

    def with_guess(self, image: Tensor, label: Label | None) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch conditions"]]:
        """Logits, and what the label looks like: logits of classes, or attributes."""
        assert self.guess is not None, "the data have no labels"
        features = self._features(image)
        return self._scored(features, label), self.guess(self._pooled(features))

    def _features(self, image: Tensor) -> Float[Tensor, "batch features rows columns"]:
        x = leaky_relu(self._entered(image.contiguous(memory_format=torch.channels_last)), SLOPE)
        for layer in self.layers[1:]:
            x = leaky_relu(layer(x), SLOPE)
        return x

    def _pooled(self, features: Tensor) -> Float[Tensor, "batch features"]:
        return features.mean((2, 3)) * self.gain

    def _entered(self, image: Tensor) -> Tensor:
        return self.layers[0](image)

    def _scored(self, features: Tensor, label: Label | None) -> Float[Tensor, " batch"]:
        read = torch.ones(len(features), 1, device=features.device)
        if label is not None:
            read = torch.cat([read, condition_of(label, self.spec).to(read.dtype)], 1)
        return ((self.score(features.flatten(1)) + self.pooled(self._pooled(features))) * read).sum(1)


class ClipCritic(FrameCritic):
    """Clips (and labels) to logits: all frames, averaged down, are the channels of one image, and so are their differences."""

    def __init__(self, spec: Spec, width: int) -> None:
        steps, channels, height, columns = spec.shape
        self.shrunk = 1
        while min(height, columns) // (2 * self.shrunk) >= SMALLEST and not (
            height % (2 * self.shrunk) or columns % (2 * self.shrunk)
        ):
            self.shrunk *= 2
        super().__init__(spec, width, steps * channels, (height // self.shrunk, columns // self.shrunk))
        weight = self.layers[0].weight
        assert isinstance(weight, Tensor)
        begin = torch.randn(len(weight), steps - 1, channels, *weight.shape[2:]) * float(weight.detach().std())
        self.differences = nn.Parameter(begin)

    def seen(self, video: Float[Tensor, "batch frames channels height width"]) -> Float[Tensor, "batch numbers rows columns"]:
        """What this critic takes of clips."""
        if self.shrunk > 1:
            count, steps = video.shape[:2]
            rows = video.transpose(2, 3)  # as sprites are rendered: rows, then channels, and neither is mixed by averaging
            if rows.is_contiguous():
                small = avg_pool2d(rows.flatten(3), self.shrunk).unflatten(3, (video.shape[2], -1)).transpose(2, 3)
            else:
                small = avg_pool2d(video.flatten(0, 1), self.shrunk).unflatten(0, (count, steps))
            video = small
        return video.flatten(1, 2).float()

    def _entered(self, image: Tensor) -> Tensor:
        """A convolution of frames plus one of their differences is one of frames with other weights."""
        first = self.layers[0]
        assert isinstance(first, nn.Conv2d)
        own = DIFFERENCES * self.differences
        none = torch.zeros_like(own[:, :1])
        weight = first.weight + (torch.cat([none, own], 1) - torch.cat([own, none], 1)).flatten(1, 2)
        return (
            halve(image, weight, first.bias) if isinstance(first, Halving) else torch.conv2d(image, weight, first.bias, padding=1)
        )


class ChangeCritic(nn.Module):
    """Clips to logits, of which it sees nothing but how the shares of colours change (`colour_changes`)."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        colours = len(LEVELS) ** min(3, spec.shape[1])
        self.layers = nn.Sequential(nn.Linear(2 * (spec.shape[0] - 1) * colours, READ), nn.LeakyReLU(SLOPE), nn.Linear(READ, 1))

    def forward(self, changes: Float[Tensor, "batch numbers"], label: Label | None = None) -> Float[Tensor, " batch"]:
        """Of every label the same."""
        return self.layers(changes).squeeze(1)


def colour_changes(video: Float[Tensor, "batch frames channels height width"]) -> Float[Tensor, "batch numbers"]:
    """How much more or less of each colour every later frame has than the first one, and how much that is without its sign.

    Colours are mixtures of 64 (of gray ones 4): a channel lies between two of its LEVELS. A fourth channel is left out.
    """
    count, steps, channels, height, width = video.shape
    pixels = video.float()[:, :, :3].permute(0, 1, 3, 4, 2).reshape(count * steps, height * width, -1)
    levels = torch.tensor(LEVELS, device=video.device)
    near = (1 - (pixels.clamp(LEVELS[0], LEVELS[-1])[..., None] - levels).abs() / (levels[1] - levels[0])).relu()
    shares = near[:, :, 0]
    for channel in range(1, min(3, channels) - 1):
        shares = (shares[..., None] * near[:, :, channel, None]).flatten(2)
    shares = shares.transpose(1, 2) @ near[:, :, -1] if channels > 1 else shares.sum(1)
    shares = shares.reshape(count, steps, -1) / (height * width)
    changes = CHANGES * (shares[:, 1:] - shares[:, :1]).flatten(1)
    return torch.cat([changes, changes.abs()], 1)
