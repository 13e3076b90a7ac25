"""Which differences between scores are real: tests of two scores, and Holm's correction for many of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gansmith.evaluation.score import STUDENT_T


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A score of one training, or of several that differ in their seed alone."""

    values: tuple[float, ...]
    """One for every training."""
    low: float
    """Lower end of the 95% interval: over examples for one training, over trainings for several."""
    high: float

    @classmethod
    def of(cls, values: Sequence[float], low: float, high: float) -> Estimate:
        """`low` and `high` are those of a single value; the interval of several is Student's t over their mean."""
        if len(values) == 1:
            return cls(values=tuple(values), low=low, high=high)
        from scipy.special import stdtrit

        reach = float(stdtrit(len(values) - 1, 0.975)) * _deviation(values) / math.sqrt(len(values))
        return cls(values=tuple(values), low=float(np.mean(values)) - reach, high=float(np.mean(values)) + reach)

    @property
    def value(self) -> float:
        return float(np.mean(self.values))

    @property
    def error(self) -> float:
        """The standard error of a single training's score, from the wider side of its interval: the other may be cut at a bound."""
        return max(self.high - self.value, self.value - self.low) / STUDENT_T


def p_value(a: Estimate, b: Estimate) -> tuple[str, float]:
    """(test, p): how probable so great a difference is where there is none; not a number where an interval is missing.

    Two trainings: "z", from the standard errors of independent generated examples. Two groups of trainings: "welch" (Welch 1947).
    One training and a group: "crawford-howell", whether it could be one of the group (Crawford & Howell 1998, equation 1).
    """
    if len(a.values) == len(b.values) == 1:
        return "z", _two_sided_normal(a.value - b.value, math.hypot(a.error, b.error))
    if min(len(a.values), len(b.values)) == 1:
        one, group = sorted((a, b), key=lambda estimate: len(estimate.values))
        count = len(group.values)
        error = _deviation(group.values) * math.sqrt(1 + 1 / count)
        return "crawford-howell", _two_sided_student(one.value - group.value, error, count - 1)
    parts = [_deviation(estimate.values) ** 2 / len(estimate.values) for estimate in (a, b)]
    spread = sum(part**2 / (len(estimate.values) - 1) for part, estimate in zip(parts, (a, b), strict=True))
    freedom = sum(parts) ** 2 / spread if spread else 1.0
    return "welch", _two_sided_student(a.value - b.value, math.sqrt(sum(parts)), freedom)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of a family of tests, corrected so that one false finding in any of them stays as rare (Holm 1979)."""
    corrected, least = [math.nan] * len(p_values), 0.0
    known = [place for place, p in enumerate(p_values) if not math.isnan(p)]
    for rank, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        least = max(least, min(1.0, (len(known) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def _deviation(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1))


def _two_sided_normal(difference: float, error: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(difference) / error)) if error else float(difference == 0)  # what never varies differs or does not


def _two_sided_student(difference: float, error: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(difference) / error)) if error else float(difference == 0)
