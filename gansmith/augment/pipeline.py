"""Adaptive discriminator augmentation's transforms (Karras et al. 2020, "Training GANs with limited data", appendix B)."""

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.augment import colour, geometry
from gansmith.augment.dice import Dice
from gansmith.errors import UserError

TRANSLATION = 0.125
"""The largest translation by whole pixels, and the deviation of the fractional one, in parts of the side."""
SCALE_DEVIATION = 0.2 * math.log(2)
BRIGHTNESS_DEVIATION = 0.2
CONTRAST_DEVIATION = 0.5 * math.log(2)
SATURATION_DEVIATION = math.log(2)
CUTOUT_SIDE = 0.5


@dataclass(frozen=True, kw_only=True)
class Transforms:
    """How likely each transform is, as a multiple of p: 1 as likely as p says, 0 never. The defaults are the paper's "bgc"."""

    flip: float = 1.0
    """Left and right exchanged, half of the time."""
    quarter_turns: float = 1.0
    """A rotation by 0, 90, 180 or 270 degrees."""
    whole_translation: float = 1.0
    """A translation by whole pixels, up to an eighth of the side."""
    scale: float = 1.0
    """Both sides times a log-normal factor."""
    rotation: float = 1.0
    """Any angle, before and after the stretch; the chance that at least one of both happens is p times this."""
    stretch: float = 1.0
    """One side times a log-normal factor, the other divided by it."""
    fractional_translation: float = 1.0
    """A translation by a normal part of the side."""
    brightness: float = 1.0
    contrast: float = 1.0
    luma_flip: float = 1.0
    """Dark and light exchanged with hues kept, half of the time."""
    hue: float = 1.0
    saturation: float = 1.0
    cutout: float = 0.0
    """A square of half the side becomes 0, mid-grey."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) >= 0:
                raise UserError(
                    f"Expected {field.name} of the augmentation to be 0 or more, but it is {getattr(self, field.name)}: "
                    "set 0 to switch it off."
                )

    @property
    def general(self) -> bool:
        """Whether pixels can be mapped between pixels, which needs averaging."""
        return any((self.scale, self.rotation, self.stretch, self.fractional_translation))


class Augment(nn.Module):
    """Transforms every image of a batch by its own draw. Differentiable as often as one likes in the images.

    With probability p (a number or a 0-dimensional tensor) per transform and row, drawn from torch's global generator, equally
    for one process and for many; at 0 the result is the images to the last bit, and so is every row that nothing happened to.

    Against the paper: the images are reflected with the edge pixel repeated; smoothing against aliasing averages 2x2 bilinear
    samples a pixel where the paper filters with a sym6 wavelet; its image-space filters and noise are left out, since it found
    them to help little. Values may leave [-1, 1], as there.
    """

    def __init__(self, transforms: Transforms | None = None) -> None:
        super().__init__()
        self.transforms = transforms or Transforms()

    def forward(
        self, images: Float[Tensor, "batch channels height width"], p: float | Tensor, together: int = 1
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
        # Half precision would move pixels: places and colours are computed in full.
        with torch.autocast(images.device.type, enabled=False):
            dice = Dice(len(images), p, images.device, exact.dtype, together)
            return self._cut(self._recolour(self._move(exact, dice), dice), dice).to(images.dtype)

    def _move(self, images: Tensor, dice: Dice) -> Tensor:
        height, width = images.shape[2:]
        on_grid = self._on_grid(dice, height, width)
        if not self.transforms.general:
            inverse, smooth = on_grid, None
        else:
            between = self._between(dice, height, width)
            inverse, smooth = geometry.chain(on_grid, between), geometry.differs_from_identity(between)
        moved = geometry.differs_from_identity(inverse)
        return torch.where(moved[:, None, None, None], geometry.warp(images, inverse, smooth), images)

    def _on_grid(self, dice: Dice, height: int, width: int) -> geometry.Affine:
        """The inverse of the maps of the pixel grid onto itself, in the paper's order."""
        chosen = self.transforms
        mirrored = dice.sometimes(chosen.flip, dice.integers(2))
        turns = dice.sometimes(chosen.quarter_turns, dice.integers(4))
        share_x, share_y = dice.uniform(-TRANSLATION, TRANSLATION), dice.uniform(-TRANSLATION, TRANSLATION)
        translated = dice.sometimes(chosen.whole_translation, torch.ones_like(share_x))
        return geometry.chain(
            geometry.scaling(1 - 2 * mirrored, torch.ones_like(mirrored)),
            geometry.rotation(-turns * (math.pi / 2)),
            geometry.translation(-translated * torch.round(share_x * width), -translated * torch.round(share_y * height)),
        )

    def _between(self, dice: Dice, height: int, width: int) -> geometry.Affine:
        """The inverse of the maps of pixels between pixels, in the paper's order."""
        chosen = self.transforms
        scale = dice.sometimes(chosen.scale, dice.normal(SCALE_DEVIATION)).neg().exp()
        # Two chances, of which at least one comes up with the probability that was asked for.
        asked = dice.p * chosen.rotation
        once = 1 - (1 - asked).clamp(0) ** 0.5 if isinstance(asked, Tensor) else 1 - max(0.0, 1 - asked) ** 0.5
        before = dice.with_probability(once, dice.angle())
        stretch = dice.sometimes(chosen.stretch, dice.normal(SCALE_DEVIATION)).neg().exp()
        after = dice.with_probability(once, dice.angle())
        share_x, share_y = dice.normal(TRANSLATION), dice.normal(TRANSLATION)
        translated = dice.sometimes(chosen.fractional_translation, torch.ones_like(share_x))
        return geometry.chain(
            geometry.scaling(scale, scale),
            geometry.rotation(-before),
            geometry.scaling(stretch, 1 / stretch),
            geometry.rotation(-after),
            geometry.translation(-translated * share_x * width, -translated * share_y * height),
        )

    def _recolour(self, images: Tensor, dice: Dice) -> Tensor:
        chosen = self.transforms
        maps = [
            colour.brightness(dice.sometimes(chosen.brightness, dice.normal(BRIGHTNESS_DEVIATION))),
            colour.contrast(dice.sometimes(chosen.contrast, dice.normal(CONTRAST_DEVIATION)).exp()),
            colour.luma_flip(dice.sometimes(chosen.luma_flip, dice.integers(2))),
        ]
        if images.shape[1] > 1:  # grey has neither
            maps.append(colour.hue(dice.sometimes(chosen.hue, dice.angle())))
            maps.append(colour.saturation(dice.sometimes(chosen.saturation, dice.normal(SATURATION_DEVIATION)).exp()))
        whole = geometry.chain(*reversed(maps))
        changed = geometry.differs_from_identity(whole)
        return torch.where(changed[:, None, None, None], colour.recolour(images, whole), images)

    def _cut(self, images: Tensor, dice: Dice) -> Tensor:
        height, width = images.shape[2:]
        reach = dice.sometimes(self.transforms.cutout, torch.full_like(dice.uniform(), CUTOUT_SIDE / 2))
        away_x = (_middles(width, images) - dice.uniform()[:, None]).abs() >= reach[:, None]  # [B, W]
        away_y = (_middles(height, images) - dice.uniform()[:, None]).abs() >= reach[:, None]  # [B, H]
        kept = away_x[:, None, None, :] | away_y[:, None, :, None]
        return torch.where(kept, images, torch.zeros_like(images))


def _middles(size: int, like: Tensor) -> Float[Tensor, " size"]:
    """The middles of the pixels along one side, in parts of the side."""
    return (torch.arange(size, dtype=like.dtype, device=like.device) + 0.5) / size
