"""The Frechet inception distance (Heusel et al. 2017), of all generated images to all real ones, as the packages take it."""

import torch
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key, remember
from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.fast_mode import deviation
from gansmith.metrics.frechet import FEW, Moments, distance_with_interval, frechet_distance

METRICS = {"fid": ("lower", "Frechet inception distance: of features of Inception-v3, comparable with papers at equal numbers")}
SAYS = "both"
INCEPTION = ("features",)
"""What this needs of Inception-v3."""


def measure(side: Side) -> dict[str, Measured]:
    return {"fid": measured(side, "features")}


def measured(side: Side, output: str) -> Measured:
    """The distance in one output of Inception-v3.

    Real against real, the distance is all bias, which falls as 1 / n + 1 / m (Chong & Forsyth 2020, section 3): the ceiling is
    scaled to as many examples as the generated side and the reference have.
    """
    real = side.real
    assert real.inception is not None
    reference = moments_of(side.reference, real, output)  # first, while no other features are in memory
    fake = side.inception[output]
    value, low, high = distance_with_interval(fake, reference)
    if side.name == "held-out":
        scale = (1 / real.judged + 1 / len(real.everything)) / (1 / len(fake) + 1 / reference.count)
        value, low, high = value * scale, low * scale, high * scale
    notes = [f"biased upward with {len(fake):,} samples: compare only values with as many, or see fid_infinity"] * (
        len(fake) < FEW
    )
    notes.append(deviation(side, output, lambda a, b: frechet_distance(Moments.of(a), Moments.of(b)), value))
    return Measured(
        value=value,
        low=low,
        high=high,
        samples=len(fake),
        reference_samples=reference.count,
        space=real.inception.name,
        note="; ".join(filter(None, notes)),
    )


def moments_of(data: Dataset, real: Real, output: str) -> Moments:
    """The moments of real examples in one output of Inception-v3; they are remembered."""
    assert real.inception is not None

    def compute() -> dict[str, Tensor]:
        moments = Moments.of(real.inception_of_whole(data)[output], data.indices)
        return {"mean": torch.from_numpy(moments.mean), "covariance": torch.from_numpy(moments.covariance)}

    found = remember(real.folder, "moments", (real.inception.key, output, content_key(data)), compute)
    return Moments(found["mean"].numpy(), found["covariance"].numpy(), len(data))
