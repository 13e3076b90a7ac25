"""A perceptual term: how differently a trained network answers to two images (Johnson et al. 2016; on VGG-19 in SRGAN and ESRGAN)."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from gansmith.layers.frozen import FrozenFeatures


def feature_distance(
    network: FrozenFeatures,
    made: Float[Tensor, "batch channels height width"],
    real: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, ""]:
    """The mean over levels of the squared distance of their maps, scaled to unit length at every place (Zhang et al. 2018, equation 1).

    Gradients flow to `made` alone.
    """
    differences = [
        (normalize(one.float(), dim=1) - normalize(other.float(), dim=1).detach()).square().sum(1).mean()
        for one, other in zip(network(made), network(real), strict=True)
    ]
    return sum(differences[1:], differences[0]) / len(differences)
