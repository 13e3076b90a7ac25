"""Prices as log returns without heavy tails: exact inverses of each other.

Returns of prices have tails that a network fed with normal noise makes badly. The inverse Lambert-W transform (Goerg 2015, "The
Lambert way to Gaussianize heavy-tailed data") pulls them in; it is undone exactly on the way back.

The heaviness that makes the kurtosis of four thousand daily returns normal belongs to a law whose own kurtosis is ninety where that of
the data is eleven (3 (1 - 2d)^3 / (1 - 4d)^(5/2) with d = 0.22): what a network makes a little beyond the data would become moves of fifty
deviations. Beyond the largest move of the data the factor therefore grows no more.
"""

import numpy as np
from jaxtyping import Float

MAXIMUM = 2.0
"""The largest heaviness that is fitted; Cauchy has 1."""
FAR = 1e9
"""An edge beyond all moves."""
MAX_EXPONENT = 300.0
"""Beyond it no number of double precision is left."""


def to_returns(prices: Float[np.ndarray, "... steps columns"]) -> Float[np.ndarray, "... returns columns"]:
    """Differences of logarithms: one step fewer."""
    return np.diff(np.log(prices), axis=-2)


def from_returns(
    returns: Float[np.ndarray, "... steps columns"], first: Float[np.ndarray, "... columns"]
) -> Float[np.ndarray, "... prices columns"]:
    """The prices that begin at `first` [..., columns] and have these returns: one step more."""
    path = np.cumsum(np.concatenate([np.log(first)[..., None, :], returns], axis=-2), axis=-2)
    return np.exp(path)


def heavier(
    u: Float[np.ndarray, "*any"], delta: Float[np.ndarray, "*some"], edge: Float[np.ndarray, "*some"] | float = FAR
) -> Float[np.ndarray, "*any"]:
    """u exp(delta u^2 / 2): light tails made heavy (Goerg 2015, equation 7); the factor beyond +-edge is that of the edge."""
    return u * np.exp(delta / 2 * np.minimum(np.abs(u), edge) ** 2)


def lighter(
    y: Float[np.ndarray, "*any"], delta: Float[np.ndarray, "*some"], edge: Float[np.ndarray, "*some"] | float = FAR
) -> Float[np.ndarray, "*any"]:
    """Its inverse, within the edge sign(y) sqrt(W(delta y^2) / delta) with Lambert's W (equation 9); y itself where delta is 0."""
    from scipy.special import lambertw

    factor = np.exp(np.minimum(delta / 2 * np.square(edge), MAX_EXPONENT))
    safe = np.maximum(delta, 1e-12)
    within = np.sign(y) * np.sqrt(lambertw(safe * np.minimum(np.abs(y), edge * factor) ** 2).real / safe)
    return np.where(np.abs(y) > edge * factor, y / factor, np.where(delta > 1e-9, within, y))


def heaviness(y: Float[np.ndarray, " n"]) -> float:
    """The delta for which the lighter tails have the kurtosis of a normal distribution (Goerg 2015, section 4.2); y standardised.

    0 where the tails are no heavier than normal.
    """
    from scipy.optimize import brentq

    def excess(delta: float) -> float:
        z = lighter(y, np.array(delta))
        z = z - z.mean()
        return float((z**4).mean() / max((z**2).mean() ** 2, 1e-300) - 3)

    if excess(0.0) <= 0 or excess(MAXIMUM) >= 0:
        return 0.0 if excess(0.0) <= 0 else MAXIMUM
    return float(brentq(excess, 0.0, MAXIMUM, xtol=1e-6))  # pyright: ignore[reportArgumentType], the stubs mix its two forms


def quantiles(values: Float[np.ndarray, "rows channels"]) -> tuple[float, ...]:
    """Quantiles of each channel, one channel after another: the tails as finely as a normal distribution asks, and the extremes."""
    from scipy.special import ndtr

    ranks = [0.0, *ndtr(np.linspace(-3.5, 3.5, 127)), 1.0]
    return tuple(np.quantile(values, ranks, axis=0).T.flatten().tolist())
