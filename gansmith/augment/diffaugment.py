"""DiffAugment (Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training")."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.augment.dice import Dice
from gansmith.errors import UserError

TRANSLATION = 0.125
"""The largest translation, in parts of the side."""
CUTOUT_SIDE = 0.5


class DiffAugment(nn.Module):
    """Three policies, each on or off: colour (brightness, saturation, contrast), translation, cutout.

    Real and generated images both go through it in every move. Probability and randomness as in
    `gansmith.augment.pipeline.Augment`; the paper always applies a policy, hence p = 1. Alpha has no colour.
    """

    def __init__(self, *, colour: bool = True, translation: bool = True, cutout: bool = True) -> None:
        super().__init__()
        self.colour, self.translation, self.cutout = colour, translation, cutout

    def forward(
        self, images: Float[Tensor, "batch channels height width"], p: float | Tensor = 1.0, together: int = 1
    ) -> Float[Tensor, "batch channels height width"]:
        """Images in [-1, 1] of 1 (grey), 3 (RGB) or 4 (RGBA) channels, in the type in which they came.
        Of every `together` images that follow each other, all are changed in the same way.

        Raises UserError for any other number of channels.
        """
        if images.shape[1] not in (1, 3, 4):
            raise UserError(f"Expected images of 1, 3 or 4 channels to augment, but they have {images.shape[1]}: switch it off.")
        if not isinstance(p, Tensor) and p == 0:
            return images
        exact = images.double() if images.dtype == torch.float64 else images.float()
        with torch.autocast(images.device.type, enabled=False):
            dice = Dice(len(images), p, images.device, exact.dtype, together)
            for policy, chosen in ((_recolour, self.colour), (_translate, self.translation), (_cut, self.cutout)):
                if chosen:
                    happens = dice.sometimes(1.0, torch.ones_like(dice.uniform())).bool()
                    exact = torch.where(happens[:, None, None, None], policy(exact, dice), exact)
            return exact.to(images.dtype)


def _recolour(images: Tensor, dice: Dice) -> Tensor:
    colours, alpha = images[:, :3], images[:, 3:]
    brightness, saturation, contrast = dice.uniform(-0.5, 0.5), dice.uniform(0.0, 2.0), dice.uniform(0.5, 1.5)
    colours = colours + brightness[:, None, None, None]
    grey = colours.mean(1, keepdim=True)
    colours = (colours - grey) * saturation[:, None, None, None] + grey
    middle = colours.mean((1, 2, 3), keepdim=True)
    colours = (colours - middle) * contrast[:, None, None, None] + middle
    return torch.cat([colours, alpha], 1)


def _translate(images: Tensor, dice: Dice) -> Tensor:
    """By whole pixels; what comes in from outside is 0."""
    for dimension in (2, 3):
        size = images.shape[dimension]
        most = int(size * TRANSLATION + 0.5)
        source = torch.arange(size, device=images.device) - (dice.integers(2 * most + 1).long() - most)[:, None]  # [B, size]
        source = source[:, None, :, None] if dimension == 2 else source[:, None, None, :]
        taken = images.gather(dimension, source.clamp(0, size - 1).expand_as(images))
        images = torch.where((source >= 0) & (source < size), taken, torch.zeros_like(taken))
    return images


def _cut(images: Tensor, dice: Dice) -> Tensor:
    """A rectangle of half of each side, centred anywhere, becomes 0."""
    inside = torch.ones((), dtype=torch.bool, device=images.device)
    for dimension in (2, 3):
        size = images.shape[dimension]
        side = int(size * CUTOUT_SIDE + 0.5)
        start = dice.integers(size + (1 - side % 2)) - side // 2
        place = torch.arange(size, device=images.device) - start[:, None]
        within = (place >= 0) & (place < side)  # [B, size]
        inside = inside & (within[:, None, :, None] if dimension == 2 else within[:, None, None, :])
    return torch.where(inside, torch.zeros_like(images), images)
