"""Are generated examples closer to the training examples than fresh real ones are?"""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

METRICS = {
    "memorisation": (
        "higher",
        "median distance to the nearest training example over that of held-out ones, at most 1: 0 copies, 1 fresh",
    )
}
SAYS = "memorisation"


def measure(side: Side) -> dict[str, Measured]:
    """Generated against all training features; the held-out examples' own distance is the unit."""
    distances = side.distances.numpy()
    unit = max(side.real.held_out_distance, np.finfo(np.float64).tiny)  # zero where the held-out examples are copies themselves

    def nearness(kept: np.ndarray) -> float:
        median = float(np.median(distances[kept]))
        return median / unit if median < unit else 1.0

    value, low, high = jackknife(nearness, len(distances), side.real.seed, bounds=(0.0, 1.0))
    return {
        "memorisation": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(distances),
            reference_samples=len(side.real.features),
            space=side.real.extractor.name,
        )
    }
