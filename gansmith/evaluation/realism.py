"""Which generated examples look most real, and which least."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from gansmith.evaluation.nearest import blocks

SHOWN = 16
"""Examples at either end of the ranking that are shown."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The two ends of the generated examples in the order of their realism."""

    best: list[int]
    """Positions in the generated data set, the best first."""
    worst: list[int]
    """The worst first."""
    best_balls: list[int]
    """In how many real balls each of them lies."""
    worst_balls: list[int]
    best_distances: list[float]
    """How far each of them is from the nearest training example."""
    worst_distances: list[float]


def surroundings(
    real: Float[Tensor, "real features"], fake: Float[Tensor, "fake features"], squared_radii: Float[Tensor, " real"]
) -> tuple[Int[Tensor, " fake"], Int[Tensor, " fake"]]:
    """(in how many real balls each example lies, the real example nearest to it), holding 2^24 distances at a time."""
    balls = torch.zeros(len(fake), dtype=torch.int64)
    nearest, closest = torch.full((len(fake),), torch.inf, dtype=fake.dtype), torch.zeros(len(fake), dtype=torch.int64)
    for rows, squared in blocks(real, fake):
        balls += (squared <= squared_radii[rows, None]).sum(0)
        least, where = squared.min(0)
        closest = torch.where(least < nearest, where + rows.start, closest)
        nearest = torch.minimum(least, nearest)
    return balls, closest


def ranked(
    balls: Int[np.ndarray, " fake"], distances: Float[np.ndarray, " fake"], positions: Int[np.ndarray, " fake"], shown: int
) -> Ranking:
    """By the number of real balls around an example (its part in the density of Naeem et al. 2020); of equals, the nearer first.

    At most half of the examples stand at either end. The order knows nothing of copies, which are its best.
    """
    order, shown = np.lexsort((distances, -balls)), min(shown, len(balls) // 2)
    best, worst = order[:shown], order[::-1][:shown]
    return Ranking(
        best=positions[best].tolist(),
        worst=positions[worst].tolist(),
        best_balls=balls[best].tolist(),
        worst_balls=balls[worst].tolist(),
        best_distances=distances[best].tolist(),
        worst_distances=distances[worst].tolist(),
    )
