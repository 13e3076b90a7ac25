"""CMMD: the maximum mean discrepancy of embeddings under a Gaussian kernel (Jayasumana et al. 2024), in any feature space.

The paper measures it in CLIP's space, and values of different spaces are not comparable.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from gansmith import kinds
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.metrics.kernel_distance import discrepancy
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "cmmd": ("lower", "distance of the directions of features under a Gaussian kernel, which assumes no shape of distribution")
}
SAYS = "both"

BANDWIDTH = 10.0
SCALE = 1000.0


def gaussian_less_one(a: Float[Tensor, "n features"], b: Float[Tensor, "m features"]) -> Float[Tensor, "n m"]:
    """exp(-|a - b|^2 / (2 BANDWIDTH^2)) - 1 for rows of length 1.

    The kernel is nearly 1 everywhere, so float32 keeps seven digits only of its difference from 1; the ones cancel anyway.
    """
    return (a @ b.T).sub_(1).div_(BANDWIDTH**2).expm1_()


def measure(side: Side) -> dict[str, Measured]:
    """As many generated features against as many random training features; the interval is over the generated ones.

    As in the authors' code the features are scaled to length 1, pairs of an example with itself count (the biased form, never
    negative) and the result is multiplied by 1000. Data whose features say something by their length, such as points, are refused.
    """
    if kinds.find(side.data.codec.spec.kind).length_of_features_matters:
        raise NotApplicableError("cmmd compares directions of features, and this data has features whose length matters.")
    fake, real = normalize(side.features), normalize(side.real.sample)
    found = discrepancy(fake, real, gaussian_less_one, unbiased=False)
    value, influence = SCALE * found.value, SCALE * found.influence.numpy()
    value, low, high = jackknife(lambda kept: value + float(influence[kept].mean()), len(fake), side.real.seed, (0.0, torch.inf))
    return {
        "cmmd": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(fake),
            reference_samples=len(real),
            space=side.real.extractor.name,
        )
    }
