"""Where a run stands, as one line shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gansmith.report.numbers import count, significant


@dataclass
class Moment:
    """Everything on the live line; None is not known yet."""

    samples: int = 0
    seconds: float = 0.0
    total: int | None = None
    rate: float | None = None
    """Samples per second."""
    left: float | None = None
    """Seconds until the budget is spent."""
    memory_mb: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """The part of the budget that is spent, from 0 to 1."""
        return min(1.0, self.samples / self.total) if self.total else None

    def before_bar(self) -> list[str]:
        return [clock_time(self.seconds)]

    def after_bar(self) -> list[str]:
        parts = [f"{self.share:.0%}"] if self.share is not None else []
        parts.append(f"{count(self.samples)} samples" if self.total is None else f"{count(self.samples)}/{count(self.total)}")
        if self.rate is not None:
            parts.append(f"{significant(self.rate)}/s")
        if self.left is not None:
            parts.append(f"{clock_time(self.left)} left")
        if self.memory_mb is not None:
            parts.append(f"{count(self.memory_mb)} MB")
        return parts

    def named_terms(self) -> list[str]:
        return [f"{name} {significant(value)}" for name, value in self.terms.items()]


def clock_time(seconds: float) -> str:
    """0:42, 3:20, 1:02:05."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
