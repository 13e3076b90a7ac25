"""LPIPS of generated images from the real ones that belong there (Zhang et al. 2018), as papers on translation and enhancement have it."""

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.paired import partner_distance
from gansmith.networks.pretrained.perceptual_network import LPIPS, lpips_at_hand

METRICS = {"lpips_pairs": ("lower", "LPIPS of generated images from the real ones that belong there, on AlexNet: 0 if equal")}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the best of the input, the mean image and a colour lookup"


def measure(side: Side) -> dict[str, Measured]:
    """Raises UserError where the weights are not here and cannot be fetched."""
    return {"lpips_pairs": partner_distance(side, lambda: LPIPS.pretrained("alex"))}


def key(real: Real) -> str:
    """What it depends on besides the real data, for the keys of caches."""
    return f"lpips_pairs {lpips_at_hand('alex') or ''}"
