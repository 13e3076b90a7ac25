"""The sliced Wasserstein distance of image patches at every scale (Karras et al. 2018, section 5; Rabin et al. 2011)."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from gansmith import kinds
from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

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
IMAGES = 2048
"""Images judged at most: 262,144 patches at every scale."""
LEVELS = 2**16 - 1


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
    kind, count, unit, space = kinds.find(side.data.codec.spec.kind), min(len(side.data), IMAGES), 1000.0, "patches"
    fake = kind.patches(side.data.subset(choose(len(side.data), count, seed)), seed)
    real = kind.patches(side.real.train.subset(choose(len(side.real.train), count, seed)), seed + 1)
    if fake is None or real is None:
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
