"""Patches of images at several scales, as the sliced Wasserstein distance compares them (Karras et al. 2018)."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from gansmith.data.dataset import Dataset

PATCHES = 128
"""Patches of every image at every scale."""
PATCH = 7
COARSEST = 16
"""The side of the coarsest scale."""
READ = 64
"""Images read at a time."""


def blurred(images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
    """Smoothed by the binomial filter of five taps in both directions, mirrored at the borders (Burt & Adelson 1983)."""
    padded = pad(images, (2, 2, 2, 2), mode="reflect")
    for direction in (2, 3):  # sums of shifted images: ten times as fast as a convolution of single channels
        first, second, middle, fourth, last = (padded.narrow(direction, tap, images.shape[direction]) for tap in range(5))
        padded = (first + last).div_(16).add_(second + fourth, alpha=1 / 4).add_(middle, alpha=3 / 8)
    return padded


def laplacian_pyramid(images: Float[Tensor, "batch channels height width"]) -> Iterator[Float[Tensor, "batch channels h w"]]:
    """What every scale adds to the next coarser one, from the finest on; the last is the image itself with a side of 16 to 31.

    Images with a side below 32 have one scale.
    """
    while min(images.shape[-2:]) >= 2 * COARSEST:
        coarse = blurred(images)[..., ::2, ::2]
        spread = torch.zeros_like(images)
        spread[..., ::2, ::2] = 4 * coarse
        yield images - blurred(spread)
        images = coarse
    yield images


def patches_of(
    images: Float[Tensor, "batch channels height width"], rng: torch.Generator
) -> Float[Tensor, "batch patches channels size size"]:
    """128 random patches of 7x7 of every image; smaller ones of smaller images, and as many as there are places."""
    height, width = images.shape[-2:]
    size = min(PATCH, height, width)
    places = images.unfold(2, size, 1).unfold(3, size, 1).permute(0, 2, 3, 1, 4, 5)
    wanted = (len(images), min(PATCHES, places.shape[1] * places.shape[2]))
    rows = torch.randint(places.shape[1], wanted, generator=rng)
    columns = torch.randint(places.shape[2], wanted, generator=rng)
    return places[torch.arange(len(images))[:, None], rows, columns]


def descriptors(data: Dataset, seed: int) -> list[Float[Tensor, "images patches numbers"]]:
    """The patches of every scale, each channel with mean 0 and standard deviation 1 over all of them."""
    rng = torch.Generator().manual_seed(seed)
    found: list[list[Tensor]] = []
    for start in range(0, len(data), READ):
        images = data.batch(slice(start, start + READ))[data.codec.spec.key].float()
        for scale, detail in enumerate(laplacian_pyramid(images)):
            if scale == len(found):
                found.append([])
            found[scale].append(patches_of(detail, rng))
    scales = []
    while found:
        patches = torch.cat(found.pop(0))
        deviation, mean = torch.std_mean(patches, (0, 1, 3, 4), correction=0, keepdim=True)
        scales.append(patches.sub_(mean).div_(deviation.clamp(min=torch.finfo(torch.float32).tiny)).flatten(2))
    return scales
