"""Alpha-precision, beta-recall and authenticity (Alaa et al. 2022): typical, diverse and not copied, example by example.

Generalised precision and recall ask how much of a set lies within the ball that holds the share alpha of another, for every alpha.
Both are 1 minus twice the mean difference from alpha, as in the authors' code and in synthcity, without its one-class embedding.
"""

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from gansmith.evaluation.nearest import nearest, squared_radii
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side

METRICS = {
    "alpha_precision": ("higher", "whether generated examples are as typical as real ones, near and far from the mean (quality)"),
    "beta_recall": ("higher", "whether real examples have typical generated ones closer than other real ones (diversity)"),
    "authenticity": ("higher", "share of generated examples farther from a training example than its own nearest neighbour is"),
}
SAYS = {"alpha_precision": "quality", "beta_recall": "diversity", "authenticity": "memorisation"}

STEPS = 1000
"""Values of alpha between 0 and 1."""
ALPHAS = (np.arange(STEPS) + 0.5) / STEPS


def alpha_precision(reached: Float[np.ndarray, " fake"]) -> float:
    """1 - 2 mean |P_alpha - alpha|, of the share of real examples that lie nearer to the centre than each fake one."""
    shares = np.searchsorted(np.sort(reached), ALPHAS, "right") / len(reached)
    return float(1 - 2 * np.abs(shares - ALPHAS).mean())


def shares_nearer(real: Float[Tensor, "real features"], fake: Float[Tensor, "fake features"]) -> Float[np.ndarray, " fake"]:
    """For every fake example the share of real ones that are nearer to the mean of the real ones."""
    centre = real.mean(0)
    distances, mine = (np.asarray((side - centre).norm(dim=1)) for side in (real, fake))
    return np.searchsorted(np.sort(distances), mine, "left") / len(distances)


def beta_recall(covered: Bool[np.ndarray, " real"], typical: Float[np.ndarray, " real"]) -> float:
    """1 - 2 mean |R_beta - beta|: real examples count for beta if they are covered by a fake one within the ball of beta.

    `typical` is the distance of the nearest fake example of every real one to the mean of the fake ones, and the balls hold the
    share beta of these distances.
    """
    radii = np.quantile(typical, ALPHAS)
    shares = np.searchsorted(np.sort(typical[covered]), radii, "right") / len(typical)
    return float(1 - 2 * np.abs(shares - ALPHAS).mean())


def coverage(
    real: Float[Tensor, "real features"], fake: Float[Tensor, "fake features"]
) -> tuple[Bool[np.ndarray, " real"], Float[np.ndarray, " real"]]:
    """For every real example, whether a fake one is as near as its nearest real neighbour, and `typical` of `beta_recall`."""
    distances, indices = nearest(real, fake, 1)
    typical = (fake - fake.mean(0)).norm(dim=1)[indices[:, 0]]
    return np.asarray(distances[:, 0] <= squared_radii(real, 1).sqrt()), np.asarray(typical)


def authentic(train: Float[Tensor, "train features"], fake: Float[Tensor, "fake features"]) -> Bool[np.ndarray, " fake"]:
    """Whether each fake example is farther from its nearest training example than that is from its own nearest."""
    distances, indices = nearest(fake, train, 1)
    originals, which = indices[:, 0].unique(return_inverse=True)
    radii = nearest(train[originals], train, 2)[0][:, 1]
    return np.asarray(distances[:, 0] > radii[which])


def measure(side: Side) -> dict[str, Measured]:
    """Generated against all training features, for beta-recall against as many of them.

    The intervals are over the examples averaged: real ones for beta-recall, generated ones for the others.
    """
    train, sample, fake = side.real.features, side.real.sample, side.features
    reached = shares_nearer(train, fake)
    covered, typical = coverage(sample, fake)
    fresh = authentic(train, fake)
    statistics = {
        "alpha_precision": (lambda kept: alpha_precision(reached[kept]), len(train)),
        "beta_recall": (lambda kept: beta_recall(covered[kept], typical[kept]), len(sample)),
        "authenticity": (lambda kept: float(fresh[kept].mean()), len(train)),
    }
    scores = {}
    for metric, (statistic, reference) in statistics.items():
        examples = len(sample) if metric == "beta_recall" else len(fake)
        value, low, high = jackknife(statistic, examples, side.real.seed, bounds=(0.0, 1.0))
        scores[metric] = Measured(
            value=value, low=low, high=high, samples=len(fake), reference_samples=reference, space=side.real.extractor.name
        )
    return scores
