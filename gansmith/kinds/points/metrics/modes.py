"""Modes captured, for data whose truth is known: a mixture of equal Gaussians (Srivastava et al. 2017; Lin et al. 2018)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from gansmith.evaluation.identity import raw_points
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "modes": ("higher", "true modes with at least one generated example within 3 standard deviations"),
    "high_quality": ("higher", "share of generated examples within 3 standard deviations of a true mode"),
    "mode_divergence": ("lower", "reverse Kullback-Leibler divergence of the modes' shares from equal shares, in nats"),
}
SAYS = {"modes": "diversity", "high_quality": "quality", "mode_divergence": "diversity"}


@dataclass(frozen=True)
class Assignment:
    """Every example's nearest mode, and whether it is of high quality: within 3 sigma of it."""

    mode: Int[np.ndarray, " batch"]
    high_quality: Bool[np.ndarray, " batch"]


def assign(
    points: Float[np.ndarray, "batch dimensions"], modes: Float[np.ndarray, "modes dimensions"], sigma: float
) -> Assignment:
    """Assigns points to modes, all in raw coordinates."""
    distances = np.linalg.norm(points[:, None] - modes[None], axis=-1)
    return Assignment(mode=distances.argmin(1), high_quality=distances.min(1) <= 3 * sigma)


def modes_captured(found: Assignment) -> int:
    """Modes with at least one example of high quality."""
    return len(np.unique(found.mode[found.high_quality]))


def mode_divergence(found: Assignment, modes: int) -> float:
    """KL(shares || 1 / modes) in nats, where every example counts for its nearest mode: 0 balanced, log(modes) collapsed."""
    shares = np.bincount(found.mode, minlength=modes) / len(found.mode)
    shares = shares[shares > 0]
    return max(float((shares * np.log(shares * modes)).sum()), 0.0)


def measure(side: Side) -> dict[str, Measured]:
    """Needs "modes" and "sigma" among the training data's facts."""
    if "modes" not in side.real.train.facts:
        raise NotApplicableError(f"The true modes of {side.real.train.name} are not known.")
    modes, sigma = np.asarray(side.real.train.facts["modes"], dtype=np.float64), float(side.real.train.facts["sigma"])
    found = assign(raw_points(side.data), modes, sigma)

    def part(kept: np.ndarray) -> Assignment:
        return Assignment(mode=found.mode[kept], high_quality=found.high_quality[kept])

    statistics = {
        "modes": (lambda kept: float(modes_captured(part(kept))), float(len(modes))),
        "high_quality": (lambda kept: float(found.high_quality[kept].mean()), 1.0),
        "mode_divergence": (lambda kept: mode_divergence(part(kept), len(modes)), float(np.log(len(modes)))),
    }
    scores = {}
    for metric, (statistic, most) in statistics.items():
        value, low, high = jackknife(statistic, len(found.mode), side.real.seed, bounds=(0.0, most))
        note = f"of {len(modes)} modes" if metric == "modes" else ""
        scores[metric] = Measured(
            value=value, low=low, high=high, samples=len(found.mode), reference_samples=0, space="raw", note=note
        )
    return scores
