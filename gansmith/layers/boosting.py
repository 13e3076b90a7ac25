"""Boosted trees that tell one column of a table from all others: sharp where networks are smooth.

All nodes of a level ask the same question (oblivious trees, Prokhorenkova et al. 2018), so that a tree is a number of bits that point to a
leaf: quick in tensors, and simple to export. Trees are grown on histograms by second-order boosting (Chen & Guestrin 2016) on all folds of
the rows but one, as many as help on that one. What is kept are borders of a fixed grid, orders of options and sums over leaves of `LEAST`
rows at least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtri
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

DEPTH = 5
FOLDS = 3
OPTIONS = 32
"""Options of a choice that trees tell, at most."""
LEAST = 5
"""Rows of a leaf at least; what fewer rows say is not kept."""
GRID = 24
"""Borders of a number, at equal shares of a normal distribution."""
ABSENT = -9.0
"""What trees see of a number that is not there: below all."""
RATE = 0.2
"""The step size of boosting."""
RIDGE = 3.0
"""What is added to the second derivatives of a leaf."""
TAKEN = 0.6
"""The share of the rows that a tree is grown on, others each time."""
WAIT = 8
"""Trees without an improvement after which a fold has enough."""
SHAPES = 8
"""The most parts by their mean into which residuals are sorted."""
RANKS = 33
"""Quantiles that are kept of the residuals of a part."""


class Trees(nn.Module):
    """So many trees of so many outputs each, at first none that says anything."""

    feature: Tensor
    border: Tensor
    leaves: Tensor
    base: Tensor

    def __init__(self, trees: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("feature", torch.zeros(DEPTH, trees, dtype=torch.int64))
        self.register_buffer("border", torch.full((DEPTH, trees), 1e9))
        self.register_buffer("leaves", torch.zeros(trees * 2**DEPTH, outputs))
        self.register_buffer("base", torch.zeros(outputs))

    def forward(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch outputs"]:
        across, trees = features.T.contiguous(), self.feature.shape[1]
        if not trees:
            return self.base.expand(features.shape[0], -1)
        place = torch.arange(0, trees * 2**DEPTH, 2**DEPTH, device=features.device)[:, None]
        for level in range(DEPTH):
            place = place + (across[self.feature[level]] > self.border[level, :, None]) * 2**level
        return self.base + embedding_bag(place.T.contiguous(), self.leaves, mode="sum")

    def resting(self) -> Trees:
        """The trees that say something, alone."""
        outputs = self.leaves.shape[1]
        said = self.leaves.unflatten(0, (-1, 2**DEPTH)).abs().amax((1, 2)).nonzero()
        count = int(said.max()) + 1 if len(said) else 0
        made = Trees(count, outputs).to(self.leaves.device)
        made.feature.copy_(self.feature[:, :count])
        made.border.copy_(self.border[:, :count])
        made.leaves.copy_(self.leaves[: count * 2**DEPTH])
        made.base.copy_(self.base)
        return made

    def take(self, grown: list[Grown], base: np.ndarray, share: float) -> None:
        """These trees, each of which counts as much as the share."""
        for place, tree in enumerate(grown):
            self.feature[:, place] = torch.from_numpy(tree.feature)
            self.border[:, place] = torch.from_numpy(tree.border)
            self.leaves[place * 2**DEPTH : (place + 1) * 2**DEPTH] = torch.from_numpy(tree.leaves * share)
        self.base.copy_(torch.from_numpy(base))


@dataclass(frozen=True, eq=False)
class Grown:
    """One tree: the feature and border of each level, and what its leaves add."""

    feature: np.ndarray
    border: np.ndarray
    leaves: np.ndarray


def grown(
    codes: np.ndarray,
    borders: np.ndarray,
    gradient: np.ndarray,
    curvature: np.ndarray,
    rows: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Grown, np.ndarray]:
    """The tree of the steepest descent, and the leaf of every row.

    `codes` [N, F] are the places of features among their borders [F, B], `gradient` and `curvature` [N, K]; `rows` are those learned from.
    Questions are chosen by up to two random sums of the gradients (Iosipoi & Vakhrushev 2022), leaves are those of all.
    """
    count, features = codes.shape
    bins, outputs = borders.shape[1] + 1, gradient.shape[1]
    own = codes[rows] + np.arange(features) * bins
    sketch = gradient[rows] @ rng.normal(size=(outputs, 2)) if outputs > 2 else gradient[rows, :1]
    weights = [np.repeat(each, features) for each in sketch.T]
    leaf, everywhere = np.zeros(len(rows), np.int64), np.zeros(count, np.int64)
    feature, border = np.zeros(DEPTH, np.int64), np.full(DEPTH, 1e9, np.float32)
    for level in range(DEPTH):
        cells = 2**level
        flat = (leaf[:, None] * (features * bins) + own).ravel()
        sums = np.stack([np.bincount(flat, each, cells * features * bins) for each in (None, *weights)])
        left = sums.reshape(-1, cells, features, bins).cumsum(-1)
        right, left = left[..., -1:] - left[..., :-1], left[..., :-1]
        gain = sum((side[1:] ** 2 / (side[0] + RIDGE)).sum((0, 1)) for side in (left, right))
        at, cut = np.unravel_index(gain.argmax(), gain.shape)
        feature[level], border[level] = at, borders[at, cut]
        leaf += (codes[rows, at] > cut).astype(np.int64) * cells
        everywhere += (codes[:, at] > cut).astype(np.int64) * cells
    filled = np.bincount(leaf, minlength=2**DEPTH)
    sums = [np.stack([np.bincount(leaf, each[rows, k], 2**DEPTH) for k in range(outputs)], 1) for each in (gradient, curvature)]
    leaves = np.where(filled[:, None] < LEAST, 0.0, -RATE * sums[0] / (sums[1] + RIDGE)).astype(np.float32)
    return Grown(feature, border, leaves), everywhere


def boosted(
    codes: np.ndarray, borders: np.ndarray, wanted: np.ndarray, most: int, folds: int, rng: np.random.Generator
) -> tuple[list[Grown], np.ndarray, np.ndarray]:
    """(trees of all folds, base, what trees that did not see a row say of it). `wanted` [N, K] are shares of options, for which logits are
    learned, or, with a single column, numbers."""
    count, outputs = wanted.shape
    base = np.log(wanted.mean(0).clip(1e-6)) if outputs > 1 else wanted.mean(0)
    fold = rng.permutation(count) % folds
    found: list[Grown] = []
    unseen = np.tile(base, (count, 1))
    for held in range(folds):
        own, rest = np.flatnonzero(fold != held), fold == held
        scores, best, kept, last = np.tile(base, (count, 1)), np.inf, 0, np.tile(base, (count, 1))
        trees: list[Grown] = []
        while len(trees) < most and len(trees) - kept < WAIT:
            if outputs > 1:
                shares = np.exp(scores - scores.max(1, keepdims=True))
                shares /= shares.sum(1, keepdims=True)
                gradient, curvature = shares - wanted, (shares * (1 - shares)).clip(1e-6)
            else:
                gradient, curvature = scores - wanted, np.ones_like(scores)
            tree, leaf = grown(codes, borders, gradient, curvature, own[rng.random(len(own)) < TAKEN], rng)
            trees.append(tree)
            scores = scores + tree.leaves[leaf]
            fault = _fault(scores[rest], wanted[rest])
            if fault < best - 1e-6:
                best, kept, last = fault, len(trees), scores
        found += trees[:kept]
        unseen[rest] = last[rest]
    return found, base, unseen


def _fault(scores: np.ndarray, wanted: np.ndarray) -> float:
    if wanted.shape[1] == 1:
        return float(np.square(scores - wanted).mean())
    highest = scores.max(1, keepdims=True)
    return float((np.log(np.exp(scores - highest).sum(1)) + highest[:, 0] - (scores * wanted).sum(1)).mean())


class Seen(nn.Module):
    """What trees of a column see of a row: every other choice as the place of its option in an order, every number, ABSENT where it has
    none. All features are linear in the row."""

    order: Tensor

    def __init__(self, columns: tuple[tuple[int, ...], ...], column: int) -> None:
        """`columns` are the sizes of the groups of each column (`Spec.columns`)."""
        super().__init__()
        width = sum(map(sum, columns))
        groups: list[tuple[int, int, int]] = []
        first = 0
        for place, sizes in enumerate(columns):
            gate = -1
            for size in sizes:
                if place != column:
                    groups.append((first, size, gate))
                gate = first + size - 1 if size > 1 else gate
                first += size
        ordered, fixed = torch.zeros(width, len(groups)), torch.zeros(width, len(groups))
        bias = torch.zeros(len(groups))
        for feature, (start, size, gate) in enumerate(groups):
            if size > 1:
                ordered[start : start + size, feature] = 1
            else:
                fixed[start, feature] = 1
            if size == 1 and gate >= 0:
                fixed[gate, feature], bias[feature] = -ABSENT, ABSENT
        self.groups = groups
        for name, values in (("ordered", ordered), ("fixed", fixed), ("bias", bias)):
            self.register_buffer(name, values, persistent=False)
        self.register_buffer("order", torch.zeros(width))
        self.ordered: Tensor
        self.fixed: Tensor
        self.bias: Tensor

    def forward(self, row: Float[Tensor, "batch width"]) -> Float[Tensor, "batch features"]:
        return torch.addmm(self.bias, row, self.ordered * self.order[:, None] + self.fixed)

    def learn(self, row: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Orders options by the mean of `wanted` [N] beside them; returns the places of features [N, F] among borders [F, B]."""
        borders = np.tile(ndtri((np.arange(GRID) + 1) / (GRID + 1)), (len(self.groups), 1)).astype(np.float32)
        for feature, (start, size, _) in enumerate(self.groups):
            if size > 1:
                chosen = row[:, start : start + size]
                mean = (chosen.T @ (wanted - wanted.mean())) / (chosen.sum(0) + RIDGE)
                self.order[start : start + size] = torch.from_numpy(np.argsort(np.argsort(mean)).astype(np.float32))
                inner = np.arange(size - 1) + 0.5 if size <= GRID + 1 else np.linspace(0.5, size - 1.5, GRID).round() + 0.5
                borders[feature] = np.concatenate([inner, np.full(GRID - len(inner), 1e9)])
        return self.places(row, borders), borders

    def places(self, row: np.ndarray, borders: np.ndarray) -> np.ndarray:
        """The places of the features of rows [N, W] among borders [F, B]."""
        weight = self.ordered * self.order[:, None] + self.fixed
        features = row @ weight.cpu().numpy() + self.bias.cpu().numpy()
        return np.stack([np.searchsorted(own, features[:, place], side="left") for place, own in enumerate(borders)], 1)


