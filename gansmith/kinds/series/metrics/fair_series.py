"""Are generated series told from real ones, and do they teach as much? Stronger networks, split by stretches of time.

What TimeGAN's scores (`timegan_scores.py`) leave open: the classifier here sees levels and moves through wide convolutions and is
tested on stretches of time that it did not learn from, no window of which overlaps with those; the predictor says all columns one
step ahead and is tested on held-out series, beside the simplest forecast there is.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from gansmith.evaluation.score import GROUPS, Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.series.steps import are_returns, moves_of, unit_values, values_of
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "fair_discriminative": (
        "lower",
        "how well a convolutional classifier tells unseen stretches of series apart (area under ROC; 0.5 not at all)",
    ),
    "fair_predictive": (
        "lower",
        "error on held-out series of a forecaster taught on generated ones, over that of saying nothing changes",
    ),
}
SAYS = "both"
WIDTH, BATCH = 32, 128
CLASSIFIER_STEPS, FORECASTER_STEPS = 500, 600
STRETCHES = 18


class Classifier(nn.Module):
    """Levels and moves of a series to a logit, through dilated convolutions."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(2 * columns, WIDTH, 3, padding=1)
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, padding=2, dilation=2)
        self.third = nn.Conv1d(WIDTH, WIDTH, 3, padding=4, dilation=4)
        self.last = nn.Linear(2 * WIDTH, 1)

    def forward(self, x: Float[Tensor, "batch channels steps"]) -> Float[Tensor, " batch"]:
        x = self.third(self.second(self.first(x).relu()).relu()).relu()
        return self.last(torch.cat([x.mean(2), x.amax(2)], dim=1)).squeeze(1)


class Forecaster(nn.Module):
    """What has been, to the next move of every column."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.gru = nn.GRU(columns, WIDTH, batch_first=True)
        self.last = nn.Linear(WIDTH, columns)

    def forward(self, x: Float[Tensor, "batch steps columns"]) -> Float[Tensor, "batch steps columns"]:
        return self.last(self.gru(x)[0])


def area(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> float:
    """The share of pairs in which the real one has the greater logit; ties count half."""
    both = torch.cat([fake, real]).double()
    _, place, counts = both.unique(return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0) - (counts - 1) / 2.0)[place]
    n, m = len(real), len(fake)
    return float((ranks[m:].sum() - n * (n + 1) / 2) / (n * m))


def levels_and_moves(
    values: Float[Tensor, "batch steps columns"], scale: Float[Tensor, " columns"]
) -> Float[Tensor, "batch c s"]:
    """Levels, and steps from one to the next in units of `scale`, as channels."""
    moves = torch.diff(values, dim=1, prepend=values[:, :1]) / scale
    return torch.cat([2 * values - 1, moves], dim=2).transpose(1, 2).contiguous()


def stretches(count: int, steps: int) -> tuple[Int[Tensor, " a"], Int[Tensor, " b"]]:
    """(positions to learn from, positions to test on) of windows in the order of time: every third of 18 stretches is tested, without
    its windows that overlap with the stretches beside it where there are enough others."""
    position = torch.arange(count)
    block = position * STRETCHES // count
    within = position - (block * count + STRETCHES - 1) // STRETCHES
    length = count / STRETCHES
    gap = steps if length > 3 * steps else 0
    tested = (block % 3 == 1) & (within >= gap) & (within < length - gap)
    return position[block % 3 != 1], position[tested]


def classifier_area(
    real: Float[Tensor, "n steps columns"], fake: Float[Tensor, "m steps columns"], seed: int
) -> tuple[Float[Tensor, " r"], Float[Tensor, " f"]]:
    """The logits of unseen real and generated series: those of every third stretch of time.

    Windows that overlap with another stretch are left out of the test.
    """
    scale = torch.diff(real, dim=1).std((0, 1)).clamp_min(1e-9)
    parts = []
    for side in (real, fake):
        channels = levels_and_moves(side, scale)
        learnt, tested = stretches(len(side), side.shape[1])
        parts.append((channels[learnt], channels[tested]))
    (real_train, real_test), (fake_train, fake_test) = parts
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Classifier(real.shape[2])
    optimizer, rng = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True), torch.Generator().manual_seed(seed)
    target = torch.cat([torch.ones(BATCH), torch.zeros(BATCH)])
    for _ in range(CLASSIFIER_STEPS):
        rows = [part[torch.randint(len(part), (BATCH,), generator=rng)] for part in (real_train, fake_train)]
        binary_cross_entropy_with_logits(network(torch.cat(rows)), target).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    with torch.inference_mode():
        return network(real_test), network(fake_test)


def forecast_errors(
    taught: Float[Tensor, "n steps columns"], tested: Float[Tensor, "m steps columns"], moves: bool, seed: int
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    """(errors of the forecaster, errors of saying that nothing changes) of each tested series. Values are in units of
    the usual move; `moves` says that they are moves already."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Forecaster(taught.shape[2])
    optimizer, rng = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True), torch.Generator().manual_seed(seed)

    def target(series: Tensor) -> Tensor:
        return series[:, 1:] if moves else torch.diff(series, dim=1)

    for _ in range(FORECASTER_STEPS):
        rows = taught[torch.randint(len(taught), (BATCH,), generator=rng)]
        l1_loss(network(rows[:, :-1]), target(rows)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    with torch.inference_mode():
        wanted = target(tested)
        return (network(tested[:, :-1]) - wanted).abs().mean((1, 2)), wanted.abs().mean((1, 2))


def measure(side: Side) -> dict[str, Measured]:
    """With the 95% interval over the tested examples."""
    real, seed = side.real, side.real.seed
    train, made = unit_values(real.train, real), unit_values(side.lessons if side.name != "held-out" else side.data, real)
    real_logits, fake_logits = classifier_area(train, made, seed)
    count = min(len(real_logits), len(fake_logits))
    if count < GROUPS:
        raise NotApplicableError(
            f"the classifier of fair_discriminative learns from two thirds of the stretches of time and is tested on the rest, which here "
            f"hold {count} series, where at least {GROUPS} are needed: judge more samples, or train on more rows."
        )
    value, low, high = jackknife(lambda kept: area(real_logits[kept], fake_logits[kept]), count, seed, bounds=(0.0, 1.0))
    whole = area(real_logits, fake_logits)
    unit = np.maximum(moves_of(real.train).std((0, 1)), 1e-12)
    taught, tested = (torch.from_numpy(values_of(data) / unit).float() for data in (side.lessons, real.held_out))
    returns = are_returns(real.train)
    centre = torch.zeros(()) if returns else taught.mean((0, 1))
    own, plain = forecast_errors(taught - centre, tested - centre, returns, seed)
    ratio = jackknife(lambda kept: float(own[kept].mean() / plain[kept].mean()), len(own), seed, bounds=(0.0, float("inf")))
    return {
        "fair_discriminative": Measured(
            value=whole,
            low=max(0.0, low + whole - value),
            high=min(1.0, high + whole - value),
            samples=len(fake_logits),
            reference_samples=len(real_logits),
            space="convolutions",
        ),
        "fair_predictive": Measured(
            value=ratio[0], low=ratio[1], high=ratio[2], samples=len(side.lessons), reference_samples=len(tested), space="gru"
        ),
    }
