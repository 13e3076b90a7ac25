"""Nearest neighbours by brute force, in blocks of bounded memory."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

ENTRIES = 2**24
"""Distances held at a time."""
QUERIES = 2048
"""Examples whose nearest ones are looked for at a time."""


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
    """Distances and indices of the k points nearest to each query, the nearest first; neither side is copied as a whole."""
    centre = points.mean(0)
    indices = torch.cat([_among_points(piece - centre, points, centre, k) for piece in queries.split(QUERIES)])
    distances = torch.empty(indices.shape, dtype=queries.dtype)
    for rows in torch.arange(len(queries)).split(QUERIES):
        for column in range(k):  # subtracted, not multiplied out: a copy must have distance zero
            distances[rows, column] = (queries[rows] - points[indices[rows, column]]).norm(dim=1)
    order = distances.argsort(1)
    return distances.gather(1, order), indices.gather(1, order)


def _among_points(
    queries: Float[Tensor, "n features"], points: Float[Tensor, "m features"], centre: Float[Tensor, " features"], k: int
) -> Int[Tensor, "n k"]:
    """The k nearest points of a few queries, which were moved by `centre`; of every piece of the points the best are kept."""
    squares = queries.square().sum(1, keepdim=True)
    found: list[Tensor] = []
    indices: list[Tensor] = []
    for start in range(0, len(points), ENTRIES // QUERIES):
        piece = points[start : start + ENTRIES // QUERIES] - centre
        squared = torch.addmm(piece.square().sum(1), queries, piece.T, alpha=-2).add_(squares).clamp_(min=0)
        best = squared.topk(min(k, len(piece)), largest=False)
        found.append(best.values)
        indices.append(best.indices + start)
    best = torch.cat(found, 1).topk(k, largest=False).indices
    return torch.cat(indices, 1).gather(1, best)


def squared_radii(features: Float[Tensor, "n features"], k: int) -> Float[Tensor, " n"]:
    """The squared distance of every row to its k-th nearest other row."""
    radii = torch.empty(len(features), dtype=features.dtype)
    for rows, squared in blocks(features, features):
        squared[torch.arange(len(squared)), torch.arange(rows.start, rows.stop)] = torch.inf  # itself
        radii[rows] = squared.topk(k, largest=False).values.amax(1)
    return radii
