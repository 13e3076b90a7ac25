"""How static attributes are distributed: each alone, and each with the one that says most about it. No row of the data is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import ndtri

SHARED = 5
"""What fewer series have in common is not told apart: numbers are kept as means of so many, combinations of values together."""
KNOTS = 33
"""Quantiles of an attribute at most."""
BINS = 12
"""Ranges of a number, at most, of which each may go with other values of another attribute."""
LARGEST = 4096
"""Combinations of the values of two attributes, at most, that are counted."""


@dataclass(frozen=True)
class Attribute:
    """The distribution of one attribute, given that of another."""

    values: tuple[float, ...]
    """Numbers in ascending order; for words, their indices in the vocabulary."""
    ranks: tuple[float, ...]
    """The rank of each value, from 0 to 1, if the numbers between them occur too; empty if they are all there are."""
    parent: int | None = None
    """The attribute that says most about this one, if any does."""
    shares: tuple[tuple[float, ...], ...] = ()
    """How often each value is taken (or each of equally wide ranges of ranks), for each value (range) of the parent."""

    def bins(self, values: Float[np.ndarray, " n"], ranks: Float[np.ndarray, " n"], count: int) -> Int[np.ndarray, " n"]:
        """Which of its values, or of `count` ranges of ranks, each of these is."""
        if self.ranks:
            return (ranks * count).astype(int).clip(0, count - 1)
        return np.searchsorted(self.values, values - 1e-6).clip(0, len(self.values) - 1)

    def at(self, bins: Int[np.ndarray, " n"], within: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The values in these bins; `within` says where in each range, from 0 to 1."""
        if self.ranks:
            return np.interp((bins + within) / len(self.shares[0]), self.ranks, self.values)
        return np.array(self.values)[bins]


@dataclass(frozen=True)
class StaticLaw:
    """A tree of the dependences of encoded attributes (see `SeriesCodec.label_of`), numbers first, then words.

    Chow & Liu 1968, "Approximating discrete probability distributions with dependence trees": the tree whose pairs tell the most.
    """

    attributes: tuple[Attribute, ...]
    """Each after its parent."""
    places: tuple[int, ...]
    """Where each stands among the attributes of the data."""
    sizes: tuple[int, ...]
    """Words of each attribute of the data; 0 of numbers."""

    @classmethod
    def of(
        cls, rows: Float[np.ndarray, "series label"], counts: Int[np.ndarray, " series"], numbers: int, sizes: Sequence[int]
    ) -> "StaticLaw":
        """Fitted to encoded attributes that occur so often: `numbers` numbers, and words of these vocabularies."""
        rows, weights = rows[counts > 0].astype(np.float64), counts[counts > 0] / counts.sum()
        edges = np.cumsum([numbers, *sizes])
        alone = [_of_numbers(rows[:, place], weights) for place in range(numbers)]
        alone += [Attribute(tuple(map(float, range(size))), ()) for size in sizes]
        columns = [rows[:, place] for place in range(numbers)]
        columns += [rows[:, low:high].argmax(1).astype(float) for low, high in zip(edges[:-1], edges[1:], strict=True)]
        ranges = int(np.clip(round((len(rows) / SHARED) ** 0.5), 2, BINS))
        spans = [ranges if one.ranks else len(one.values) for one in alone]
        bins = [one.bins(values, _ranks(values, weights), span) for one, values, span in zip(alone, columns, spans, strict=True)]
        attributes, places = [], []
        for place, parent, shares in _tree(bins, spans, weights):
            attributes.append(replace(alone[place], parent=None if parent is None else places.index(parent), shares=shares))
            places.append(place)
        return cls(tuple(attributes), tuple(places), (*(0 for _ in range(numbers)), *sizes))

    def draw(self, n: int, rng: torch.Generator) -> Float[np.ndarray, "n label"]:
        """Encoded attributes of n series."""
        dice = torch.rand(n, 2 * len(self.attributes), generator=rng, dtype=torch.float64).numpy()
        bins: list[np.ndarray] = []
        parts: dict[int, np.ndarray] = {}
        for place, attribute in zip(self.places, self.attributes, strict=True):
            given = np.zeros(n, int) if attribute.parent is None else bins[attribute.parent]
            reached = np.array(attribute.shares).cumsum(1)[given]
            chosen, within = dice[:, 2 * len(bins)] * reached[:, -1], dice[:, 2 * len(bins) + 1]
            bins.append((reached <= chosen[:, None]).sum(1).clip(max=reached.shape[1] - 1))
            values, size = attribute.at(bins[-1], within)[:, None], self.sizes[place]
            parts[place] = values == np.arange(size) if size else values
        return np.concatenate([parts[place] for place in sorted(parts)], axis=1).astype(np.float32)

    def fault(self, sizes: tuple[int, ...]) -> str | None:
        """What does not fit, if these are the words of each attribute; None if all does."""
        if self.sizes != sizes or sorted(self.places) != list(range(len(sizes))) or len(self.attributes) != len(sizes):
            return f"has {len(sizes)} attributes, but a distribution of others"
        widths: list[int] = []
        for place, one in zip(self.places, self.attributes, strict=True):
            if one.parent is not None and not 0 <= one.parent < len(widths):
                return f"has an attribute {place} that depends on one behind it"
            if not one.shares or len(one.shares) != (1 if one.parent is None else widths[one.parent]):
                return f"has an attribute {place} with the shares of {len(one.shares)} values of another"
            widths.append(len(one.shares[0]))
            expected = sizes[place] or (widths[-1] if one.ranks else len(one.values))
            if not one.values or len(one.ranks) not in (0, len(one.values)) or {len(row) for row in one.shares} != {expected}:
                return f"has an attribute {place} whose values, ranks and shares are of different number"
        return None

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "StaticLaw":
        attributes = tuple(
            Attribute(tuple(one["values"]), tuple(one["ranks"]), one["parent"], tuple(map(tuple, one["shares"])))
            for one in facts["attributes"]
        )
        return cls(attributes, tuple(facts["places"]), tuple(facts["sizes"]))


