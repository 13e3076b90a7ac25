"""The two scores of TimeGAN's paper (Yoon et al. 2019, section 5), as its published code computes them.

Both are weak: the classifier has hidden units for half of the columns (3 for stocks), windows overlap between its training and its
test, and nothing is held out. They are here because every paper since reports them; `fair_series.py` has stronger ones.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from gansmith.evaluation.score import NORMAL, Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.series.steps import unit_values

METRICS = {
    "discriminative": (
        "lower",
        "|accuracy - 0.5| of TimeGAN's small recurrent classifier of real and generated series (2,000 steps)",
    ),
    "predictive": ("lower", "TimeGAN's error of a network taught on generated series that predicts the last column of real ones"),
}
SAYS = "both"
BATCH = 128
CLASSIFIER_STEPS, PREDICTOR_STEPS = 2000, 5000
REPETITIONS = 3
"""Networks trained, each with its own split and weights; the papers take 10."""
TEST_SHARE = 0.2


class Recurrent(nn.Module):
    """One GRU layer and a linear map to one number: of the last step, or of every step."""

    def __init__(self, columns: int, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(columns, hidden, batch_first=True)
        self.last = nn.Linear(hidden, 1)

    def forward(self, series: Float[Tensor, "batch steps columns"]) -> Float[Tensor, "batch steps"]:
        return self.last(self.gru(series)[0]).squeeze(2)


def _seeded(columns: int, hidden: int, seed: int) -> tuple[Recurrent, torch.optim.Optimizer, torch.Generator]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Recurrent(columns, hidden)
    return network, torch.optim.Adam(network.parameters(), fused=True), torch.Generator().manual_seed(seed)


def discriminative_score(
    real: Float[Tensor, "n steps columns"], fake: Float[Tensor, "m steps columns"], seed: int, steps: int = CLASSIFIER_STEPS
) -> float:
    """|accuracy - 0.5| on a fifth of both sides, split off at random (the published code's protocol)."""
    network, optimizer, rng = _seeded(real.shape[2], max(1, real.shape[2] // 2), seed)
    parts = []
    for side in (real, fake):
        order = torch.randperm(len(side), generator=rng)
        held = round(TEST_SHARE * len(side))
        parts.append((side[order[held:]], side[order[:held]]))
    (real_train, real_test), (fake_train, fake_test) = parts
    target = torch.cat([torch.ones(BATCH), torch.zeros(BATCH)])
    for _ in range(steps):
        rows = [part[torch.randint(len(part), (BATCH,), generator=rng)] for part in (real_train, fake_train)]
        loss = binary_cross_entropy_with_logits(network(torch.cat(rows))[:, -1], target)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    with torch.inference_mode():
        right = float((network(real_test)[:, -1] > 0).sum() + (network(fake_test)[:, -1] <= 0).sum())
    return abs(right / (len(real_test) + len(fake_test)) - 0.5)


def predictive_score(
    real: Float[Tensor, "n steps columns"], fake: Float[Tensor, "m steps columns"], seed: int, steps: int = PREDICTOR_STEPS
) -> float:
    """Mean absolute error on real series of a network that was taught, on generated ones, to say the last column one step ahead.

    It sees the other columns; where there is only one, that.
    """
    seen = max(1, real.shape[2] - 1)
    network, optimizer, rng = _seeded(seen, max(1, real.shape[2] // 2), seed)
    for _ in range(steps):
        rows = fake[torch.randint(len(fake), (BATCH,), generator=rng)]
        loss = l1_loss(network(rows[:, :-1, :seen]).sigmoid(), rows[:, 1:, -1])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    with torch.inference_mode():
        return float(l1_loss(network(real[:, :-1, :seen]).sigmoid(), real[:, 1:, -1]))


def measured(values: list[float], fake: int, real: int, note: str) -> Measured:
    """The mean of repetitions, with the 95% interval of the mean."""
    spread = torch.tensor(values, dtype=torch.float64)
    half = NORMAL * float(spread.std()) / len(values) ** 0.5
    mean = float(spread.mean())
    return Measured(
        value=mean, low=max(0.0, mean - half), high=mean + half, samples=fake, reference_samples=real, space="gru", note=note
    )


def measure(side: Side) -> dict[str, Measured]:
    """Over three networks each: against as many real series for the first, all real ones for the second."""
    fake, real = unit_values(side.data, side.real), unit_values(side.real.train, side.real)
    seeds = [side.real.seed + repetition for repetition in range(REPETITIONS)]
    rng = torch.Generator().manual_seed(side.real.seed)
    same = real[torch.randperm(len(real), generator=rng)[: len(fake)]]
    note = f"mean of {REPETITIONS} networks, interval over them"
    found = {
        "discriminative": measured(
            [discriminative_score(same, fake, seed, CLASSIFIER_STEPS) for seed in seeds], len(fake), len(same), note
        )
    }
    found["predictive"] = measured(
        [predictive_score(real, fake, seed, PREDICTOR_STEPS) for seed in seeds], len(fake), len(real), note
    )
    return found
