"""The sliced Wasserstein distance of image patches at every scale (Karras et al. 2018, section 5; Rabin et al. 2011)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize, pad

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side, choose

METRICS = {
    "swd": (
        "lower",
        "sliced Wasserstein distance of 7x7 patches at every scale times 1000: textures, not where they are; of points themselves",
    )
}
SAYS = "both"

PROJECTIONS = 512
AT_A_TIME = 32
"""Projections held at a time; the first of them give the interval."""
PATCHES = 128
"""Patches of every image at every scale."""
PATCH = 7
COARSEST = 16
"""The side of the coarsest scale."""
IMAGES = 2048
"""Images judged at most: 262,144 patches at every scale."""
READ = 64
"""Images read at a time."""
LEVELS = 2**16 - 1


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


def directions(features: int, count: int, seed: int) -> Float[Tensor, "count features"]:
    """Random directions of length 1."""
    return normalize(torch.randn(count, features, generator=torch.Generator().manual_seed(seed)))


def projected_distance(a: Float[Tensor, "lines n"], b: Float[Tensor, "lines n"]) -> float:
    """The Wasserstein-1 distance of equally many numbers, averaged over the lines, to 1/65,535 of their range.

    Rounded to 16 bits the numbers are sorted by counting, five times as fast as by comparing.
    """
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    step = (high - low).clamp(min=torch.finfo(torch.float32).tiny) / LEVELS
    ranks = [((side - low) / step).round_().to(torch.uint16).numpy() for side in (a, b)]
    mine, theirs = (np.sort(side, axis=1, kind="stable").astype(np.int32) for side in ranks)
    return float(step) * float(np.abs(mine - theirs).mean())


def sliced_wasserstein(
    a: Float[Tensor, "n features"], b: Float[Tensor, "n features"], seed: int, projections: int = PROJECTIONS
) -> float:
    """The Wasserstein-1 distance of two sets of as many rows along random directions, averaged over the directions."""
    lines = directions(a.shape[1], projections, seed).to(a.dtype).split(AT_A_TIME)
    return float(
        np.average([projected_distance(some @ a.T, some @ b.T) for some in lines], weights=[len(some) for some in lines])
    )


def measure(side: Side) -> dict[str, Measured]:
    """Generated against as many training examples, of images at most 2,048 (the paper takes 16,384), averaged over the scales.

    The interval leaves out as many examples on both sides and is measured along the first 32 directions.
    """
    seed = side.real.seed
    if side.data.codec.spec.of_images:
        count, unit, space = min(len(side.data), IMAGES), 1000.0, "patches"
        fake = descriptors(side.data.subset(choose(len(side.data), count, seed)), seed)
        real = descriptors(side.real.train.subset(choose(len(side.real.train), count, seed)), seed + 1)
    else:
        count, unit, space = len(side.features), 1.0, side.real.extractor.name
        fake, real = [side.features[:, None]], [side.real.sample[:, None]]
    value = unit * float(
        np.mean([sliced_wasserstein(a.flatten(0, 1), b.flatten(0, 1), seed) for a, b in zip(fake, real, strict=True)])
    )
    few = [[directions(each.shape[2], AT_A_TIME, seed).to(each.dtype) @ each.mT for each in scales] for scales in (fake, real)]
    middle, low, high = jackknife(lambda kept: unit * _distance(few[0], few[1], torch.from_numpy(kept)), count, seed)
    return {
        "swd": Measured(
            value=value,
            low=max(0.0, value - (middle - low)),
            high=value + (high - middle),
            samples=count,
            reference_samples=count,
            space=space,
            note=f"{len(fake)} scale{'s' if len(fake) > 1 else ''}" if space == "patches" else "",
        )
    }


def _distance(a: Sequence[Tensor], b: Sequence[Tensor], kept: Tensor) -> float:
    """The distance of the images kept, averaged over the scales, of projected patches [images, lines, patches]."""
    lines = ([each[kept].movedim(1, 0).flatten(1) for each in scales] for scales in (a, b))
    return float(np.mean([projected_distance(mine, theirs) for mine, theirs in zip(*lines, strict=True)]))
