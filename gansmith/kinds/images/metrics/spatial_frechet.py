"""The spatial Frechet inception distance, which sees where things are (Nash et al. 2021, section 4.2; Dhariwal & Nichol 2021)."""

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics.frechet_inception_distance import measured

METRICS = {"sfid": ("lower", "Frechet distance of spatial features of Inception-v3, which sees how images are composed")}
SAYS = "both"
INCEPTION = ("features", "spatial")


def measure(side: Side) -> dict[str, Measured]:
    """In the first seven channels of the 17x17 maps of block 6d, as OpenAI's evaluation of guided diffusion takes them."""
    return {"sfid": measured(side, "spatial")}
