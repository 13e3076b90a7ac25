"""DISTS of generated images from the real ones that belong there (Ding et al. 2020): texture may lie elsewhere."""

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.paired import partner_distance
from gansmith.networks.pretrained.dists_network import DISTS, dists_at_hand

METRICS = {"dists": ("lower", "DISTS of generated images from the real ones that belong there, on VGG16: 0 if equal")}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the best of the input, the mean image and a colour lookup"


def measure(side: Side) -> dict[str, Measured]:
    """Raises UserError where the weights are not here and cannot be fetched."""
    return {"dists": partner_distance(side, DISTS.pretrained)}


def key(real: Real) -> str:
    """What it depends on besides the real data, for the keys of caches."""
    return f"dists {dists_at_hand() or ''}"
