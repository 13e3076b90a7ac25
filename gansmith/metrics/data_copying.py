"""The three-sample test for data copying (Meehan et al. 2020): are generated examples closer to the training examples of their
region than held-out examples are?"""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from gansmith.evaluation.nearest import nearest
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

METRICS = {
    "data_copying": (
        "higher",
        "z-score of the distances to training examples against those of held-out ones: 0 fresh, below -3 copies, above 3 far off",
    )
}
SAYS = "memorisation"

CELLS = 10
"""Most cells that the training examples are parted into."""
PER_CELL = 50
"""Examples for every cell."""
MINIMUM = 20
"""A cell counts if it holds as many generated examples (tau of the paper, in its authors' code 20)."""


@dataclass(frozen=True)
class Placement:
    """Where the generated examples stand among the held-out ones of their cell, which are ordered by their distance."""

    cell: Int[np.ndarray, " fake"]
    rank: Float[np.ndarray, " fake"]
    """Share of the cell's held-out examples that are nearer to the training examples; ties count half."""
    held_out: Int[np.ndarray, " cells"]
    """Held-out examples of every cell."""


def cells_of(
    train: Float[Tensor, "train features"], sample: Float[Tensor, "sample features"], count: int, seed: int
) -> Float[Tensor, "cells features"]:
    """Centres of at most `count` cells, by k-means of the sample; every cell holds a training example."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of fewer different examples than cells: some cells are empty
        centres = KMeans(count, random_state=seed).fit(sample.numpy()).cluster_centers_
    centres = torch.from_numpy(centres).to(train.dtype)
    return centres[nearest(train, centres, 1)[1].unique()]


def place(
    train: Float[Tensor, "train features"],
    held_out: Float[Tensor, "held_out features"],
    fake: Float[Tensor, "fake features"],
    centres: Float[Tensor, "cells features"],
) -> Placement:
    """Ranks generated among held-out examples by the distance to the nearest training example of the same cell."""
    cells = [nearest(side, centres, 1)[1][:, 0] for side in (train, held_out, fake)]
    rank = np.full(len(fake), np.nan)
    counts = np.zeros(len(centres), np.int64)
    for cell in range(len(centres)):
        mine, theirs, lessons = fake[cells[2] == cell], held_out[cells[1] == cell], train[cells[0] == cell]
        counts[cell] = len(theirs)
        if len(mine) and len(theirs):
            distances = np.sort(nearest(theirs, lessons, 1)[0][:, 0].numpy())
            placed = nearest(mine, lessons, 1)[0][:, 0].numpy()
            below, at_most = (np.searchsorted(distances, placed, where) for where in ("left", "right"))
            rank[(cells[2] == cell).numpy()] = (below + at_most) / (2 * len(theirs))
    return Placement(cells[2].numpy(), rank, counts)


def z_score(placement: Placement, kept: Int[np.ndarray, " kept"], fewest: int = MINIMUM) -> float:
    """C_T: the z-scores of the Mann-Whitney U of each cell, averaged with the cells' shares of held-out examples.

    Of the generated examples `kept`. Cells with fewer than `fewest` generated examples or no held-out one do not count; not a
    number if none counts.
    """
    count = len(placement.held_out)
    everyone = np.bincount(placement.cell, minlength=count)
    counts = (everyone >= fewest) & (placement.held_out > 0)
    if not counts.any():
        return float("nan")
    cell, rank = placement.cell[kept], placement.rank[kept]
    fake, held_out = np.bincount(cell, minlength=count)[counts], placement.held_out[counts]
    u = np.bincount(cell, rank, count)[counts] * held_out
    z = (u - fake * held_out / 2) / np.sqrt(np.maximum(fake, 1) * held_out * (fake + held_out + 1) / 12)
    return float(z @ held_out / held_out.sum())


def measure(side: Side) -> dict[str, Measured]:
    """Generated and held-out features, as many of both, against all training features; a z-score grows with their number."""
    train, held_out, fake = side.real.features, side.real.ceiling.features, side.features
    for count in (max(1, min(CELLS, len(fake) // PER_CELL)), 1):  # one cell for examples that share none with held-out ones
        centres = cells_of(train, side.real.sample, count, side.real.seed)
        placement = place(train, held_out, fake, centres)
        value, low, high = jackknife(lambda kept, placement=placement: z_score(placement, kept), len(fake), side.real.seed)
        if np.isfinite(value):
            break
    return {
        "data_copying": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(fake),
            reference_samples=len(train),
            space=side.real.extractor.name,
            note=f"{len(centres)} cell{'s' if len(centres) > 1 else ''}",
        )
    }
