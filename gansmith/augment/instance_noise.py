"""Instance noise: normal noise on real and generated examples alike (Sonderby et al. 2017; Arjovsky & Bottou 2017)."""

from jaxtyping import Float
from torch import Tensor

from gansmith.training.seeds import normal_rows


def instance_noise(examples: Float[Tensor, "batch *shape"], deviation: float) -> Float[Tensor, "batch *shape"]:
    """The examples with normal noise of this deviation; the papers let it fall to 0 over the training."""
    if deviation == 0:
        return examples
    return examples + deviation * normal_rows(*examples.shape, device=examples.device)
