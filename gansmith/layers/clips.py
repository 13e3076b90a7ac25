"""What networks of videos share: frames as a batch of images, their differences, moving an image along a flow."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample


def as_images(video: Float[Tensor, "batch frames *rest"]) -> Float[Tensor, images * rest]:
    """All frames of all clips as one batch of images, laid out as convolutions are quickest."""
    frames = video.flatten(0, 1)
    return frames.contiguous(memory_format=torch.channels_last) if frames.dim() == 4 else frames


def as_clips(frames: Float[Tensor, images * rest], steps: int) -> Float[Tensor, "batch frames *rest"]:
    """The inverse of `as_images`."""
    return frames.unflatten(0, (-1, steps))


def with_differences(
    video: Float[Tensor, "batch frames channels height width"],
) -> Float[Tensor, "batch frames twice height width"]:
    """Each frame with its difference to the frame before it; that of the first frame is 0."""
    moved = torch.cat([torch.zeros_like(video[:, :1]), video[:, 1:] - video[:, :-1]], 1)
    return torch.cat([video, moved], 2)


def moved_along(
    image: Float[Tensor, "batch channels height width"], flow: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, "batch channels height width"]:
    """An image whose every pixel is taken from `flow` away, (x, y) in halves of the image; beyond its edge lies the edge."""
    height, width = image.shape[2:]
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=image.device)
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=image.device)
    here = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)  # [H, W, 2]
    return grid_sample(image, here + flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
