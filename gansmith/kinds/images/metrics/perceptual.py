"""How different are generated images from each other, as a network sees them?"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import GROUPS, Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.features.classifier import Classifier, OnTheSpot
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "perceptual_diversity": (
        "higher",
        "mean perceptual distance of random pairs of generated images: 0 for one image over and over; noise scores high too",
    )
}
SAYS = "diversity"
PAIRS = 1000
"""Pairs of images that are compared; more would narrow the interval, and take as much longer."""
NUMBERS = 2**18
"""Pixels of pairs compared at a time, so that memory stays flat."""

Distance = Callable[[Tensor, Tensor], Tensor]
"""Two batches of images [B, C, H, W] in [-1, 1] to their distances [B]."""


def measure(side: Side) -> dict[str, Measured]:
    """In the judge's own classifier, with equal weights; `lpips` is the same in a published network."""
    space = side.real.extractor
    if not isinstance(space, Classifier):
        raise NotApplicableError(f"perceptual diversity is measured by the classifier trained on the spot, not in {space.name}.")
    return {"perceptual_diversity": diversity(side, OnTheSpot(space), space.name)}


def diversity(side: Side, distance: Distance, space: str) -> Measured:
    """The mean distance of random pairs of the side's images, each image in one pair at most."""
    if len(side.data) < 2 * GROUPS:
        raise NotApplicableError(f"pairs need at least {2 * GROUPS} images, but there are {len(side.data)}.")
    distances = pair_distances(side.data, distance, PAIRS, side.real.seed).double().numpy()
    value, low, high = jackknife(lambda kept: float(distances[kept].mean()), len(distances), side.real.seed, (0.0, np.inf))
    return Measured(value=value, low=low, high=high, samples=2 * len(distances), reference_samples=0, space=space)


def pair_distances(data: Dataset, distance: Distance, most: int, seed: int) -> Float[Tensor, " pairs"]:
    """The distances of random disjoint pairs, at most so many."""
    order = np.random.default_rng(seed).permutation(len(data))[: 2 * min(most, len(data) // 2)]
    firsts, seconds = order[::2], order[1::2]
    key = data.codec.spec.key
    at_once = pairs_at_once(data)
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        return torch.cat(
            [
                distance(*(data.batch(positions[start : start + at_once])[key].float() for positions in (firsts, seconds)))
                for start in range(0, len(firsts), at_once)
            ]
        )


def pairs_at_once(data: Dataset) -> int:
    """How many pairs of images of this size are compared at a time."""
    _, height, width = data.codec.spec.shape
    return min(64, max(1, NUMBERS // (height * width)))
