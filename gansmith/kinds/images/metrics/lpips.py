"""How different are generated images from each other, in LPIPS (Zhang et al. 2018, The unreasonable effectiveness of deep features)?"""

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.perceptual import diversity
from gansmith.networks.pretrained.perceptual_network import LPIPS, Net, lpips_at_hand

METRICS = {
    "lpips": ("higher", "mean LPIPS of random pairs of generated images: 0 for one image over and over; noise scores high too")
}
SAYS = "diversity"
NET: Net = "alex"
"""What the papers that report LPIPS diversity use."""


def measure(side: Side) -> dict[str, Measured]:
    """On AlexNet, version 0.1; raises UserError where its weights are not here and cannot be fetched."""
    network = LPIPS.pretrained(NET)
    return {"lpips": diversity(side, network, network.name)}


def key(real: Real) -> str:
    """What it depends on besides the real data, for the keys of caches."""
    return lpips_at_hand(NET) or ""
