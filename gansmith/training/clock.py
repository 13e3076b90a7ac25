"""How far a training has come, counted in samples of real data seen."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Samples and rounds so far. Schedules, averages, ticks and stages ask it; changing the batch size retunes nothing."""

    samples: int = 0
    """Real examples seen by all processes together."""
    rounds: int = 0
    """Rounds of the game so far."""
    total: int | None = None
    """The budget in samples; None while a budget in minutes has not been turned into samples yet."""
    examples: int = 0
    """How many real examples there are to draw from, once there is a trainer."""
    batch: int = 0
    """How many of them a draw takes, or is expected to take."""
    together: int = 0
    """How many of them a draw takes in all processes and parts together."""

    def progress(self, over: int | None = None) -> float:
        """How much has passed, from 0 to 1, of `over` samples or of the whole budget (0 while the budget is unknown)."""
        span = over if over is not None else self.total
        return min(1.0, self.samples / span) if span else 0.0

    @property
    def last(self) -> bool:
        """Whether the budget ends with this round, if it draws once."""
        return self.total is not None and self.samples + self.together >= self.total

    def every(self, rounds: int) -> bool:
        """Whether this round is one of every so many: for lazy regularisation and slower players."""
        return self.rounds % rounds == 0

    def advance(self, samples: int) -> None:
        self.samples += samples
        self.rounds += 1
