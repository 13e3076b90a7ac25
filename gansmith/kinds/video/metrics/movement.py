"""How much clips move and change, whether their frames come in order, whether loops close: each beside what real clips do."""

from collections.abc import Callable

import numpy as np

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.video.baseline import shuffled_frames
from gansmith.kinds.video.measures import drift, following, movement, seam
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "motion_error": ("lower", "how far the amount of motion is from that of real clips, in doublings (quality)"),
    "drift_error": ("lower", "how far the change of colours within a clip is from that of real clips, in doublings (content)"),
    "order": ("higher", "share of clips whose frames follow each other as those of real clips do rather than of shuffled ones"),
    "loop_seam": ("lower", "jump from the last frame to the first over the usual difference of neighbours, where the data loop"),
}
SAYS = "quality"
BASELINE = "frozen frame"
LEAST = 1e-4
"""Amounts are told apart above this."""
MOST = 1000
"""Training clips that are looked at."""


def measure(side: Side) -> dict[str, Measured]:
    train, seed = side.real.train, side.real.seed
    known = train.subset(choose(len(train), MOST, seed))
    found = {
        "motion_error": _far(side, known, movement),
        "drift_error": _far(side, known, drift),
    }
    if train.codec.spec.shape[0] > 2:
        found["order"] = _mean(side, _in_order(known, side.data, seed), (0.0, 1.0))
    if getattr(train.codec.spec, "loops", False):
        found["loop_seam"] = _mean(side, seam(side.data), (0.0, np.inf))
    if not found:
        raise NotApplicableError("these clips neither move nor loop.")
    return found


def _far(side: Side, known: Dataset, amount: Callable[[Dataset], np.ndarray]) -> Measured:
    """The distance of logarithms of the mean amounts."""
    real, made = float(amount(known).mean()), amount(side.data)

    def distance(kept: np.ndarray) -> float:
        return abs(float(np.log2((made[kept].mean() + LEAST) / (real + LEAST))))

    value, low, high = jackknife(distance, len(made), side.real.seed, bounds=(0.0, np.inf))
    note = f"{made.mean():.4f}, training clips {real:.4f}"
    return Measured(value=value, low=low, high=high, samples=len(made), reference_samples=len(known), space="pixels", note=note)


def _mean(side: Side, values: np.ndarray, bounds: tuple[float, float]) -> Measured:
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed, bounds=bounds)
    return Measured(value=value, low=low, high=high, samples=len(values), reference_samples=0, space="pixels")


def _in_order(known: Dataset, data: Dataset, seed: int) -> np.ndarray:
    """Which clips a logistic classifier of real and shuffled training clips takes for real ones."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    real, shuffled = following(known), following(shuffled_frames(known, len(known), seed))
    truth = np.repeat([1, 0], [len(real), len(shuffled)])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(np.concatenate([real, shuffled]), truth)
    return model.predict(following(data)).astype(float)
