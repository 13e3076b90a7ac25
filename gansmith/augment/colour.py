"""Colour maps as 4x4 matrices on (red, green, blue, 1)."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.augment.dice import Row

Colour = Float[Tensor, "batch 4 4"]


def brightness(offset: Row) -> Colour:
    """Adds the offset to every channel."""
    matrix = torch.eye(4, dtype=offset.dtype, device=offset.device).repeat(len(offset), 1, 1)
    matrix[:, :3, 3] = offset[:, None]
    return matrix


def contrast(factor: Row) -> Colour:
    """Multiplies every channel."""
    return _linear(factor[:, None, None] * torch.eye(3, dtype=factor.dtype, device=factor.device))


def luma_flip(flipped: Row) -> Colour:
    """Where 1, dark becomes light and hue stays: a reflection along the grey axis; where 0, nothing."""
    along, _ = _split(flipped)
    eye = torch.eye(3, dtype=flipped.dtype, device=flipped.device)
    return _linear(eye - 2 * flipped[:, None, None] * along)


def hue(angle: Row) -> Colour:
    """Turns colours around the grey axis (Rodrigues' formula)."""
    along, _ = _split(angle)
    eye = torch.eye(3, dtype=angle.dtype, device=angle.device)
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=angle.dtype, device=angle.device) / 3**0.5
    cosine, sine = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
    # Written as a change, so that the angle 0 is the identity to the last bit.
    return _linear(eye + (cosine - 1) * (eye - along) + sine * cross)


def saturation(factor: Row) -> Colour:
    """Multiplies the distance to the grey axis."""
    _, across = _split(factor)
    eye = torch.eye(3, dtype=factor.dtype, device=factor.device)
    return _linear(eye + (factor[:, None, None] - 1) * across)


def _split(row: Row) -> tuple[Tensor, Tensor]:
    """The projections onto the grey axis and onto the plane across it, both [3, 3]."""
    along = torch.full((3, 3), 1 / 3, dtype=row.dtype, device=row.device)
    return along, torch.eye(3, dtype=row.dtype, device=row.device) - along


def _linear(matrix: Float[Tensor, "batch 3 3"]) -> Colour:
    whole = torch.eye(4, dtype=matrix.dtype, device=matrix.device).repeat(len(matrix), 1, 1)
    whole[:, :3, :3] = matrix
    return whole


def recolour(images: Float[Tensor, "batch channels height width"], maps: Colour) -> Float[Tensor, "batch channels height width"]:
    """Images with each row's map applied. One channel is taken as grey; a fourth one (alpha) is left alone."""
    linear, offset = maps[:, :3, :3], maps[:, :3, 3]
    if images.shape[1] == 1:
        return images * linear.sum((1, 2))[:, None, None, None] / 3 + offset.mean(1)[:, None, None, None]
    pixels = images[:, :3].flatten(2)  # [B, 3, H*W]
    coloured = (linear @ pixels + offset[:, :, None]).unflatten(2, images.shape[2:])
    return torch.cat([coloured, images[:, 3:]], 1)
