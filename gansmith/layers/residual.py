"""Residual players for images of any size: SNGAN's and SAGAN's (Miyato et al. 2018, appendix B; Zhang et al. 2019)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pixel_shuffle, pixel_unshuffle, relu

from gansmith.data.spec import Spec
from gansmith.layers.attention import SelfAttention
from gansmith.layers.bounded import bounded
from gansmith.layers.conditional_norm import ConditionalBatchNorm
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.pyramid import pyramid

FULL_WIDTH_STAGES = 4
"""The lowest stages, up to 32 pixels, have the full width; every doubling beyond halves it."""


class UpBlock(nn.Module):
    """Norm, ReLU, twice the side, 3x3, norm, ReLU, 3x3; the other way round a 1x1."""

    def __init__(self, channels_in: int, channels_out: int, spec: Spec) -> None:
        super().__init__()
        self.first_norm = ConditionalBatchNorm(channels_in, spec)
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.second_norm = ConditionalBatchNorm(channels_out, spec)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1)

    def forward(
        self, x: Float[Tensor, "batch channels height width"], label: Label | None
    ) -> Float[Tensor, "batch more double_height double_width"]:
        inner = self.first(_doubled(relu(self.first_norm(x, label))))
        inner = self.second(relu(self.second_norm(inner, label)))
        return _doubled(self.shortcut(x)) + inner  # a 1x1 before doubling equals one after it


class DownBlock(nn.Module):
    """ReLU, 3x3, ReLU, 3x3, then half the side if `halves`; the other way round a 1x1. The critic's first one has no ReLU before."""

    def __init__(self, channels_in: int, channels_out: int, *, halves: bool, first: bool = False) -> None:
        super().__init__()
        self.halves, self.opens = halves, first
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1) if halves or channels_in != channels_out else nn.Identity()

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch more lower narrower"]:
        inner = self.second(relu(self.first(x if self.opens else relu(x))))
        if not self.halves:
            return inner + self.shortcut(x)
        return avg_pool2d(inner, 2) + self.shortcut(avg_pool2d(x, 2))


def _doubled(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="nearest")


def _widths(width: int, stages: int) -> list[int]:
    """Channels from the lowest stage up."""
    return [max(8, width >> max(0, i - FULL_WIDTH_STAGES + 1)) for i in range(stages)]


class ResidualGenerator(nn.Module):
    """Noise and class to an image: a linear map to the lowest resolution, then one block for each doubling.

    The label enters through conditional batch norm. With attention, positions are compared before the last doubling.
    """

    def __init__(self, spec: Spec, *, noise: int, width: int, patch: int = 1, attention: bool = False) -> None:
        """`patch` is the side of the pixel patches that are one position of the networks; 2 spares a CPU the highest resolution."""
        super().__init__()
        self.patch = patch
        stages, base = pyramid(spec.shape[1], spec.shape[2], patch)
        widths = _widths(width, stages)
        self.lowest = (widths[0], *base)
        self.first = nn.Linear(noise, widths[0] * base[0] * base[1])
        self.blocks = nn.ModuleList(UpBlock(a, b, spec) for a, b in zip(widths, widths[1:], strict=False))
        self.attention = SelfAttention(widths[max(0, stages - 2)]) if attention else None
        self.last_norm = ConditionalBatchNorm(widths[-1], spec)
        self.last = nn.Conv2d(widths[-1], spec.shape[0] * patch**2, 3, padding=1)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = self.first(noise).unflatten(1, self.lowest)
        for block in self.blocks[:-1]:
            x = block(x, label)
        if self.attention is not None:
            x = self.attention(x)
        for block in self.blocks[-1:]:
            x = block(x, label)
        x = self.last(relu(self.last_norm(x, label)))
        return bounded(pixel_shuffle(x, self.patch))


class ResidualCritic(nn.Module):
    """An image and its class to a logit; the class enters by projection (Miyato & Koyama 2018).

    The side is halved once less often than the generator doubles it, at least once where that is possible; two blocks that keep it
    follow, then the sum over all positions. With attention, positions are compared after the first block.
    """

    def __init__(self, spec: Spec, *, width: int, patch: int = 1, attention: bool = False) -> None:
        super().__init__()
        self.patch = patch
        stages, _ = pyramid(spec.shape[1], spec.shape[2], patch)
        halvings = max(stages - 2, min(1, stages - 1))
        widths = _widths(width, stages)[::-1][: max(1, halvings)]
        self.opening = DownBlock(spec.shape[0] * patch**2, widths[0], halves=halvings > 0, first=True)
        self.attention = SelfAttention(widths[0]) if attention else None
        self.halving = nn.ModuleList(DownBlock(a, b, halves=True) for a, b in zip(widths, widths[1:], strict=False))
        self.keeping = nn.ModuleList(DownBlock(widths[-1], widths[-1], halves=False) for _ in range(2))
        self.score = nn.Linear(widths[-1], 1)
        self.classes = label_embedding(spec, widths[-1])

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        x = self.opening(pixel_unshuffle(image, self.patch))
        if self.attention is not None:
            x = self.attention(x)
        for block in self.halving:
            x = block(x)
        for block in self.keeping:
            x = block(x)
        features = relu(x).float().sum((2, 3))
        score = self.score(features).squeeze(1)
        if self.classes is None or label is None:
            return score
        return score + (self.classes(label) * features).sum(1)
