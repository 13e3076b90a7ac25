"""Maximum mean discrepancy (Gretton et al. 2012): how far apart the means of two sets lie in the space of a kernel."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation import nearest
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

METRICS = {
    "mmd": (
        "lower",
        "distance of the features' means, variances and third moments (cubic kernel), unbiased: about 0 for real examples",
    )
}
SAYS = "both"

STRIPS = 8
"""Strips of a symmetric matrix at least: with more, less is made twice, and products of matrices are slower."""
Kernel = Callable[[Tensor, Tensor], Tensor]
"""[n, features] and [m, features] to [n, m]."""


@dataclass(frozen=True)
class Discrepancy:
    """The squared maximum mean discrepancy of two sets."""

    value: float
    influence: Float[Tensor, " fake"]
    """How far every fake example pulls it, on average 0: without some examples it is about value + mean(influence of the rest)."""


def cubic(a: Float[Tensor, "n features"], b: Float[Tensor, "m features"]) -> Float[Tensor, "n m"]:
    """(a b / features + 1)^3, the kernel of Binkowski et al. 2018 (section 4)."""
    return torch.addmm(torch.ones((), dtype=a.dtype), a, b.T, alpha=1 / a.shape[1]).pow_(3)


def discrepancy(
    fake: Float[Tensor, "fake features"], real: Float[Tensor, "real features"], kernel: Kernel, *, unbiased: bool
) -> Discrepancy:
    """mean k(fake, fake) + mean k(real, real) - 2 mean k(fake, real) over all pairs, a block at a time.

    The unbiased form (Gretton et al. 2012, lemma 6) leaves out the pairs of an example with itself and may be negative.
    """
    among_fake, among_real = (_among(side, kernel, alone=unbiased) for side in (fake, real))
    across = _across(fake, real, kernel)
    influence = 2 * (among_fake - across)
    value = among_fake.mean() + among_real.mean() - 2 * across.mean()
    return Discrepancy(float(value), influence - influence.mean())


def _across(a: Float[Tensor, "n features"], b: Float[Tensor, "m features"], kernel: Kernel) -> Float[Tensor, " n"]:
    """The mean kernel of every row of `a` with all rows of `b`."""
    pieces = a.split(max(1, nearest.ENTRIES // len(b)))
    return torch.cat([kernel(piece, b).sum(1) for piece in pieces]).double() / len(b)


def _among(a: Float[Tensor, "n features"], kernel: Kernel, *, alone: bool) -> Float[Tensor, " n"]:
    """The mean kernel of every row with all rows; `alone` leaves out the row itself. Of the symmetric matrix, about half is made."""
    sums = torch.zeros(len(a), dtype=torch.float64)
    rows = max(1, min(nearest.ENTRIES // len(a), -(-len(a) // STRIPS)))
    for start in range(0, len(a), rows):
        stop = start + rows
        values = kernel(a[start:stop], a[start:])
        sums[start:stop] += values.sum(1)
        sums[stop:] += values[:, rows:].sum(0)
        if alone:
            sums[start:stop] -= values.diagonal()
    return sums / (len(a) - alone)


def measure(side: Side) -> dict[str, Measured]:
    """As many generated features against as many random training features; the interval is over the generated ones."""
    found = discrepancy(side.features, side.real.sample, cubic, unbiased=True)
    influence = found.influence.numpy()
    value, low, high = jackknife(lambda kept: found.value + float(influence[kept].mean()), len(influence), side.real.seed)
    return {
        "mmd": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(side.features),
            reference_samples=len(side.real.sample),
            space=side.real.extractor.name,
        )
    }
