"""The Frechet distance between two Gaussians fitted to features (Dowson & Landau 1982; Heusel et al. 2017, equation 6)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from gansmith.metrics.score import Measured, jackknife
from gansmith.metrics.sides import Side

METRICS = {
    "frechet": (
        "lower",
        "distance between the feature distributions of real and generated examples, quality and diversity in one",
    )
}

FEW = 5000
"""Below this many samples the upward bias of the Frechet distance is large enough to warn about."""


@dataclass(frozen=True)
class Moments:
    """Mean and covariance (divided by count - 1) of features, in float64."""

    mean: Float[np.ndarray, " features"]
    covariance: Float[np.ndarray, "features features"]
    count: int

    @classmethod
    def of(cls, features: Float[Tensor, "batch features"] | Float[np.ndarray, "batch features"]) -> "Moments":
        array = np.asarray(features, dtype=np.float64)
        mean = array.mean(0)
        centred = array - mean
        return cls(mean, centred.T @ centred / (len(array) - 1), len(array))


def frechet_distance(a: Moments, b: Moments) -> float:
    """|mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)) for the covariances A and B, in float64.

    With A = F F^T and B = G G^T the trace of the root is the sum of the singular values of F^T G: nothing is inverted and no
    tiny eigenvalue is rooted, so it is as exact for singular covariances (fewer samples than features) as for others, where
    the factors are merely narrower.
    """
    overlap = np.linalg.svd(_factor(a.covariance).T @ _factor(b.covariance), compute_uv=False).sum()
    distance = np.square(a.mean - b.mean).sum() + np.trace(a.covariance) + np.trace(b.covariance) - 2 * overlap
    return max(float(distance), 0.0)


def _factor(covariance: Float[np.ndarray, "features features"]) -> Float[np.ndarray, "features rank"]:
    """F with F F^T = covariance: Cholesky with pivots, which stops at the numerical rank."""
    from scipy.linalg import get_lapack_funcs

    (pivoted_cholesky,) = get_lapack_funcs(("pstrf",), (covariance,))
    factor, pivots, rank, _ = pivoted_cholesky(covariance, lower=1)
    unpivoted = np.empty((len(covariance), rank))
    unpivoted[pivots - 1] = np.tril(factor)[:, :rank]
    return unpivoted


def measure(side: Side) -> dict[str, Measured]:
    """Generated features against all training features."""
    features = np.asarray(side.features, dtype=np.float64)
    reference = Moments.of(side.real.features)
    value, low, high = jackknife(
        lambda kept: frechet_distance(Moments.of(features[kept]), reference), len(features), side.real.seed, bounds=(0.0, np.inf)
    )
    note = f"biased upward with {len(features)} samples: compare only values with as many" if len(features) < FEW else ""
    return {
        "frechet": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(features),
            reference_samples=reference.count,
            space=side.real.extractor.name,
            note=note,
        )
    }
