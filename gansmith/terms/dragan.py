"""DRAGAN's penalty: a critic with unit slope around real data (Kodali et al. 2017, "On convergence and stability of GANs")."""

from jaxtyping import Float
from torch import Tensor

from gansmith.penalties import Critic, with_gradient_norm
from gansmith.training.seeds import uniform_rows


def perturbed(real: Float[Tensor, "batch *shape"], scale: float = 0.5) -> Float[Tensor, "batch *shape"]:
    """Real examples moved by uniform noise in [0, scale x deviation), the deviation being that of each example's numbers.

    The paper's text has normal noise; this is the noise of the authors' experiments, with the deviation taken over the example
    instead of the batch, so that the perturbation of one example does not depend on its neighbours.
    """
    deviation = real.flatten(1).std(1).view(-1, *[1] * (real.dim() - 1))
    return real + scale * deviation * uniform_rows(*real.shape, device=real.device)


def dragan_penalty(critic: Critic, real: Float[Tensor, "batch *shape"], scale: float = 0.5) -> Float[Tensor, ""]:
    """The mean of (gradient norm - 1)^2 at perturbed real examples (algorithm 1, k = 1); the paper's weight is 10."""
    _, squared_norm = with_gradient_norm(critic, perturbed(real, scale))
    return (squared_norm.clamp_min(1e-24).sqrt() - 1).square().mean()  # the clamp keeps the root's slope finite at 0
