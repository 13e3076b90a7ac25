"""Critics of patches at several scales (Wang et al. 2018, pix2pixHD, section 3.2): one for each size, each half of the one before."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, instance_norm, l1_loss, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from gansmith.errors import UserError
from gansmith.layers.initial import normal_weights

Features = list[Tensor]
"""What one scale made of an image, layer by layer; the last are its logits [B, 1, rows, columns]."""


class PatchScale(nn.Module):
    """Convolutions of 4 x 4, of which `layers` halve the size, and logits of patches; answers with all it saw on the way."""

    def __init__(self, channels: int, *, width: int, layers: int, norm: Literal["none", "instance", "spectral"]) -> None:
        """Norms are in the inner layers: instance norm, or the spectral norm of the weights followed by instance norm."""
        super().__init__()
        widths = [width * min(8, 2**level) for level in range(layers + 1)]
        self.first = nn.Conv2d(channels, width, 4, stride=2, padding=1)
        self.inner = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2 if level < layers - 1 else 1, padding=1)
            for level, (narrow, wide) in enumerate(zip(widths, widths[1:], strict=False))
        )
        self.last = nn.Conv2d(widths[-1], 1, 4, padding=1)
        self.normed = norm != "none"
        normal_weights(self)
        if norm == "spectral":
            for layer in self.inner:
                spectral_norm(layer)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Features:
        x = leaky_relu(self.first(x), 0.2)
        seen = [x]
        for convolution in self.inner:
            x = convolution(x)
            x = leaky_relu(instance_norm(x) if self.normed else x, 0.2)
            seen.append(x)
        return [*seen, self.last(x)]


class MultiScaleCritic(nn.Module):
    """`scales` critics of patches: of the image, of half its size, of a quarter, ..."""

    def __init__(
        self, channels: int, *, width: int, layers: int, scales: int, norm: Literal["none", "instance", "spectral"]
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchScale(channels, width=width, layers=layers, norm=norm) for _ in range(scales))

    def forward(self, x: Float[Tensor, "batch channels height width"], scales: int | None = None) -> list[Features]:
        """Of all scales, or of the first so many."""
        found = []
        for index, scale in enumerate(list(self.scales)[:scales]):
            x = avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False) if index else x
            found.append(scale(x))
        return found


def over_scales(loss: Callable[..., Tensor], *seen: list[Features]) -> Float[Tensor, ""]:
    """The sum over all scales of a loss on logits (equation 2): `over_scales(least_squares_critic, critic(real), critic(fake))`."""
    return torch.stack([loss(*(features[-1] for features in scale)) for scale in zip(*seen, strict=True)]).sum()


def feature_matching(real: list[Features], fake: list[Features]) -> Float[Tensor, ""]:
    """The L1 distance of what the critic sees in made images to what it sees in real ones, the mean over layers, summed over the
    scales (equation 4). The real side takes no gradient."""
    distances = [
        torch.stack([l1_loss(b.float(), a.detach().float()) for a, b in zip(first[:-1], second[:-1], strict=True)]).mean()
        for first, second in zip(real, fake, strict=True)
    ]
    return torch.stack(distances).sum()


def mean_logit(seen: list[Features]) -> Float[Tensor, " batch"]:
    """The mean over scales of an image's mean logit."""
    return torch.stack([features[-1].float().flatten(1).mean(1) for features in seen]).mean(0)


def check_scales(layers: int, scales: int, side: int) -> None:
    """Raises UserError where the smallest scale has no 2 x 2 patches left of images of this side."""
    if side < (smallest := 4 * 2 ** (layers + scales - 1)):
        raise UserError(
            f"a critic of {scales} scales and {layers} layers needs images of {smallest} pixels, but they have {side}: give smaller "
            "--gan.critic-layers and --gan.critic-scales, or a greater --resolution."
        )
