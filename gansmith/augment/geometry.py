"""Affine maps of images, in pixels from the centre, x to the right and y down."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from gansmith.augment.dice import Row
from gansmith.augment.resample import sample

Affine = Float[Tensor, "batch 3 3"]


def scaling(x: Row, y: Row) -> Affine:
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrix([x, zero, zero, zero, y, zero, zero, zero, one])


def rotation(angle: Row) -> Affine:
    """Turns x towards y: clockwise as one sees it."""
    cosine, sine, zero, one = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle), torch.ones_like(angle)
    return _matrix([cosine, -sine, zero, sine, cosine, zero, zero, zero, one])


def translation(x: Row, y: Row) -> Affine:
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrix([one, zero, x, zero, one, y, zero, zero, one])


def _matrix(entries: list[Row]) -> Affine:
    return torch.stack(entries, 1).unflatten(1, (3, 3))


def chain(*maps: Float[Tensor, "batch size size"]) -> Float[Tensor, "batch size size"]:
    """The product of the maps; the last is applied first. Not by matmul, whose reduced precision on GPUs moves pixels."""
    product = maps[0]
    for factor in maps[1:]:
        product = (product[:, :, :, None] * factor[:, None]).sum(2)
    return product


def differs_from_identity(maps: Float[Tensor, "batch size size"]) -> Bool[Tensor, " batch"]:
    return (maps != torch.eye(maps.shape[-1], dtype=maps.dtype, device=maps.device)).flatten(1).any(1)


def warp(
    images: Float[Tensor, "batch channels height width"], inverse: Affine, smooth: Bool[Tensor, " batch"] | None = None
) -> Float[Tensor, "batch channels height width"]:
    """Every output pixel shows the input at `inverse` of its place, reflected beyond the edges.

    Rows marked `smooth` are averages of 2x2 samples a pixel against aliasing; the others take one sample at the centre, which
    keeps maps of the pixel grid onto itself exact. None: no row is smooth, at a quarter of the cost.
    """
    samples = 1 if smooth is None else 2
    height, width = images.shape[-2:]
    spread = images.new_zeros(len(images)) if smooth is None else torch.where(smooth, 0.25, 0.0).to(images.dtype)
    x, y = _places(width, samples, spread)[:, None, :], _places(height, samples, spread)[:, :, None]
    entries = inverse[:, :, :, None, None]
    source_x = entries[:, 0, 0] * x + entries[:, 0, 1] * y + entries[:, 0, 2]
    source_y = entries[:, 1, 0] * x + entries[:, 1, 1] * y + entries[:, 1, 2]
    taken = sample(images, torch.stack([source_x * (2 / width), source_y * (2 / height)], -1))
    return taken if samples == 1 else functional.avg_pool2d(taken, samples)


def _places(size: int, samples: int, spread: Row) -> Float[Tensor, "batch places"]:
    """Sample places along one side, from the centre of the image, each pixel's own ones side by side around its centre."""
    centres = torch.arange(size, dtype=spread.dtype, device=spread.device) + 0.5 - size / 2
    signs = torch.arange(samples, dtype=spread.dtype, device=spread.device) * 2 - (samples - 1)
    return (centres[None, :, None] + spread[:, None, None] * signs).flatten(1)
