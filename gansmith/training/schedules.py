"""Values that change over a training. A schedule is a function of the clock; plain numbers are constant schedules."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gansmith.training.clock import Clock

Schedule = Callable[[Clock], float]


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from start to end, then constant (Loshchilov & Hutter 2017, without restarts; R3GAN, appendix)."""

    start: float
    end: float
    over: int | None = None
    """Samples that the change takes; None stretches it over the whole budget."""

    def __call__(self, clock: Clock) -> float:
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * clock.progress(self.over))) / 2


@dataclass(frozen=True)
class Linear:
    """A straight line from start to end, then constant; `wait` samples or that share of the budget pass before it begins."""

    start: float
    end: float
    over: int | None = None
    """Samples until the end value is reached; None for the whole budget."""
    wait: float = 0.0
    """The share of this time, from 0 to 1, in which the start value is kept (CycleGAN decays in the second half)."""

    def __call__(self, clock: Clock) -> float:
        moved = max(0.0, (clock.progress(self.over) - self.wait) / (1 - self.wait)) if self.wait < 1 else 0.0
        return self.start + (self.end - self.start) * moved


@dataclass(frozen=True)
class Geometric:
    """From start to end by equal factors in equal times, then constant; both must be greater than 0."""

    start: float
    end: float
    over: int | None = None
    """Samples that the change takes; None for the whole budget."""

    def __call__(self, clock: Clock) -> float:
        return self.start * (self.end / self.start) ** clock.progress(self.over)


def as_schedule(value: float | Schedule) -> Schedule:
    """The schedule itself, or a constant one of this number."""
    return value if callable(value) else lambda _: value