def _of_numbers(values: Float[np.ndarray, " series"], weights: Float[np.ndarray, " series"]) -> Attribute:
    """The distribution of numbers; the shares are still to come."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= KNOTS and counts.min() >= SHARED:
        return Attribute(_rounded(distinct), ())
    groups = min(KNOTS, len(values) // SHARED)
    if groups < 2:  # too few to say more than where they are and how far apart
        ranks, mean = (np.arange(9) + 0.5) / 9, values @ weights
        return Attribute(_rounded(mean + np.sqrt((values - mean) ** 2 @ weights) * ndtri(ranks)), _rounded(ranks))
    knots, ranks, seen = [], [], 0.0
    for members in np.array_split(np.argsort(values, kind="stable"), groups):
        share = weights[members].sum()
        knots.append(values[members] @ weights[members] / share)
        ranks.append(seen + share / 2)
        seen += share
    return Attribute(_rounded(knots), _rounded(ranks))


def _ranks(values: Float[np.ndarray, " series"], weights: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
    """From 0 to 1; equal values share the rank in their middle."""
    _, place = np.unique(values, return_inverse=True)
    shares = np.bincount(place, weights)
    return (shares.cumsum() - shares / 2)[place]


def _tree(
    bins: Sequence[Int[np.ndarray, " series"]], spans: Sequence[int], weights: Float[np.ndarray, " series"]
) -> list[tuple[int, int | None, tuple[tuple[float, ...], ...]]]:
    """(attribute, its parent or None, shares) of each attribute, parents first: the spanning tree of the most mutual information."""
    alone = [np.bincount(own, weights, span) for own, span in zip(bins, spans, strict=True)]
    known: dict[int, tuple[float, int | None, np.ndarray]] = {0: (0.0, None, alone[0][None])}
    found = []
    while len(found) < len(bins):
        best = max(known, key=lambda place: known[place][0])
        _, parent, shares = known.pop(best)
        found.append((best, parent, tuple(map(_rounded, shares))))
        for place in range(len(bins)):
            if place in (one for one, _, _ in found):
                continue
            information, given = 0.0, alone[place][None]
            if spans[best] * spans[place] <= LARGEST:
                joint = _joint(bins[best], bins[place], weights, (spans[best], spans[place]))
                expected = np.outer(joint.sum(1), joint.sum(0))
                information = float((joint * np.log(np.where(joint > 0, joint, 1) / np.where(joint > 0, expected, 1))).sum())
                sums = joint.sum(1, keepdims=True)
                given = np.where(sums > 0, joint / np.where(sums > 0, sums, 1), alone[place])
            if place not in known or information > known[place][0]:
                known[place] = (information, best if len(given) > 1 else None, given)
    return found


def _joint(
    first: Int[np.ndarray, " series"],
    second: Int[np.ndarray, " series"],
    weights: Float[np.ndarray, " series"],
    spans: tuple[int, int],
) -> Float[np.ndarray, "first second"]:
    """How often each combination occurs; those of few series are taken to be independent, so that it is not told which they are."""
    at = first * spans[1] + second
    shares = np.bincount(at, weights, spans[0] * spans[1]).reshape(spans)
    is_rare = np.bincount(at, minlength=spans[0] * spans[1]).reshape(spans) < SHARED
    if (rest := shares[is_rare].sum()) > 0:
        expected = np.outer(shares.sum(1), shares.sum(0))[is_rare]
        shares[is_rare] = rest * expected / expected.sum()
    return shares


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
