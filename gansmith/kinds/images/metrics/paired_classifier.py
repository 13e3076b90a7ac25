"""A perceptual distance of generated images from the real ones that belong there, in the classifier trained on the spot."""

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.features.classifier import Classifier, OnTheSpot
from gansmith.kinds.images.metrics.paired import partner_distance
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "perceptual_pairs": (
        "lower",
        "distance of generated images from the real ones that belong there, as a network sees them: 0 if equal",
    )
}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the best of the input, the mean image and a colour lookup"


def measure(side: Side) -> dict[str, Measured]:
    """With equal weights and no download; `lpips_pairs` is the same in a published network."""
    space = side.real.extractor
    if not isinstance(space, Classifier):
        raise NotApplicableError(f"perceptual_pairs is measured by the classifier trained on the spot, not in {space.name}.")
    return {"perceptual_pairs": partner_distance(side, lambda: OnTheSpot(space))}


def key(real: Real) -> str:
    """What it depends on besides the real data, for the keys of caches."""
    return f"perceptual_pairs {real.extractor.key}"
