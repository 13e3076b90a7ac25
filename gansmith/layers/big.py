"""BigGAN's networks, plain and deep, for images of any size (Brock et al. 2019, appendix B)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pixel_shuffle, pixel_unshuffle, relu

from gansmith.data.spec import Spec
from gansmith.layers.attention import SelfAttention
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.patches import read_evenly
from gansmith.layers.pyramid import pyramid
from gansmith.layers.residual import DownBlock

SQUEEZE = 4
"""How much narrower deep blocks are inside."""
SMALL_STAGES = 4
"""Stages of images up to 32 pixels."""


class GuidedNorm(nn.Module):
    """Batch norm whose scale and shift are linear maps of a condition, around 1 and 0."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels)
        self.scale, self.shift = nn.Linear(condition, channels, bias=False), nn.Linear(condition, channels, bias=False)

    def forward(
        self, x: Float[Tensor, "batch channels _ _"], condition: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch channels _ _"]:
        x = self.norm(x)
        return (x * (1 + self.scale(condition))[:, :, None, None] + self.shift(condition)[:, :, None, None]).to(x.dtype)


class BigUp(nn.Module):
    """Norm, ReLU, twice the side, 3x3, norm, ReLU, 3x3; the other way round a 1x1."""

    def __init__(self, channels_in: int, channels_out: int, condition: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = GuidedNorm(channels_in, condition), GuidedNorm(channels_out, condition)
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Float[Tensor, "batch _ _ _"], condition: Float[Tensor, "batch _"]) -> Float[Tensor, "batch _ _ _"]:
        inner = self.first(_doubled(relu(self.first_norm(x, condition))))
        inner = self.second(relu(self.second_norm(inner, condition)))
        return inner + _doubled(self.shortcut(x))  # a 1x1 before doubling equals one after it


class DeepUp(nn.Module):
    """BigGAN-deep's block: 1x1, 3x3, 3x3, 1x1 of a quarter of the width; the other way round only drops channels (figure 16)."""

    def __init__(self, channels_in: int, channels_out: int, condition: int, *, doubles: bool) -> None:
        super().__init__()
        inner = max(1, channels_in // SQUEEZE)
        self.doubles, self.kept = doubles, channels_out
        sizes = (channels_in, inner, inner, inner, channels_out)
        self.norms = nn.ModuleList(GuidedNorm(size, condition) for size in sizes[:-1])
        self.narrow = nn.Conv2d(channels_in, inner, 1)
        self.first, self.second = nn.Conv2d(inner, inner, 3, padding=1), nn.Conv2d(inner, inner, 3, padding=1)
        self.widen = nn.Conv2d(inner, channels_out, 1)

    def forward(self, x: Float[Tensor, "batch _ _ _"], condition: Float[Tensor, "batch _"]) -> Float[Tensor, "batch _ _ _"]:
        inner = self.narrow(relu(self.norms[0](x, condition)))
        inner = relu(self.norms[1](inner, condition))
        inner = self.first(_doubled(inner) if self.doubles else inner)
        inner = self.second(relu(self.norms[2](inner, condition)))
        inner = self.widen(relu(self.norms[3](inner, condition)))
        x = x[:, : self.kept]
        return inner + (_doubled(x) if self.doubles else x)


class DeepDown(nn.Module):
    """Its mirror image; what is missing in width comes from a 1x1 beside the channels that are there."""

    def __init__(self, channels_in: int, channels_out: int, *, halves: bool) -> None:
        super().__init__()
        inner = max(1, channels_out // SQUEEZE)
        self.halves = halves
        self.narrow = nn.Conv2d(channels_in, inner, 1)
        self.first, self.second = nn.Conv2d(inner, inner, 3, padding=1), nn.Conv2d(inner, inner, 3, padding=1)
        self.widen = nn.Conv2d(inner, channels_out, 1)
        self.missing = nn.Conv2d(channels_in, channels_out - channels_in, 1) if channels_out > channels_in else None

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        inner = self.second(relu(self.first(relu(self.narrow(relu(x))))))
        inner = relu(inner)
        if self.halves:
            inner, x = avg_pool2d(inner, 2), avg_pool2d(x, 2)
        inner = self.widen(inner)
        return inner + (x if self.missing is None else torch.cat([x, self.missing(x)], 1))


class BigGenerator(nn.Module):
    """Noise (and label) to an image.

    A piece of the noise enters at every resolution beside the shared vector of the label (hierarchical latents); in the deep form
    all of it enters everywhere. Positions are compared (attention) before the last doubling.
    """

    def __init__(
        self, spec: Spec, *, noise: int, width: int, widest: int, shared: int, patch: int, deep: bool, guided_start: bool = False
    ) -> None:
        """`width` counts the channels at the highest resolution, doubled at each halving up to `widest`; `shared` those of labels.

        With `guided_start`, as always in the deep form, the label's vector also enters the first layer.
        """
        super().__init__()
        self.patch, self.deep, self.guided_start = patch, deep, deep or guided_start
        stages, base = pyramid(spec.shape[1], spec.shape[2], patch)
        channels = big_widths(width, widest, stages)
        self.shared = label_embedding(spec, shared)
        self.piece = noise // stages
        first = noise if deep else noise - self.piece * (stages - 1)
        known = shared if spec.conditions else 0
        condition = known + (noise if deep else self.piece)
        self.lowest = (channels[0], *base)
        self.first = nn.Linear(first + (known if self.guided_start else 0), channels[0] * base[0] * base[1])
        pairs = list(zip(channels, channels[1:], strict=False))
        self.before = nn.ModuleList(DeepUp(a, a, condition, doubles=False) for a, _ in pairs if deep)
        self.blocks = nn.ModuleList(DeepUp(a, b, condition, doubles=True) if deep else BigUp(a, b, condition) for a, b in pairs)
        self.attention = SelfAttention(channels[max(0, stages - 2)])
        self.last_norm = BatchNorm(channels[-1])
        self.last = nn.Conv2d(channels[-1], spec.shape[0] * patch**2, 3, padding=1)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        known = noise[:, :0] if self.shared is None else self.shared(label)
        whole = torch.cat([known, noise], 1)
        first, *pieces = noise.tensor_split([noise.shape[1] - self.piece * i for i in range(len(self.blocks), 0, -1)], 1)
        first = noise if self.deep else first
        x = self.first(torch.cat([known, first], 1) if self.guided_start else first)
        x = x.unflatten(1, self.lowest).contiguous(memory_format=torch.channels_last)
        for i, block in enumerate(self.blocks):
            if i == len(self.blocks) - 1:
                x = self.attention(x)
            condition = whole if self.deep else torch.cat([known, pieces[i]], 1)
            if self.deep:
                x = self.before[i](x, condition)
            x = block(x, condition)
        return bounded(pixel_shuffle(self.last(relu(self.last_norm(x))), self.patch))


class BigTrunk(nn.Module):
    """An image to features [B, width], summed over all positions: a critic without its last layer.

    Blocks halve the side down to the lowest resolution, where one follows that keeps it; of images up to 32 pixels they halve once
    less, and two follow, as in the paper's networks for CIFAR-10. Positions are compared after the first block.
    """

    def __init__(self, spec: Spec, *, width: int, widest: int, patch: int, deep: bool) -> None:
        super().__init__()
        self.patch, self.deep = patch, deep
        stages, _ = pyramid(spec.shape[1], spec.shape[2], patch)
        channels = big_widths(width, widest, stages)[::-1]
        planes = spec.shape[0] * patch**2
        if deep:
            pairs = zip(channels, channels[1:], strict=False)
            self.opening = nn.Conv2d(planes, channels[0], 3, padding=1)
            self.blocks = nn.ModuleList(
                nn.Sequential(DeepDown(a, b, halves=True), DeepDown(b, b, halves=False)) for a, b in pairs
            )
            self.attention, self.features = SelfAttention(channels[min(1, len(channels) - 1)]), channels[-1]
        else:
            halvings = stages - 1 if stages > SMALL_STAGES else max(stages - 2, min(1, stages - 1))
            channels = channels[: max(1, halvings)]
            self.opening = DownBlock(planes, channels[0], halves=halvings > 0, first=True)
            halving = [DownBlock(a, b, halves=True) for a, b in zip(channels, channels[1:], strict=False)]
            keeping = [DownBlock(channels[-1], channels[-1], halves=False) for _ in range(1 if stages > SMALL_STAGES else 2)]
            self.blocks = nn.ModuleList(halving + keeping)
            self.attention, self.features = SelfAttention(channels[0]), channels[-1]

    def read_evenly(self) -> None:
        """Lets all pixels of a patch count alike at the start."""
        opening = self.opening
        for layer in (opening,) if isinstance(opening, nn.Conv2d) else (opening.first, opening.shortcut):
            if isinstance(layer, nn.Conv2d):
                read_evenly(layer.weight, self.patch)

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch features"]:
        x = self.opening(pixel_unshuffle(image, self.patch).contiguous(memory_format=torch.channels_last))
        x = x if self.deep else self.attention(x)
        for i, block in enumerate(self.blocks):
            x = block(x)
            if self.deep and i == 0:
                x = self.attention(x)
        return relu(x).float().sum((2, 3))


def big_widths(width: int, widest: int, stages: int) -> list[int]:
    """Channels from the lowest stage up."""
    return [min(widest, width << i) for i in reversed(range(stages))]


def _doubled(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="nearest")
