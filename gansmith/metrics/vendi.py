"""The Vendi score (Friedman & Dieng 2023): the effective number of different examples, without any reference."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

METRICS = {
    "vendi": ("higher", "effective number of different examples, by the directions of their features; the ceiling is real")
}
SAYS = "diversity"

ROWS = 4096
"""Examples in float64 at a time."""
TINY = 1e-12
"""Smaller eigenvalues are rounding errors: they are shares of 1."""


def surprisals(features: Float[Tensor, "batch features"]) -> Float[np.ndarray, " batch"]:
    """-x log(C) x for rows x of length 1 and C the mean of their outer products; exp of their mean is the Vendi score.

    The eigenvalues of C are those of the kernel matrix of cosines divided by the number of examples, and the mean
    is their entropy. Each surprisal is also, up to a constant, the influence of its example on the entropy.
    """
    second = torch.zeros(features.shape[1], features.shape[1], dtype=torch.float64)
    for rows in _directions(features):
        second.addmm_(rows.T, rows)
    eigenvalues, axes = torch.linalg.eigh(second / len(features))
    axes, logarithms = axes[:, eigenvalues > TINY], eigenvalues[eigenvalues > TINY].log()
    return torch.cat([-((rows @ axes).square() @ logarithms) for rows in _directions(features)]).numpy()


def _directions(features: Float[Tensor, "batch features"]) -> Iterator[Float[Tensor, "rows features"]]:
    for rows in features.split(ROWS):
        yield normalize(rows.double())


def measure(side: Side) -> dict[str, Measured]:
    """Of the generated features, all having the same weight; at most the number of features."""
    features = side.features
    each = surprisals(features)
    most = min(features.shape)
    value, low, high = jackknife(lambda kept: float(np.exp(each[kept].mean())), len(each), side.real.seed, (1.0, float(most)))
    return {
        "vendi": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(features),
            reference_samples=0,
            space=side.real.extractor.name,
            note=f"at most {most}",
        )
    }
