"""Mode seeking: different noise should make different examples (Mao et al. 2019, "Mode seeking GANs")."""

from jaxtyping import Float
from torch import Tensor

SMALLEST = 1e-5
"""Added to the ratio, so that equal examples give a large but finite term."""


def mode_seeking(
    first: Float[Tensor, "batch *shape"],
    second: Float[Tensor, "batch *shape"],
    first_noise: Float[Tensor, "batch noise"],
    second_noise: Float[Tensor, "batch noise"],
) -> Float[Tensor, ""]:
    """The inverse of equation 2: mean distance of the noises over mean distance of the examples made from them.

    Distances are mean absolute differences over the batch, as in the authors' experiments. To be minimised by the generator.
    """
    examples = (first.float() - second.float()).abs().mean()
    noises = (first_noise.float() - second_noise.float()).abs().mean()
    return 1 / (examples / noises + SMALLEST)
