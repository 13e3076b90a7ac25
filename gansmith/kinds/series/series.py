"""One time series as it is read and written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Num

from gansmith.data.windowed import passes

UNROUNDED = 7
"""Numbers with so many decimals are left as they are."""


@dataclass(frozen=True)
class Series:
    """One series: its values [steps, columns] and what is fixed for it."""

    values: Num[np.ndarray, "steps columns"]
    static: Mapping[str, str | float] = field(default_factory=dict)
    """Static attributes: words or numbers by name; the class under "class"."""


def decimals_of(numbers: Num[np.ndarray, " n"]) -> int:
    """With how many decimals these numbers are written: 0 of whole ones, UNROUNDED of any."""
    decimals = 0
    for part in passes(numbers):
        given = part.astype(np.float64)
        near = min(1e-9, 1e-6 * float(np.abs(given).max(initial=0.0)))
        while decimals < UNROUNDED and not np.allclose(given, np.round(given, decimals), rtol=1e-12, atol=near):
            decimals += 1
    return decimals


def fits_float32(low: np.ndarray, high: np.ndarray) -> bool:
    """Whether numbers from `low` to `high` [columns] keep a ten-thousandth of that range in 24 bits, or are small whole ones."""
    size, spread = np.maximum(np.abs(low), np.abs(high)), high - low
    return bool(np.all((size * 2.0**-24 <= 1e-4 * spread) | (spread == 0) | (size < 2**24) & (spread >= 1)))
