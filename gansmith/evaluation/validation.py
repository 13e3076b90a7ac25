"""What is measured of a model while it trains, how often, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.values import Count, Examples, Share, within
from gansmith.errors import UserError
from gansmith.metrics.registry import metric_names


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """At which ticks examinations fall due: decided once, from the cost of one and the speed of the training."""

    first: int
    every: int


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What is measured during training, and what follows from it."""

    metrics: tuple[str, ...]
    samples: Examples = 2000
    """Generated examples, and as many of every other side."""
    share: Share = 0.05
    """The largest share of the time that it may take."""
    keep_best: str | None = None
    """The metric by which the best model is kept."""
    patience: Count | None = None
    """After how many examinations without improvement of `chosen` the training stops."""
    schedule: Schedule | None = None
    """Known once the training has shown its speed."""

    @property
    def chosen(self) -> str:
        """The metric that decides."""
        return self.keep_best or self.metrics[0]

    @classmethod
    def requested(
        cls, metrics: Sequence[str], samples: int, share: float, keep_best: str | None, patience: int | None
    ) -> Validation | None:
        """What was asked for, or None for nothing. Raises UserError for an unknown metric and numbers out of range."""
        metrics = list(dict.fromkeys([*metrics, *([keep_best] if keep_best else [])]))
        if not metrics:
            if patience is not None or (samples, share) != (cls.samples, cls.share):
                raise UserError(
                    "Judging during training needs a metric: name some with --judge-metrics, or one with --keep-best."
                )
            return None
        known = list(metric_names())
        for metric in metrics:
            if metric not in known:
                guess = did_you_mean(metric, known)
                raise UserError(f'there is no metric "{metric}"{guess}: the metrics are {listed(known, len(known))}.')
        within(Examples, "--judge-samples", samples)
        within(Share, "--judge-share", share)
        if patience is not None:
            within(Count, "--patience", patience)
        return cls(metrics=tuple(metrics), samples=samples, share=share, keep_best=keep_best, patience=patience)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Validation:
        schedule = facts["schedule"]
        return cls(**{**facts, "metrics": tuple(facts["metrics"]), "schedule": Schedule(**schedule) if schedule else None})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
