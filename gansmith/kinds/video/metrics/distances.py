"""Frechet distances of motion alone and of single frames: what the distance of whole clips cannot tell apart.

Clips whose frames were shuffled are nearly real in the space of whole clips, and clips that stand still are perfect in that of frames.
"""

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.video.features import ClipFeatures, See
from gansmith.metrics.frechet import Moments, distance_with_interval

METRICS = {
    "motion_frechet": ("lower", "distance between the distributions of differences between neighbouring frames (motion)"),
    "frame_frechet": ("lower", "distance between the distributions of single frames and of their fine detail (pictures)"),
}
SAYS = "both"
BASELINE = "frozen frame"
SPACES: dict[str, See] = {"motion_frechet": "motion", "frame_frechet": "frames"}


def measure(side: Side) -> dict[str, Measured]:
    """Generated clips against all training clips that are compared."""
    real, found = side.real, {}
    for name, see in SPACES.items():
        space = ClipFeatures(real.train, real.seed, real.folder, see)
        reference = Moments.of(space.features(real.train))
        value, low, high = distance_with_interval(space.features(side.data), reference)
        count = len(side.data)
        found[name] = Measured(
            value=value, low=low, high=high, samples=count, reference_samples=reference.count, space=space.name
        )
    return found
