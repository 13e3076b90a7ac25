"""Nearest neighbours by brute force, in blocks of bounded memory."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

ENTRIES = 2**24
"""Distances held at a time."""


def blocks(a: Float[Tensor, "n features"], b: Float[Tensor, "m features"]) -> Iterator[tuple[slice, Float[Tensor, "block m"]]]:
    """Squared distances from a few rows of `a` at a time to all of `b`, with the rows they belong to.

    |a|^2 + |b|^2 - 2 a b, after both were moved by the mean of `b`, which keeps the cancellation small.
    """
    centre = b.mean(0)
    a, b = a - centre, b - centre
    squares = b.square().sum(1)
    rows = max(1, ENTRIES // len(b))
    for start in range(0, len(a), rows):
        piece = a[start : start + rows]
        squared = torch.addmm(squares, piece, b.T, alpha=-2).add_(piece.square().sum(1, keepdim=True)).clamp_(min=0)
        yield slice(start, start + len(piece)), squared


def nearest(
    queries: Float[Tensor, "n features"], points: Float[Tensor, "m features"], k: int
) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
    """Distances and indices of the k points nearest to each query, the nearest first."""
    indices = torch.cat([squared.topk(k, largest=False).indices for _, squared in blocks(queries, points)])
    distances = torch.empty(indices.shape, dtype=queries.dtype)
    for column in range(k):  # subtracted, not multiplied out: a copy must have distance zero
        distances[:, column] = (queries - points[indices[:, column]]).norm(dim=1)
    order = distances.argsort(1)
    return distances.gather(1, order), indices.gather(1, order)


def squared_radii(features: Float[Tensor, "n features"], k: int) -> Float[Tensor, " n"]:
    """The squared distance of every row to its k-th nearest other row."""
    radii = torch.empty(len(features), dtype=features.dtype)
    for rows, squared in blocks(features, features):
        squared[torch.arange(len(squared)), torch.arange(rows.start, rows.stop)] = torch.inf  # itself
        radii[rows] = squared.topk(k, largest=False).values.amax(1)
    return radii
