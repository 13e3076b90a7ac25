"""The kernel inception distance (Binkowski et al. 2018), with the subsets that torch-fidelity draws."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation.score import NORMAL, Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics.fast_mode import deviation
from gansmith.metrics.kernel_distance import cubic, discrepancy

METRICS = {"kid": ("lower", "kernel inception distance: unbiased, so comparable between different numbers of samples")}
SAYS = "both"
INCEPTION = ("features",)
"""What this needs of Inception-v3."""

SUBSETS = 100
SUBSET_SIZE = 1000


@dataclass(frozen=True)
class KernelInceptionDistance:
    """The distance in every subset, and the standard error of their mean."""

    subsets: Float[np.ndarray, " subsets"]
    error: float


def kernel_inception_distance(
    fake: Float[Tensor, "fake features"],
    real: Float[Tensor, "real features"],
    seed: int,
    *,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
) -> KernelInceptionDistance:
    """Unbiased squared maximum mean discrepancies of random subsets (section 4); their mean is the distance.

    Equals torch-fidelity (0.4.0) with input1 = fake, input2 = real and rng_seed = `seed`: for every subset it draws rows of fake
    and then of real without replacement. The subset size is cut to the smaller set.

    Subsets overlap, so the error is not their spread. It is that of the examples, from the influence of each on the distances
    of its subsets (the first term of the variance, Sutherland et al. 2017, appendix A), and that of averaging few subsets.
    """
    size = min(subset_size, len(fake), len(real))
    rng = np.random.RandomState(seed)
    values, pulls, drawn = np.empty(subsets), np.zeros(len(fake)), np.zeros(len(fake))
    for subset in range(subsets):
        mine, theirs = rng.choice(len(fake), size, replace=False), rng.choice(len(real), size, replace=False)
        found = discrepancy(fake[torch.from_numpy(mine)], real[torch.from_numpy(theirs)], cubic, unbiased=True)
        values[subset] = found.value
        pulls[mine] += found.influence.numpy()
        drawn[mine] += 1
    influence = pulls[drawn > 0] / drawn[drawn > 0]
    return KernelInceptionDistance(values, float(np.sqrt(influence.var() / len(fake) + values.var(ddof=1) / subsets)))


def measure(side: Side) -> dict[str, Measured]:
    """All generated examples against all real ones; the interval is over the generated ones and the draw of the subsets."""
    assert side.real.inception is not None
    fake, real = side.inception["features"], side.inception_reference["features"]
    found = kernel_inception_distance(fake, real, side.real.seed)
    value = float(found.subsets.mean())
    spread = f"standard deviation over {len(found.subsets)} subsets {found.subsets.std():.3g}"
    return {
        "kid": Measured(
            value=value,
            low=value - NORMAL * found.error,
            high=value + NORMAL * found.error,
            samples=len(fake),
            reference_samples=len(real),
            space=side.real.inception.name,
            note="; ".join(filter(None, (spread, deviation(side, "features", _distance, value)))),
        )
    }


def _distance(fake: Tensor, real: Tensor) -> float:
    return discrepancy(fake, real, cubic, unbiased=True).value
