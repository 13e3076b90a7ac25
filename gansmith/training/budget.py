"""How long to train: samples, minutes, or whichever ends first."""

import time
from dataclasses import dataclass, field

from gansmith.training import distributed
from gansmith.training.clock import Clock

WARM_ROUNDS = 3
"""Rounds before the speed is measured: the first ones allocate memory and choose kernels."""
MEASURED_SHARE = 0.1
"""The share of a budget in minutes over which the speed is measured, and after which it is compared with what is left."""
TOLERATED = 0.03
"""The share by which a training may fall short of its total before the total is lowered: schedules are better off without jumps."""
ROUNDS_BETWEEN_CHECKS = 4
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
    checked_at: float = 0.0
    """The moment at which the speed was last compared with what is left."""

    def settle(self, clock: Clock, round_samples: int) -> None:
        """Sets the clock's total as soon as it can be known, and lowers it if the training has become slower than that; called after
        every round."""
        if clock.total is not None:
            if self.minutes is not None and clock.rounds % ROUNDS_BETWEEN_CHECKS == 0:
                self._keep(clock, round_samples, self.minutes * 60)
            return
        if self.minutes is None:
            clock.total = self.samples
            return
        now = time.monotonic()
        if distributed.share(float(now - self.began >= self.minutes * 60)):
            clock.total = clock.samples or round_samples  # one round at least
            return
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

    def sentence(self, clock: Clock, seconds: float) -> str | None:
        """For people, where so few rounds fit into the minutes that nothing can have been learned; `seconds` were trained."""
        if self.minutes is None or clock.rounds > WARM_ROUNDS or not clock.rounds or clock.total is None:
            return None
        if self.samples is not None and clock.samples >= self.samples:
            return None
        rounds = "one round was" if clock.rounds == 1 else f"{clock.rounds} rounds were"
        each = seconds / clock.rounds / 60
        return (
            f"Almost nothing was learned: {rounds} trained, and a round takes about {each:.2g} minutes. A first result takes hundreds of "
            f"rounds: give --minutes {max(1, round(300 * each))} or more."
        )

    def _keep(self, clock: Clock, round_samples: int, seconds: float) -> None:
        """Lowers the total to what the speed so far reaches within so many seconds; at their end, to what was reached."""
        assert clock.total is not None
        now = time.monotonic()
        if self.warm is None:  # a resumed run knows its total
            self.warm, self.checked_at = (now, clock.samples), now
        moment, samples = self.warm
        remaining = seconds - (now - self.began)
        due = remaining <= 0 or now - self.checked_at >= MEASURED_SHARE * seconds
        if not distributed.share(float(due and clock.samples > samples)):
            return
        self.checked_at = now
        pace = (clock.samples - samples) / max(now - moment, 1e-9)
        rounds = int(distributed.share(pace * max(0.0, remaining))) // round_samples
        reached = clock.samples + rounds * round_samples
        if rounds == 0 or reached < clock.total * (1 - TOLERATED):
            clock.total = min(clock.total, reached)
