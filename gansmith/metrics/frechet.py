"""The Frechet distance between two Gaussians fitted to features (Dowson & Landau 1982; Heusel et al. 2017, equation 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from gansmith.evaluation.score import NORMAL, Measured
from gansmith.evaluation.sides import Side

METRICS = {
    "frechet": (
        "lower",
        "distance between the feature distributions of real and generated examples, quality and diversity in one",
    )
}
SAYS = "both"

FEW = 5000
"""Below this many samples the upward bias of the Frechet distance is large enough to warn about."""
ROWS = 1024
"""Features turned to float64 at a time."""


@dataclass(frozen=True)
class Moments:
    """Mean and covariance (divided by count - 1) of features, in float64."""

    mean: Float[np.ndarray, " features"]
    covariance: Float[np.ndarray, "features features"]
    count: int

    @classmethod
    def of(
        cls,
        features: Float[Tensor, "batch features"] | Float[np.ndarray, "batch features"],
        rows: Int[np.ndarray, " rows"] | None = None,
    ) -> Moments:
        """Of all features or some rows; in two passes over a few at a time, so that neither is copied."""
        array = np.asarray(features)
        count = len(array) if rows is None else len(rows)
        parts = [slice(start, start + ROWS) for start in range(0, count, ROWS)]
        pieces = parts if rows is None else [rows[part] for part in parts]
        mean = sum(array[piece].sum(0, dtype=np.float64) for piece in pieces) / count
        covariance = np.zeros((array.shape[1], array.shape[1]))
        for piece in pieces:
            centred = array[piece] - mean
            covariance += centred.T @ centred
        return cls(np.asarray(mean), covariance / (count - 1), count)


def frechet_distance(a: Moments, b: Moments) -> float:
    """|mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)) for the covariances A and B, in float64.

    With A = F F^T the trace of the root is the sum of the roots of the eigenvalues of F^T B F, which is symmetric: a tenth of the
    work of a matrix square root, and as exact for singular covariances (fewer samples than features), where F is merely narrower.
    """
    from scipy.linalg import eigvalsh

    if a.count > b.count:  # the narrower factor is the cheaper one
        a, b = b, a
    _, between = _factor_and_congruence(a.covariance, b.covariance)
    return _distance(a, b, eigvalsh(between, overwrite_a=True, check_finite=False))


def _distance(a: Moments, b: Moments, squares: Float[np.ndarray, " rank"]) -> float:
    overlap = np.sqrt(np.maximum(squares, 0)).sum()
    distance = np.square(a.mean - b.mean).sum() + np.trace(a.covariance) + np.trace(b.covariance) - 2 * overlap
    return max(float(distance), 0.0)


def _factor_and_congruence(
    a: Float[np.ndarray, "features features"], b: Float[np.ndarray, "features features"]
) -> tuple[Float[np.ndarray, "features rank"], Float[np.ndarray, "rank rank"]]:
    """F with F F^T = A, and F^T B F in its lower triangle: Cholesky with pivots, which stops at the numerical rank."""
    from scipy.linalg import get_lapack_funcs

    pivoted_cholesky, congruence = get_lapack_funcs(("pstrf", "sygst"), (a, b))
    factor, pivots, rank, _ = pivoted_cholesky(a.T, lower=1)  # transposed for LAPACK's order of entries: they are symmetric
    order = pivots - 1
    unpivoted = np.empty((len(a), rank))
    unpivoted[order] = np.tril(factor)[:, :rank]
    if rank == len(a):
        return unpivoted, congruence(b[np.ix_(order, order)].T, factor, itype=2, lower=1, overwrite_a=1)[0]
    return unpivoted, unpivoted.T @ b @ unpivoted


def frechet_with_influences(
    features: Float[np.ndarray, "batch features"], own: Moments, reference: Moments
) -> tuple[float, Float[np.ndarray, " batch"]]:
    """The distance of features with the moments `own` to the reference, and what each example adds to it, to first order.

    The influences have mean 0, and their deviation over the root of their number is the standard error of the distance (the
    infinitesimal jackknife of Efron 1982, section 6.1). An example x at z = x - mean_a adds 2 (mean_a - mean_b) z + z (I - T) z
    minus the average of that, where T is the map that carries A to B: T A T = B (Dowson & Landau 1982).
    """
    from scipy.linalg import eigh, solve_triangular

    factor, between = _factor_and_congruence(own.covariance, reference.covariance)
    squares, axes = eigh(between, overwrite_a=True, check_finite=False)
    del between  # matrices of 32 MiB at 2048 features
    # F = Q R: then T = Q R^-T (F^T B F)^(1/2) R^-1 Q^T
    basis, triangle = np.linalg.qr(factor)
    del factor
    onto = basis @ solve_triangular(triangle.T, axes, lower=True, check_finite=False) * np.maximum(squares, 0) ** 0.25
    del basis, triangle, axes
    influences = np.empty(len(features))
    difference = 2 * (own.mean - reference.mean)
    for start in range(0, len(features), ROWS):
        centred = features[start : start + ROWS] - own.mean
        influences[start : start + ROWS] = centred @ difference + np.square(centred).sum(1) - np.square(centred @ onto).sum(1)
    return _distance(own, reference, squares), influences - influences.mean()


def distance_with_interval(features: Float[Tensor, "batch features"], reference: Moments) -> tuple[float, float, float]:
    """(distance, low, high): the 95% interval knows the luck of the generated sample, not that of the reference."""
    array = np.asarray(features)
    distance, influences = frechet_with_influences(array, Moments.of(array), reference)
    spread = NORMAL * float(influences.std(ddof=1)) / len(array) ** 0.5
    return distance, max(distance - spread, 0.0), distance + spread


def measure(side: Side) -> dict[str, Measured]:
    """Generated features against all training features."""
    reference = Moments.of(side.real.features)
    value, low, high = distance_with_interval(side.features, reference)
    count = len(side.features)
    return {
        "frechet": Measured(
            value=value,
            low=low,
            high=high,
            samples=count,
            reference_samples=reference.count,
            space=side.real.extractor.name,
            note=f"biased upward with {count} samples: compare only values with as many" if count < FEW else "",
        )
    }
