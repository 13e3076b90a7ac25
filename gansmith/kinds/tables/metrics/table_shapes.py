"""Column shapes and pair trends: whether columns, and pairs of them, are distributed as in the data (definitions of SDMetrics).

A number's shape is 1 - the Kolmogorov-Smirnov distance, a category's 1 - the total variation distance. A pair of numbers is
1 - half the difference of Pearson's correlations, any other pair 1 - the total variation distance of the contingency table, numbers
being cut into ten bins as wide as the real values ask (KSComplement, TVComplement, CorrelationSimilarity, ContingencySimilarity).
Pairs that hardly depend on each other in the real data would be right by accident: the trends are the mean over pairs of a
correlation above 0.5 or a Cramer's V above 0.3, as in the quality report of SDMetrics 0.32, or over all pairs where there is none.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.tables.views import View, view

METRICS = {
    "column_shapes": ("higher", "how alike single columns are distributed, 1 being equal"),
    "pair_trends": ("higher", "how alike pairs of columns are distributed, 1 being equal"),
}
SAYS = "both"
BASELINE = "independent columns"
BINS = 10
CORRELATED, ASSOCIATED = 0.5, 0.3
"""The correlation and Cramer's V from which a real pair counts."""


def column_shape(real: Float[np.ndarray, " real"], fake: Float[np.ndarray, " fake"], categorical: bool) -> float:
    """1 - the distance of two columns; NaN where one holds no number."""
    if categorical:
        if not len(real) or not len(fake):
            return float("nan")
        return 1 - total_variation(real.astype(int), fake.astype(int))
    real, fake = np.sort(real[~np.isnan(real)]), np.sort(fake[~np.isnan(fake)])
    if not len(real) or not len(fake):
        return float("nan")
    both = np.concatenate([real, fake])
    shares = (np.searchsorted(side, both, "right") / len(side) for side in (real, fake))
    return 1 - float(np.abs(next(shares) - next(shares)).max())


def total_variation(real: Int[np.ndarray, " real"], fake: Int[np.ndarray, " fake"]) -> float:
    """Half the summed difference of the shares of each value."""
    size = int(max(real.max(), fake.max())) + 1
    shares = (np.bincount(side, minlength=size) / len(side) for side in (real, fake))
    return float(np.abs(next(shares) - next(shares)).sum() / 2)


def correlation_similarity(real: Float[np.ndarray, "real 2"], fake: Float[np.ndarray, "fake 2"]) -> float:
    """1 - half the difference of the correlations; NaN where a column is constant."""
    return 1 - abs(_correlation(real) - _correlation(fake)) / 2


def _correlation(pairs: Float[np.ndarray, "n 2"]) -> float:
    known = pairs[~np.isnan(pairs).any(1)]
    if len(known) < 2 or (known == known[0]).all(0).any():
        return float("nan")
    return float(np.corrcoef(known.T)[0, 1])


def cramers_v(a: Int[np.ndarray, " rows"], b: Int[np.ndarray, " rows"]) -> float:
    """How much two categories depend on each other, from 0 to 1 (Cramer 1946, section 21.9); 0 where one does not vary."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    table = table[table.any(1)][:, table.any(0)]
    if min(table.shape) < 2:
        return 0.0
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    return float(np.sqrt((np.square(table - expected) / expected).sum() / table.sum() / (min(table.shape) - 1)))


def cut(real: Float[np.ndarray, " real"], fake: Float[np.ndarray, " fake"]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as ten bins of equal width over the real values; the outer ones are open, missing numbers are a bin of their own."""
    edges = np.histogram_bin_edges(real[~np.isnan(real)], BINS) if not np.isnan(real).all() else np.array([0.0, 1.0])
    return np.digitize(real, edges[1:-1]) + BINS * np.isnan(real), np.digitize(fake, edges[1:-1]) + BINS * np.isnan(fake)


class Against:
    """A fake table against a real one; parts of the fake one can be measured again and again."""

    def __init__(self, real: View, fake: View) -> None:
        self.real, self.fake = real, fake
        pairs = [
            (real.values[:, i].astype(int), fake.values[:, i].astype(int))
            if real.categorical[i]
            else cut(real.values[:, i], fake.values[:, i])
            for i in range(len(real.names))
        ]
        self.binned = [np.stack(sides, 1) for sides in zip(*pairs, strict=True)]
        everything = list(combinations(range(len(real.names)), 2))
        self.pairs = [pair for pair in everything if self._strength(*pair)] or everything

    def _strength(self, i: int, j: int) -> bool:
        """Whether two real columns depend on each other enough to count."""
        if not (self.real.categorical[i] or self.real.categorical[j]):
            return abs(_correlation(self.real.values[:, [i, j]])) > CORRELATED
        return cramers_v(self.binned[0][:, i], self.binned[0][:, j]) > ASSOCIATED

    def shapes(self, rows: Int[np.ndarray, " rows"]) -> dict[str, float]:
        """The score of every column, over the cells that are not missing."""
        found = {}
        for i, name in enumerate(self.real.names):
            real, fake = self.real.values[:, i], self.fake.values[rows, i]
            if self.real.missing and self.real.missing[i] >= 0:
                real, fake = real[real != self.real.missing[i]], fake[fake != self.real.missing[i]]
            found[name] = column_shape(real, fake, bool(self.real.categorical[i]))
        return found

    def trends(self, rows: Int[np.ndarray, " rows"]) -> dict[tuple[str, str], float]:
        """The score of every pair of columns that counts."""
        real, fake = self.binned[0], self.binned[1][rows]
        size = np.maximum(real.max(0), self.binned[1].max(0)) + 1
        found = {}
        for i, j in self.pairs:
            if self.real.categorical[i] or self.real.categorical[j]:
                score = 1 - total_variation(real[:, i] * size[j] + real[:, j], fake[:, i] * size[j] + fake[:, j])
            else:
                score = correlation_similarity(self.real.values[:, [i, j]], self.fake.values[rows][:, [i, j]])
            found[self.real.names[i], self.real.names[j]] = score
        return found


def measure(side: Side) -> dict[str, Measured]:
    """Generated rows against the training rows."""
    against = Against(view(side.real.train), view(side.data))
    scores = {}
    for metric, parts in (("column_shapes", against.shapes), ("pair_trends", against.trends)):
        if not parts(np.arange(len(side.data))):
            continue
        value, low, high = jackknife(
            lambda rows, parts=parts: float(np.nanmean(list(parts(rows).values()))), len(side.data), side.real.seed, (0.0, 1.0)
        )
        scores[metric] = Measured(
            value=value, low=low, high=high, samples=len(side.data), reference_samples=len(side.real.train), space="table"
        )
    return scores
