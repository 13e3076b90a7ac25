"""The three ways in which images were brought to 299x299 for the Frechet inception distance, which differ in its value."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

Images = Float[Tensor, "batch channels _ _"]
SIDE = 299


def clean(images: Images) -> Images:
    """Bicubic with antialiasing, as Pillow resizes floating point images (Parmar et al. 2022, clean-fid). Values 0 to 255."""
    if images.shape[-2:] != (SIDE, SIDE):
        images = interpolate(images, (SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False).clamp(0, 255)
    return (images - 128) / 128


def tensorflow(images: Images) -> Images:
    """Bilinear without antialiasing and shifted by half a pixel, as TensorFlow 1 did: the original, and torch-fidelity."""
    for dimension in (2, 3):
        size = images.shape[dimension]
        place = torch.arange(SIDE, dtype=torch.float32, device=images.device) * (size / SIDE)
        low = place.floor().long()
        high = (low + 1).clamp(max=size - 1)
        weight = (place - low).view(-1, *[1] * (3 - dimension))
        first = images.index_select(dimension, low)
        images = first + (images.index_select(dimension, high) - first) * weight
    return (images - 128) / 128


def pytorch(images: Images) -> Images:
    """Bilinear without antialiasing, pixels as squares: pytorch-fid."""
    if images.shape[-2:] != (SIDE, SIDE):
        images = interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return images / 127.5 - 1


RESIZINGS: dict[str, Callable[[Images], Images]] = {"clean": clean, "tensorflow": tensorflow, "pytorch": pytorch}
