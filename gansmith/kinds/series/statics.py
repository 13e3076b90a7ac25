"""How static attributes are distributed: each alone, and together as a Gaussian copula has them. No row of the data is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri

SHARED = 5
"""A number that fewer series have in common is kept in a mean of so many of them."""
KNOTS = 33
"""Quantiles of an attribute at most."""
CLOSEST = 0.98
"""The largest correlation of two attributes: with more, some of their values would never occur together."""


@dataclass(frozen=True)
class Attribute:
    """The distribution of one attribute: values, and up to which rank, from 0 to 1, each of them is taken."""

    values: tuple[float, ...]
    """Numbers in ascending order; or the positions of words in their vocabulary, in the order that shows their dependence best."""
    ranks: tuple[float, ...]
    between: bool
    """Whether the numbers between the values occur too; the ranks are then those of the values themselves."""

    def at(self, ranks: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The values at these ranks."""
        if self.between:
            return np.interp(ranks, self.ranks, self.values)
        return np.array(self.values)[np.searchsorted(self.ranks, ranks).clip(0, len(self.values) - 1)]


@dataclass(frozen=True)
class StaticLaw:
    """Distributions of encoded attributes (see `SeriesCodec.label_of`): numbers first, then words."""

    numbers: tuple[Attribute, ...]
    words: tuple[Attribute, ...]
    correlations: tuple[tuple[float, ...], ...]
    """Of the normal scores of all attributes."""

    @classmethod
    def of(
        cls, rows: Float[np.ndarray, "series label"], counts: Int[np.ndarray, " series"], numbers: int, sizes: Sequence[int]
    ) -> "StaticLaw":
        """Fitted to encoded attributes that occur so often: `numbers` numbers, and words of these vocabularies."""
        rows, weights = rows[counts > 0].astype(np.float64), counts[counts > 0] / counts.sum()
        edges = np.cumsum([numbers, *sizes])
        picked = np.stack(
            [rows[:, low:high].argmax(1) for low, high in zip(edges[:-1], edges[1:], strict=True)] or [weights], axis=1
        )
        leading = _leading(rows, weights)
        found, scores = [], []
        for place in range(numbers):
            found.append(_of_numbers(rows[:, place], weights))
            scores.append(_scores(rows[:, place], weights))
        for place, size in enumerate(sizes):
            shares = np.bincount(picked[:, place], weights, size)
            height = np.bincount(picked[:, place], weights * leading, size) / np.maximum(shares, 1e-12)
            order = np.lexsort((height, shares == 0))
            ranks = _rounded(np.cumsum(shares[order]))
            found.append(Attribute(tuple(order.astype(float).tolist()), ranks, between=False))
            scores.append(_scores(np.argsort(order)[picked[:, place]].astype(float), weights))
        return cls(tuple(found[:numbers]), tuple(found[numbers:]), _correlations(np.stack(scores), weights))

    def draw(self, n: int, rng: torch.Generator) -> Float[np.ndarray, "n label"]:
        """Encoded attributes of n series."""
        uniform = torch.rand(n, len(self.correlations), generator=rng, dtype=torch.float64).numpy()
        values, vectors = np.linalg.eigh(np.array(self.correlations))
        ranks = ndtr(ndtri(uniform.clip(1e-12, 1 - 1e-12)) @ (vectors * np.sqrt(values.clip(0))).T)
        columns = [attribute.at(ranks[:, place])[:, None] for place, attribute in enumerate(self.numbers)]
        for place, attribute in enumerate(self.words, len(self.numbers)):
            columns.append(attribute.at(ranks[:, place])[:, None] == np.arange(len(attribute.values)))
        return np.concatenate(columns, axis=1).astype(np.float32)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "StaticLaw":
        numbers, words = (
            tuple(Attribute(tuple(one["values"]), tuple(one["ranks"]), one["between"]) for one in facts[key])
            for key in ("numbers", "words")
        )
        return cls(numbers, words, tuple(map(tuple, facts["correlations"])))


def _of_numbers(values: Float[np.ndarray, " series"], weights: Float[np.ndarray, " series"]) -> Attribute:
    distinct, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) <= KNOTS and counts.min() >= SHARED:
        return Attribute(_rounded(distinct), _rounded(np.cumsum(np.bincount(place, weights))), between=False)
    groups = min(KNOTS, len(values) // SHARED)
    if groups < 2:  # too few to say more than where they are and how far apart
        ranks, mean = (np.arange(9) + 0.5) / 9, values @ weights
        deviation = np.sqrt((values - mean) ** 2 @ weights)
        return Attribute(_rounded(mean + deviation * ndtri(ranks)), _rounded(ranks), between=True)
    knots, ranks, seen = [], [], 0.0
    for members in np.array_split(np.argsort(values, kind="stable"), groups):
        share = weights[members].sum()
        knots.append(values[members] @ weights[members] / share)
        ranks.append(seen + share / 2)
        seen += share
    return Attribute(_rounded(knots), _rounded(ranks), between=True)


def _scores(keys: Float[np.ndarray, " series"], weights: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """The mean normal score of the ranks that each key takes."""
    _, place = np.unique(keys, return_inverse=True)
    edges = ndtri(np.concatenate([[0.0], np.cumsum(np.bincount(place, weights))]).clip(0, 1))
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    return (-np.diff(density) / np.bincount(place, weights))[place]


def _leading(rows: Float[np.ndarray, "series label"], weights: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """The first principal component of standardised attributes, by which words are put in order."""
    centred = rows - weights @ rows
    centred = centred / np.maximum(np.sqrt(weights @ centred**2), 1e-9)
    _, vectors = np.linalg.eigh(centred.T * weights @ centred)
    return centred @ vectors[:, -1]


def _correlations(
    scores: Float[np.ndarray, "attributes series"], weights: Float[np.ndarray, " series"]
) -> tuple[tuple[float, ...], ...]:
    """The correlations of normal variables whose scores, shared by equal values, have this covariance (to first order in it)."""
    covariance = scores * weights @ scores.T
    variance = np.maximum(np.diag(covariance), 1e-9)
    wanted = np.clip(covariance / np.outer(variance, variance), -CLOSEST, CLOSEST)
    np.fill_diagonal(wanted, 1)
    values, vectors = np.linalg.eigh(wanted)
    made = vectors * values.clip(1e-6) @ vectors.T
    scale = np.sqrt(np.diag(made))
    return tuple(map(_rounded, made / np.outer(scale, scale)))


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
