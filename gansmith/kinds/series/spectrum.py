"""The second moments of series: the covariance of their channels at every frequency.

Cosine coefficients of smooth series are nearly uncorrelated across frequencies (Ahmed, Natarajan & Rao 1974, "Discrete cosine
transform"), so that one small covariance for each frequency says nearly all that a covariance of all numbers would.
"""

import numpy as np
from jaxtyping import Float

KNOTS = 32
"""Frequencies at most; between them it is interpolated."""


def knots(steps: int) -> np.ndarray:
    """The frequencies (half periods in `steps` steps) at which covariances are kept: all, or closer together at the low end."""
    if steps <= KNOTS:
        return np.arange(steps)
    return np.unique(np.concatenate([[0], np.geomspace(1, steps - 1, KNOTS - 1).round()])).astype(int)


def cosines(steps: int) -> Float[np.ndarray, "steps steps"]:
    """The orthonormal cosine transform (DCT-II) as a matrix [frequency, time]."""
    angle = np.pi / steps * (np.arange(steps) + 0.5)
    matrix = np.sqrt(2 / steps) * np.cos(np.arange(steps)[:, None] * angle)
    matrix[0] /= np.sqrt(2)
    return matrix


def second_moments(series: Float[np.ndarray, "n steps channels"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(mean of each channel, covariances [knots, channels, channels] flattened), the latter averaged over the frequencies about a knot."""
    steps = series.shape[1]
    means = series.mean((0, 1))
    coefficients = np.einsum("ft,ntc->fnc", cosines(steps), series - means)
    covariances = np.einsum("fnc,fnd->fcd", coefficients, coefficients) / len(series)
    at = knots(steps)
    nearest = np.abs(np.arange(steps)[:, None] - at).argmin(1)
    smooth = np.stack([covariances[nearest == place].mean(0) for place in range(len(at))])
    return tuple(means.round(7).tolist()), tuple(float(f"{value:.7g}") for value in smooth.ravel())
