"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020) from nearest neighbours.

A set of examples stands for the union of balls around them that reach to their k-th nearest neighbour in the set. k = 5, as in
Naeem et al. (section 4.2); Kynkaanniemi et al. use 3, and values of different k are not comparable.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gansmith.evaluation.nearest import blocks, squared_radii
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

METRICS = {
    "precision": ("higher", "share of generated examples that lie where real ones are (quality)"),
    "recall": ("higher", "share of real examples that lie where generated ones are (diversity)"),
    "density": ("higher", "how densely real examples surround the generated ones, may exceed 1 (quality, robust to outliers)"),
    "coverage": ("higher", "share of real examples with a generated one nearby (diversity, robust to outliers)"),
}
SAYS = {"precision": "quality", "recall": "diversity", "density": "quality", "coverage": "diversity"}

NEIGHBOURS = 5


@dataclass(frozen=True)
class Manifold:
    """The four metrics example by example: their means are the metrics."""

    precision: Bool[Tensor, " fake"]
    recall: Bool[Tensor, " real"]
    density: Float[Tensor, " fake"]
    coverage: Bool[Tensor, " real"]


def manifold(real: Float[Tensor, "real features"], fake: Float[Tensor, "fake features"], k: int = NEIGHBOURS) -> Manifold:
    """Compares two sets of features, in their precision, holding 2^24 distances at a time."""
    assert k < min(len(real), len(fake))
    real_radii, fake_radii = squared_radii(real, k), squared_radii(fake, k)
    surrounding = torch.zeros(len(fake), dtype=torch.int64)
    recall, coverage = torch.empty(len(real), dtype=torch.bool), torch.empty(len(real), dtype=torch.bool)
    for rows, squared in blocks(real, fake):
        surrounding += (squared <= real_radii[rows, None]).sum(0)
        recall[rows] = (squared <= fake_radii).any(1)
        coverage[rows] = squared.amin(1) <= real_radii[rows]
    return Manifold(precision=surrounding > 0, recall=recall, density=surrounding.double() / k, coverage=coverage)


def measure(side: Side) -> dict[str, Measured]:
    """As many generated features against as many random training features.

    The intervals are over the examples averaged: generated ones for precision and density, real ones for recall and coverage.
    """
    found = manifold(side.real.sample, side.features)
    scores = {}
    for metric in METRICS:
        each = getattr(found, metric).double().numpy()
        bounds = (0.0, float("inf") if metric == "density" else 1.0)
        value, low, high = jackknife(lambda kept, each=each: float(each[kept].mean()), len(each), side.real.seed, bounds)
        scores[metric] = Measured(
            value=value,
            low=low,
            high=high,
            samples=len(side.features),
            reference_samples=len(side.real.sample),
            space=side.real.extractor.name,
        )
    return scores
