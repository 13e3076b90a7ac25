"""How a quantity is spread on several sides, in bins that they have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

import numpy as np
from jaxtyping import Float

BINS = 40
EDGE = 0.005
"""Share of a side that may lie beyond either end of the axis, so that a lone far example does not squeeze all others."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How one quantity is spread on every side."""

    name: str
    low: float
    high: float
    shares: dict[str, list[float]]
    """By side, the share of its examples in each of equally wide bins from low to high; the ends may miss a few."""
    medians: dict[str, float]


def spread(name: str, values: Mapping[str, Float[np.ndarray, " examples"]], low: float | None = None) -> Spread:
    """Shares in bins that the sides have in common, from `low` or else where the examples begin."""
    ends = np.array([np.quantile(each, (EDGE, 1 - EDGE)) for each in values.values()])
    low = float(ends[:, 0].min()) if low is None else low
    high = float(ends[:, 1].max())
    if high - low <= 1e-9 * abs(low):  # all alike: one bin in the middle must hold them
        low, high = (low - 0.5, high + 0.5) if low else (0.0, 1.0)
    bins = max(8, min(BINS, isqrt(min(map(len, values.values())))))
    shares = {side: (np.histogram(each, bins, (low, high))[0] / len(each)).tolist() for side, each in values.items()}
    return Spread(
        name=name,
        low=low,
        high=high,
        shares=shares,
        medians={side: float(np.median(each)) for side, each in values.items()},
    )
