"""What is true of the built-in shapes, in generated clips: the requested shape, the same one all the time, on a straight course."""

import numpy as np

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.video.shapes import NAMES, Tracks, tracked
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "shape_class": ("higher", "share of frames with the requested one of the built-in shapes, told by its moments (quality)"),
    "shape_kept": ("higher", "share of clips in which shape, colour and size stay the same in all frames (content)"),
    "shape_bends": (
        "lower",
        "mean change of velocity from frame to frame over that of real clips, which bend at walls alone (motion)",
    ),
}
SAYS = "quality"
BASELINE = "frozen frame"
COLOUR, SIZE = 30.0, 0.25
"""How far, of 255 and of its mean, colour and area may lie from their means in a clip."""
LOOKED_AT = 60
LOST = 10.0
"""The bend in pixels of a clip whose shape is not seen in three frames that follow each other."""


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError for other data than the built-in shapes."""
    train, seed = side.real.train, side.real.seed
    known = train.subset(choose(len(train), LOOKED_AT, seed))
    others = bool(train.codec.spec.classes) and train.codec.spec.classes != NAMES
    real = None if others else _tracks(known)
    if real is None or _missed(known, real) > 0.05:
        raise NotApplicableError(
            f"shape_class, shape_kept and shape_bends know the built-in shapes alone, and {train.name} holds others."
        )
    made = _tracks(side.data)
    assert made is not None
    found = {"shape_kept": _kept(made)}
    labels = side.data.labels()
    if labels is not None and side.data.codec.spec.classes == NAMES:
        found["shape_class"] = (made.shapes == labels[:, None]).mean(1)
    usual = float(_bends(real).mean())
    scores = {name: _measured(side, values, 1.0) for name, values in found.items()}
    return scores | {"shape_bends": _measured(side, _bends(made) / usual, np.inf)}


def _tracks(data: Dataset) -> Tracks | None:
    """What is seen of shapes; None of clips that are not RGB."""
    return tracked(data.packed(np.arange(len(data)))[data.codec.spec.key]) if data.codec.spec.shape[1] == 3 else None


def _missed(known: Dataset, seen: Tracks) -> float:
    """The share of frames without a shape, or with another one than the label says."""
    labels = known.labels()
    right = seen.shapes >= 0 if labels is None or known.codec.spec.classes != NAMES else seen.shapes == labels[:, None]
    return 1 - float(right.mean())


def _kept(seen: Tracks) -> np.ndarray:
    there = (seen.shapes >= 0).all(1)
    same = (seen.shapes == seen.shapes[:, :1]).all(1)
    colour = np.abs(seen.colours - seen.colours.mean(1, keepdims=True)).max((1, 2)) < COLOUR
    mean = seen.areas.mean(1, keepdims=True)
    size = (np.abs(seen.areas - mean) / np.maximum(mean, 1e-9)).max(1) < SIZE
    return (there & same & colour & size).astype(float)


def _bends(seen: Tracks) -> np.ndarray:
    bends = np.linalg.norm(np.diff(seen.centres, 2, axis=1), axis=2)
    told = ~np.isnan(bends)
    return np.where(told.any(1), np.where(told, bends, 0).sum(1) / np.maximum(told.sum(1), 1), LOST)


def _measured(side: Side, values: np.ndarray, most: float) -> Measured:
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed, bounds=(0.0, most))
    return Measured(value=value, low=low, high=high, samples=len(values), reference_samples=0, space="moments")
