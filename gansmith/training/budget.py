"""How long to train: samples, minutes, or whichever ends first."""

import time
from dataclasses import dataclass, field

from gansmith.training import distributed
from gansmith.training.clock import Clock

WARM_ROUNDS = 3
"""Rounds before the speed is measured: the first ones allocate memory and choose kernels."""
MEASURED_SHARE = 0.1
"""The share of a budget in minutes over which the speed is measured."""
RESERVE = 0.96
"""The share of the remaining minutes that is planned for playing; previews and checkpoints take the rest."""


@dataclass
class Budget:
    """Turns minutes into samples once, after warm-up, so that schedules know their end and a resumed run stays exact."""

    samples: int | None
    minutes: float | None
    began: float = field(default_factory=time.monotonic)
    warm: tuple[float, int] | None = None
    """The moment and the samples at which the measurement of speed began."""

    def settle(self, clock: Clock, round_samples: int) -> None:
        """Sets the clock's total as soon as it can be known; called after every round until then."""
        if clock.total is not None:
            return
        if self.minutes is None:
            clock.total = self.samples
            return
        now = time.monotonic()
        if self.warm is None:
            if clock.rounds >= WARM_ROUNDS:
                self.warm = now, clock.samples
            return
        moment, samples = self.warm
        enough = now - moment >= MEASURED_SHARE * self.minutes * 60 and clock.samples > samples
        if distributed.share(float(enough)):
            pace = (clock.samples - samples) / max(now - moment, 1e-9)
            remaining = max(0.0, self.minutes * 60 - (now - self.began))
            rounds = int(distributed.share(pace * remaining * RESERVE)) // round_samples
            total = clock.samples + rounds * round_samples
            clock.total = min(total, self.samples) if self.samples else total
