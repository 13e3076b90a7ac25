"""What networks of videos share: clips of a batch of frames, moving an image along a flow."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.layers.sampled import sampled


def as_clips(frames: Float[Tensor, "images ..."], steps: int) -> Float[Tensor, "batch frames ..."]:
    """One batch of the frames of all clips as clips of so many frames."""
    return frames.unflatten(0, (-1, steps))


def moved_along(
    image: Float[Tensor, "batch channels height width"], flow: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, "batch channels height width"]:
    """An image whose every pixel is taken from `flow` away, (x, y) in halves of the image; beyond its edge lies the edge."""
    height, width = image.shape[2:]
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=image.device)
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=image.device)
    here = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)  # [H, W, 2]
    return sampled(image, here + flow.permute(0, 2, 3, 1), "border")