class Sharp(nn.Module):
    """One column given all others, by boosted trees: the logits of its choice, and the mean, spread and residuals of its number."""

    has_no_mean = True
    """Trees of two states have no mean."""
    known: Tensor
    cuts: Tensor
    quantiles: Tensor

    def __init__(self, columns: tuple[tuple[int, ...], ...], column: int, trees: int) -> None:
        """Up to so many trees a fold."""
        super().__init__()
        sizes, self.most = columns[column], trees
        self.options = sizes[0] if sizes[0] > 1 else 0
        self.has_number = sizes[-1] == 1
        self.first = sum(map(sum, columns[:column]))
        self.seen = Seen(columns, column)
        self.choice = Trees(trees * FOLDS, self.options) if self.options else None
        self.mean = Trees(trees * FOLDS, 1) if self.has_number else None
        self.spread = Trees(trees // 3 * FOLDS, 1) if self.has_number else None
        self.register_buffer("known", torch.zeros((), dtype=torch.bool))
        if self.has_number:
            self.register_buffer("cuts", torch.full((SHAPES - 1,), 1e9))
            self.register_buffer("quantiles", torch.zeros(SHAPES, RANKS))

    def resting(self) -> Sharp:
        """The same, quicker, where nothing is learned any more."""
        made = copy(self)
        made._modules = dict(self._modules)
        for name, trees in self.named_children():
            if isinstance(trees, Trees):
                made._modules[name] = trees.resting()
        return made

    @staticmethod
    def suits(sizes: tuple[int, ...]) -> bool:
        """Whether trees can tell a column of these groups: a choice of a few options, a number, or both."""
        return sizes[0] <= OPTIONS and (len(sizes) == 1 or (len(sizes) == 2 and sizes[1] == 1))

    def forward(self, row: Float[Tensor, "batch width"], noise: Float[Tensor, " batch"]) -> Float[Tensor, "batch own"]:
        """The logits of the options of the column, and its number as this normal noise draws it."""
        features, parts = self.seen(row), []
        if self.choice is not None:
            parts.append(self.choice(features))
        if self.mean is not None and self.spread is not None:
            mean = self.mean(features)
            part = (mean > self.cuts).sum(1)
            place = (torch.erfc(-noise * math.sqrt(0.5)) * (RANKS / 2) - 0.5).clamp(0.0, RANKS - 1.001)
            low = place.long()
            start, end = self.quantiles[part, low], self.quantiles[part, low + 1]
            residual = start + (end - start) * (place - low)
            parts.append(mean + self.spread(features).exp() * residual[:, None])
        return torch.cat(parts, 1)

    @torch.no_grad()
    def learn(self, rows: Float[Tensor, "rows width"], seed: int, most: int | None = None) -> None:
        """Learns the column from rows in which all is known, by up to `most` trees a fold."""
        most = self.most if most is None else most
        rng, row = np.random.default_rng(seed), rows.cpu().numpy().astype(np.float32)
        own = row[:, self.first : self.first + self.options + self.has_number]
        there = own[:, self.options - 1] > 0 if self.options and self.has_number else np.ones(len(row), bool)
        order = own[:, -1] if self.has_number else own[:, own.mean(0).argmax()]
        codes, borders = self.seen.learn(row[there], order[there])
        if self.choice is not None:
            every = codes if there.all() else self.seen.places(row, borders)
            grown, base, _ = boosted(every, borders, own[:, : self.options].astype(np.float64), most, FOLDS, rng)
            self.choice.take(grown, base, 1 / FOLDS)
        if self.mean is not None and self.spread is not None and there.sum() >= 2 * LEAST:
            number = own[there, -1:].astype(np.float64)
            grown, base, told = boosted(codes, borders, number, most, FOLDS, rng)
            self.mean.take(grown, base, 1 / FOLDS)
            residual = number - told
            far = np.log(np.abs(residual) + 1e-3)
            grown, base, wide = boosted(codes, borders, far, most // 3, FOLDS, rng)
            self.spread.take(grown, base, 1 / FOLDS)
            self._shape(told[:, 0], (residual / np.exp(wide))[:, 0])
        self.known.fill_(True)

    def _shape(self, told: np.ndarray, residual: np.ndarray) -> None:
        """Keeps how residuals are distributed, in parts by what was told: means of `LEAST` rows at least."""
        parts = int(np.clip(len(told) // 200, 1, SHAPES))
        cuts = np.quantile(told, (np.arange(parts - 1) + 1) / parts)
        self.cuts[: parts - 1] = torch.from_numpy(cuts)
        part = (told[:, None] > cuts).sum(1)
        for place in range(SHAPES):
            own = np.sort(residual[part == min(place, parts - 1)])
            groups = max(1, min(RANKS, len(own) // LEAST))
            means = np.array([each.mean() for each in np.array_split(own, groups)]) if len(own) else np.zeros(1)
            middles = (np.arange(len(means)) + 0.5) / len(means)
            wanted = np.interp((np.arange(RANKS) + 0.5) / RANKS, middles, means)
            self.quantiles[place] = torch.from_numpy(wanted)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *others: Any) -> None:
        """Models of versions without trees are read as such that have none."""
        assert isinstance(state_dict, dict)
        if not any(name.startswith(prefix) for name in state_dict):
            state_dict.update(self.state_dict(prefix=prefix))
        super()._load_from_state_dict(state_dict, prefix, *others)
