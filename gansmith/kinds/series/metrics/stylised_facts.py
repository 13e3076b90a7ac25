"""Stylised facts of series and of returns (Cont 2001, "Empirical properties of asset returns"), each as a distance to the real data.

A move is a log return where the data are returns, else the step from one value to the next.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.series.steps import moves_of, values_of

METRICS = {
    "tails": ("lower", "how far the sizes of moves are off, from the usual to 1 in 1,000 (mean absolute log ratio of quantiles)"),
    "acf": ("lower", "mean difference of the autocorrelations of moves at lags 1 to 20"),
    "clustering": ("lower", "mean difference of the autocorrelations of absolute moves at lags 1 to 20: volatility clustering"),
    "leverage": ("lower", "mean difference of the correlations of a move with later squared moves at lags 1 to 20"),
    "correlation": ("lower", "mean difference of the correlations between columns at the same time"),
}
SAYS = "quality"
LAGS = 20
QUANTILES = (0.5, 0.9, 0.99, 0.999)


def lagged(
    first: Float[np.ndarray, "batch steps columns"], second: Float[np.ndarray, "batch steps columns"], lags: int
) -> Float[np.ndarray, "batch lags columns"]:
    """The mean product of `first` now and `second` 1, 2, ... lags steps later, of each example."""
    steps = first.shape[1]
    return np.stack([(first[:, : steps - lag] * second[:, lag:]).mean(1) for lag in range(1, lags + 1)], axis=1)


class Facts:
    """The sums of every example from which the facts of any set of them follow; columns in units of the real moves."""

    def __init__(
        self, moves: Float[np.ndarray, "batch steps columns"], values: Float[np.ndarray, "batch s columns"], unit: np.ndarray
    ) -> None:
        moves = (moves - moves.mean((0, 1))) / unit
        lags = min(LAGS, moves.shape[1] - 1)
        size = np.abs(moves)
        size = size - size.mean((0, 1))
        squared = moves**2 - (moves**2).mean((0, 1))
        self.moves = moves
        self.sums = {
            "acf": (lagged(moves, moves, lags), (moves**2).mean(1), (moves**2).mean(1)),
            "clustering": (lagged(size, size, lags), (size**2).mean(1), (size**2).mean(1)),
            "leverage": (lagged(moves, squared, lags), (moves**2).mean(1), (squared**2).mean(1)),
        }
        centred = values - values.mean((0, 1))
        self.products = np.einsum("ntc,ntd->ncd", centred, centred) / values.shape[1]

    def curve(self, fact: str, kept: np.ndarray | slice = slice(None)) -> Float[np.ndarray, "lags columns"]:
        """The correlations of "acf", "clustering" or "leverage" by lag, of the examples kept."""
        products, first, second = (part[kept].mean(0) for part in self.sums[fact])
        return products / np.sqrt(np.maximum(first * second, 1e-300))

    def correlations(self, kept: np.ndarray | slice = slice(None)) -> Float[np.ndarray, "columns columns"]:
        covariance = self.products[kept].mean(0)
        deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        return covariance / np.outer(deviation, deviation)

    def sizes(self, kept: np.ndarray | slice = slice(None)) -> Float[np.ndarray, "quantiles columns"]:
        return np.quantile(np.abs(self.moves[kept]).reshape(-1, self.moves.shape[2]), QUANTILES, axis=0)


def facts_of(data: Dataset, unit: np.ndarray) -> Facts:
    """The facts of a data set, its moves in these units."""
    return Facts(moves_of(data), values_of(data), unit)


def unit_of(real: Dataset) -> np.ndarray:
    """The deviation of the real moves of each column."""
    return np.maximum(moves_of(real).std((0, 1)), 1e-12)


def curves_of(real: Dataset, fake: Dataset) -> list[Float[np.ndarray, "points 2"]]:
    """(real, generated) side by side, to be drawn: the autocorrelations of moves and of their sizes and the leverage at lags 0 to 20
    (0 being nothing), and the logarithms of the sizes of moves from the median to 1 in 1,000; each averaged over the columns."""
    unit = unit_of(real)
    facts = [facts_of(data, unit) for data in (real, fake)]
    found = [
        np.stack([np.concatenate([[0.0], each.curve(name).mean(1)]) for each in facts], axis=1)
        for name in ("acf", "clustering", "leverage")
    ]
    shares = 1 - np.geomspace(0.5, 0.001, 30)
    sizes = [np.quantile(np.abs(each.moves).reshape(-1, each.moves.shape[2]), shares, axis=0).mean(1) for each in facts]
    return [*found, np.log(np.maximum(np.stack(sizes, axis=1), 1e-9))]


def _off(fake: Facts, fact: str, curve: np.ndarray, kept: np.ndarray) -> float:
    return float(np.abs(fake.curve(fact, kept) - curve).mean())


def measure(side: Side) -> dict[str, Measured]:
    """Against all training examples; the interval leaves out generated ones."""
    unit = unit_of(side.real.train)
    real, fake = facts_of(side.real.train, unit), facts_of(side.data, unit)
    found = {}
    curves = {fact: real.curve(fact) for fact in fake.sums}
    statistics: dict[str, Callable[[np.ndarray], float]] = {fact: partial(_off, fake, fact, curves[fact]) for fact in fake.sums}
    correlations, sizes = real.correlations(), np.maximum(real.sizes(), 1e-9)
    above = np.triu_indices(len(correlations), 1)
    statistics["tails"] = lambda kept: float(np.abs(np.log(np.maximum(fake.sizes(kept), 1e-9) / sizes)).mean())
    if len(correlations) > 1:
        statistics["correlation"] = lambda kept: float(np.abs(fake.correlations(kept) - correlations)[above].mean())
    else:
        statistics["correlation"] = lambda kept: 0.0
    for name, statistic in statistics.items():
        value, low, high = jackknife(statistic, len(side.data), side.real.seed, bounds=(0.0, np.inf))
        found[name] = Measured(
            value=value, low=low, high=high, samples=len(side.data), reference_samples=len(side.real.train), space="raw"
        )
    return found
