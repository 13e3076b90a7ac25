"""A score: a metric's value between its baseline and its ceiling, with its interval."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

GROUPS = 20
"""Groups of the jackknife, and therefore the fewest examples that can be judged."""
STUDENT_T = 2.093
"""The 97.5% point of Student's t with GROUPS - 1 degrees of freedom."""
NORMAL = 1.96
"""The 97.5% point of the normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one set of generated examples."""

    name: str
    """The metric and the space it was measured in, as values from different spaces are not comparable: frechet[digits-cnn]."""
    value: float
    low: float
    """Lower end of the 95% interval over the examples that were averaged (delete-a-group jackknife, 20 groups)."""
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
    the examples are dealt at random into 20 groups, and each is left out once. Unlike the bootstrap it repeats no example,
    which would bias the Frechet distance and the distances to nearest neighbours.
    """
    assert count >= GROUPS
    value = statistic(np.arange(count))
    group = np.random.default_rng(seed).permutation(count) % GROUPS
    without = np.array([statistic(np.flatnonzero(group != left_out)) for left_out in range(GROUPS)])
    spread = STUDENT_T * float(np.sqrt((GROUPS - 1) / GROUPS * np.square(without - without.mean()).sum()))
    return value, max(value - spread, bounds[0]), min(value + spread, bounds[1])
