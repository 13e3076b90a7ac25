"""A Gaussian copula: what has been used to make tables without a network, and so stands beside every score of tables.

Columns keep their distributions and depend on each other as a normal distribution does (Patki, Wedge & Veeramachaneni 2016, The
synthetic data vault): the numbers and choices of a column, put in order, become normal scores of ranks, of which the correlations are
taken. Categories are ordered by frequency, which is as arbitrary as any order.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr, ndtri

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.tables.baseline import drawn_rows
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.columns import Column


@dataclass(frozen=True, eq=False)
class _Variable:
    """A column, or whether its cells are there: the training rows in its order, and their normal scores, 0 where missing."""

    order: Int[np.ndarray, " known"]
    scores: Float[np.ndarray, " rows"]
    known: Bool[np.ndarray, " rows"]

    @classmethod
    def of(cls, keys: Float[np.ndarray, " rows"], rng: np.random.Generator) -> "_Variable":
        """Equal keys share their ranks at random, and have the mean of their scores; scores vary by 1."""
        known = ~np.isnan(keys)
        order = np.lexsort((rng.random(len(keys)), keys))[: known.sum()]
        _, place, counts = np.unique(keys[order], return_inverse=True, return_counts=True)
        ranked = ndtri((np.arange(len(order)) + 0.5) / len(order))
        shared = (np.bincount(place, ranked) / counts)[place]
        scores = np.zeros(len(keys))
        scores[order] = shared / max(float(shared.std()), 1e-9)
        return cls(order, scores, known)

    def at(self, normal: Float[np.ndarray, " count"]) -> Int[np.ndarray, " count"]:
        """The training rows whose cells have these normal scores."""
        return self.order[(ndtr(normal) * len(self.order)).astype(int).clip(0, len(self.order) - 1)]


def copula(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` rows of a Gaussian copula fitted to the training rows, each cell being that of some training row.

    Whether a cell is missing is a variable of its own.
    """
    rng = np.random.default_rng(seed)
    packed = drawn_rows(train, seed)
    groups: list[slice] = []
    numbers: list[_Variable] = []
    gaps: dict[int, _Variable] = {}
    for column in cast("TableCodec", train.codec).learned:
        groups.append(slice(groups[-1].stop if groups else 0, (groups[-1].stop if groups else 0) + len(column.sizes)))
        keys = _keys(column, packed[:, groups[-1]])
        numbers.append(_Variable.of(keys, rng))
        if np.isnan(keys).any():
            gaps[len(numbers) - 1] = _Variable.of((~np.isnan(keys)).astype(float), rng)
    variables = [*numbers, *gaps.values()]
    scores, known = (np.stack([getattr(each, name) for each in variables], 1) for name in ("scores", "known"))
    correlations = scores.T @ scores / np.maximum(known.T.astype(float) @ known, 1)
    np.fill_diagonal(correlations, 1)
    drawn = rng.multivariate_normal(np.zeros(len(variables)), correlations, count, check_valid="ignore", method="eigh")
    rows = np.empty((count, packed.shape[1]), packed.dtype)
    for i, group in enumerate(groups):
        places = numbers[i].at(drawn[:, i])
        if i in gaps:
            decided = gaps[i].at(drawn[:, len(numbers) + list(gaps).index(i)])
            places = np.where(numbers[i].known[decided], places, decided)
        rows[:, group] = packed[places, group]
    arrays = {"row": rows}
    return Dataset(name="Gaussian copula", codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))


def _keys(column: Column, parts: Float[np.ndarray, "rows groups"]) -> Float[np.ndarray, " rows"]:
    """By what the cells of a column are put in order: numbers and dates by their value, NaN if missing, categories by frequency."""
    if not column.is_numeric:
        return parts[:, 0].astype(float) if len(column.sizes) == 1 else parts[:, 0] * float(column.sizes[1]) + parts[:, 1]
    keys = (column.key_of(cell) for cell in column.unpack(list(parts.T)))
    return np.array([key if isinstance(key, float) else np.nan for key in keys])
