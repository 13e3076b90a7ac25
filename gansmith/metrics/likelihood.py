"""The feature likelihood score (Jiralerspong et al. 2023): a density from generated examples, judged by held-out ones.

Every generated example becomes a Gaussian whose variance is fitted to the training examples. One that copies a training example
shrinks to a spike there and explains no held-out example, so copies are exposed as poor quality and poor diversity are.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation.cache import remember
from gansmith.evaluation.nearest import nearest
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side

METRICS = {
    "fls": (
        "lower",
        "feature likelihood score: quality, diversity and novelty in one, 0 as good as training examples, thousands for copies",
    ),
    "fls_gap": (
        "higher",
        "how much better generated examples explain held-out than training examples: about 0 fresh, far below 0 copies",
    ),
}
SAYS = {"fls": "both", "fls_gap": "memorisation"}

MAXIMUM = 10_000
"""Examples that become Gaussians, and examples that the variances are fitted to beyond those nearest to a Gaussian."""
ROUNDS = 20
"""Rounds of expectation and maximisation; more change the score by less than its interval."""
SMALLEST = 1e-6
"""The smallest variance, where features have variance 1: that of a copy would be zero and its likelihood infinite."""
NARROW = 0.81
"""Squared distances to the base Gaussian are shortened to these: it stands a tenth of the way from the mean to each example, as in the
authors' code."""
ENTRIES = 2**22
"""Responsibilities held at a time, few enough for the processor's cache."""


def fit_variances(
    centres: Float[Tensor, "centres features"],
    examples: Float[Tensor, "batch features"],
    weights: Float[Tensor, " batch"],
) -> Float[Tensor, " centres"]:
    """The variances of equally frequent isotropic Gaussians at `centres` that make weighted examples most likely.

    By expectation and maximisation from the distance to the nearest example, as exact as the gradient descent of the authors and
    without its rate. While fitting, a base Gaussian around the mean explains the examples that lie far from all centres.
    """
    count, features = centres.shape
    rows = max(1, ENTRIES // (count + 1))
    squared = torch.empty(len(examples), count + 1)
    for piece, block in zip(examples.split(rows), squared.split(rows), strict=True):
        block[:, :count] = torch.cdist(piece, centres).square_()
    squared[:, count] = NARROW * (examples - examples.mean(0)).square().sum(1)
    start = squared[:, :count].amin(0) / features
    variances = torch.cat([start, torch.ones(1)]).clamp_(min=SMALLEST).double()
    frequency = torch.full((count + 1,), -math.log(count), dtype=torch.float64)
    frequency[count] = 0.0
    for _ in range(ROUNDS):
        constant = (frequency - features / 2 * variances.log()).float()
        scale = (-0.5 / variances).float()
        mass, moment = torch.zeros(2, count + 1, dtype=torch.float64)
        for block, weight in zip(squared.split(rows), weights.split(rows), strict=True):
            responsibility = torch.addcmul(constant, block, scale).softmax(1)
            mass += weight @ responsibility
            moment += weight @ responsibility.mul_(block)
        fitted = (moment / (features * mass)).clamp_(min=SMALLEST)
        variances = torch.where(mass > 1e-20, fitted, variances)  # a centre that explains nothing keeps its variance
    return variances[:count].float()


def log_likelihood(
    examples: Float[Tensor, "batch features"],
    centres: Float[Tensor, "centres features"],
    variances: Float[Tensor, " centres"],
    *,
    alone: bool = False,
) -> Float[Tensor, " batch"]:
    """The log density of every example under the mixture, in nats per feature, float64.

    `alone` leaves out the Gaussian of the same row, for examples that are the centres themselves.
    """
    features = centres.shape[1]
    scale = -0.5 / variances.double()
    constant = -math.log(len(centres) - alone) - features / 2 * (2 * math.pi * variances.double()).log()
    rows = max(1, ENTRIES // len(centres))
    pieces = []
    for start in range(0, len(examples), rows):
        exponents = torch.cdist(examples[start : start + rows], centres).square_().double().mul_(scale).add_(constant)
        if alone:
            exponents.diagonal(start).fill_(-torch.inf)
        pieces.append(exponents.logsumexp(1))
    return torch.cat(pieces) / features


def lessons(
    centres: Float[Tensor, "centres features"], train: Float[Tensor, "train features"], seed: int
) -> tuple[Float[Tensor, "batch features"], Float[Tensor, " batch"]]:
    """(training examples, their weights) that stand for all of them: the nearest of every centre, and some of the rest.

    All nearest ones are there, as leaving out an original would hide its copy; the rest weighs as much as if all were there.
    """
    near = torch.zeros(len(train), dtype=torch.bool)
    near[nearest(centres, train, 1)[1][:, 0]] = True
    rest = torch.flatten((~near).nonzero())
    chosen = rest[torch.randperm(len(rest), generator=torch.Generator().manual_seed(seed))[:MAXIMUM]]
    near = torch.flatten(near.nonzero())
    weights = torch.cat([torch.ones(len(near)), torch.full((len(chosen),), len(rest) / max(1, len(chosen)))])
    return train[torch.cat([near, chosen])], weights


def measure(side: Side) -> dict[str, Measured]:
    """100 times the difference of the mean negative log densities per feature, of features with the held-out ones' mean and spread.

    `fls` compares the density of the generated examples with that of as many training examples (at most half of them, fitted to
    the others), on the held-out examples; its authors' later papers call it the feature likelihood divergence. `fls_gap`
    compares training with held-out examples under the generated examples' density. The intervals are over the held-out examples,
    and where those are judged themselves, each is explained by the others.
    """
    held_out = side.real.ceiling.features.float()
    mean, deviation = _scale(held_out)
    held_out, train, sample = ((real.float() - mean) / deviation for real in (held_out, side.real.features, side.real.sample))
    centres = ((side.features.float() - mean) / deviation)[:MAXIMUM]
    variances = fit_variances(centres, *lessons(centres, train, side.real.seed))
    mine = log_likelihood(held_out, centres, variances, alone=side is side.real.ceiling)
    reference = _reference(side.real, train, held_out, len(centres))
    differences = {
        "fls": 100 * (reference - mine).numpy(),
        "fls_gap": 100 * (mine - log_likelihood(sample, centres, variances)).numpy(),
    }
    scores = {}
    for metric, each in differences.items():
        value, low, high = jackknife(lambda kept, each=each: float(each[kept].mean()), len(each), side.real.seed)
        scores[metric] = Measured(
            value=value,
            low=low,
            high=high,
            samples=len(centres),
            reference_samples=len(held_out),
            space=side.real.extractor.name,
        )
    return scores


def _scale(features: Float[Tensor, "batch features"]) -> tuple[Float[Tensor, " features"], Float[Tensor, " features"]]:
    """(mean, standard deviation) of every feature; 1 for one that is constant."""
    deviation = features.std(0)
    return features.mean(0), torch.where(deviation > 0, deviation, 1.0)


def _reference(
    real: Real, train: Float[Tensor, "train features"], held_out: Float[Tensor, "held_out features"], count: int
) -> Float[Tensor, " held_out"]:
    """The log densities of the held-out examples under `count` training examples, fitted to the other training examples."""

    def compute() -> dict[str, Tensor]:
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(real.seed))
        half = min(count, len(train) // 2)
        centres, others = train[order[:half]], train[order[half:]]
        variances = fit_variances(centres, *lessons(centres, others, real.seed))
        return {"log_likelihood": log_likelihood(held_out, centres, variances)}

    return remember(real.folder, "likelihood", real.key, compute)["log_likelihood"]
