"""FID-infinity: the Frechet inception distance of endlessly many samples, by extrapolation (Chong & Forsyth 2020)."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics.frechet_inception_distance import moments_of
from gansmith.metrics.frechet import FEW, Moments, frechet_distance
from gansmith.metrics.registry import NotApplicableError

METRICS = {"fid_infinity": ("lower", "Frechet inception distance without the bias of finitely many generated samples")}
SAYS = "both"
INCEPTION = ("features",)

SIZES = 15
STUDENT_T = 2.160
"""The 97.5% point of Student's t with SIZES - 2 degrees of freedom."""


def extrapolated(
    features: Float[Tensor, "batch features"], reference: Moments, seed: int, fewest: int = FEW
) -> tuple[float, float, float]:
    """(distance, low, high): the intercept of a line through the distances of 15 random subsets over 1 / size (section 4).

    The sizes lie evenly between `fewest` and all. The 95% interval is that of the line's intercept.
    """
    rng = np.random.default_rng(seed)
    sizes = np.linspace(fewest, len(features), SIZES).round().astype(int)
    distances = [
        frechet_distance(Moments.of(features[np.sort(rng.permutation(len(features))[:size])]), reference) for size in sizes
    ]
    x = 1 / sizes
    slope, intercept = np.polyfit(x, distances, 1)
    noise = np.square(distances - (slope * x + intercept)).sum() / (SIZES - 2)
    spread = STUDENT_T * float(np.sqrt(noise * (1 / SIZES + x.mean() ** 2 / np.square(x - x.mean()).sum())))
    return float(intercept), float(intercept) - spread, float(intercept) + spread


def enough(count: int) -> None:
    """Raises NotApplicableError where a line through so many examples' subsets means nothing."""
    if count < 2 * FEW:
        raise NotApplicableError(
            f"fid_infinity extrapolates from subsets of {FEW:,} and more images, so it needs at least {2 * FEW:,} generated ones, but "
            f"there are {count:,}."
        )


def measure(side: Side) -> dict[str, Measured]:
    """Of all generated images against all real ones."""
    reference = moments_of(side.reference, side.real, "features")
    features = side.inception["features"]
    enough(len(features))
    value, low, high = extrapolated(features, reference, side.real.seed)
    assert side.real.inception is not None
    return {
        "fid_infinity": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(features),
            reference_samples=reference.count,
            space=side.real.inception.name,
        )
    }
