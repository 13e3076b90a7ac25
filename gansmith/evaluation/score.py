"""A score: a metric's value between its baseline and its ceiling, with its interval."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

GROUPS = 20
"""Groups of the jackknife, and therefore the fewest examples that can be judged, but for metrics that say fewer."""
STUDENT_T = 2.093
"""The 97.5% point of Student's t with GROUPS - 1 degrees of freedom."""
OF_FEWER = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262),
    *(2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101),
)
"""The same with 1 to GROUPS - 2 degrees of freedom."""
NORMAL = 1.96
"""The 97.5% point of the normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one set of generated examples."""

    name: str
    """The metric and the space it was measured in, as values from different spaces are not comparable: frechet[digits-cnn]."""
    value: float
    low: float
    """Lower end of the 95% interval over the examples that were averaged (delete-a-group jackknife, 20 groups or one for each)."""
    high: float
    baseline: float | None
    """The same metric of a trivial model of the data, where it has a meaning."""
    baseline_name: str
    ceiling: float | None
    """The same metric of real held-out examples, where it has a meaning."""
    better: Literal["lower", "higher"]
    samples: int
    """Generated examples judged."""
    reference_samples: int
    """Real examples they were compared with."""
    seed: int
    seconds: float
    """Time spent on the generated examples; baseline and ceiling, which are remembered, apart."""
    note: str = ""
    rival: float | None = None
    """The same metric of a model that is no network but not trivial either, where this kind of data has one."""
    rival_name: str = ""

    @property
    def metric(self) -> str:
        return self.name.partition("[")[0]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a metric found on one side."""

    value: float
    low: float
    high: float
    samples: int
    reference_samples: int
    space: str
    """Where it was measured: the name of the feature network, or "raw"."""
    note: str = ""


def jackknife(
    statistic: Callable[[np.ndarray], float], count: int, seed: int, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float, float]:
    """(value, low, high): a statistic of `count` examples and its 95% interval, cut to what the statistic can be.

    `statistic` receives the indices of the examples to use. Delete-a-group jackknife (Kott 2001, The delete-a-group jackknife):
    the examples are dealt at random into 20 groups (into as many as there are examples, where they are fewer), and each is left out
    once. Unlike the bootstrap it repeats no example,
    which would bias the Frechet distance and the distances to nearest neighbours.
    """
    groups = min(count, GROUPS)
    assert groups > 1
    value = statistic(np.arange(count))
    group = np.random.default_rng(seed).permutation(count) % groups
    without = np.array([statistic(np.flatnonzero(group != left_out)) for left_out in range(groups)])
    spread = [*OF_FEWER, STUDENT_T][groups - 2] * float(
        np.sqrt((groups - 1) / groups * np.square(without - without.mean()).sum())
    )
    return value, max(value - spread, bounds[0]), min(value + spread, bounds[1])
