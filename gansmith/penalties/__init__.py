"""Gradient penalties: pure functions of a critic and its input, for float32 and for bfloat16 autocast.

All rest on `with_gradient_norm`. The critic may run in bfloat16; its input, the gradient with respect to it and every sum are
float32 (float64 for input of that type), so a penalty neither overflows nor loses small gradients.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.penalties.forms import Critic, chosen, compiled_with, obstacle
from gansmith.training.seeds import uniform_rows

__all__ = ["Critic", "compiled_with", "gradient_penalty", "obstacle", "r1", "r2", "with_gradient_norm", "zero_centred"]


def with_gradient_norm(
    critic: Critic, x: Float[Tensor, "batch *shape"]
) -> tuple[Float[Tensor, "batch *logits"], Float[Tensor, " batch"]]:
    """The critic's logits for x and the squared norm of the gradient of each example's logit with respect to the example.

    Both are differentiable once with respect to the critic's weights; the logits also with respect to x, if x has a history.
    Which of three exact forms is used follows from the critic (`obstacle` says what hinders the quickest).
    """
    return chosen(critic, x if x.dtype == torch.float64 else x.float())


def zero_centred(squared_norm: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """Half the mean squared gradient norm: R1 on real data, R2 on generated data (Mescheder et al. 2018, equations 9 and 10)."""
    return squared_norm.mean() / 2


def r1(critic: Critic, real: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """R1 (Mescheder et al. 2018, equation 9): the zero-centred penalty on real data; to be weighted by gamma."""
    return zero_centred(with_gradient_norm(critic, real)[1])


def r2(critic: Critic, fake: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """R2 (Mescheder et al. 2018, equation 10): the zero-centred penalty on generated data, taken as constant."""
    return zero_centred(with_gradient_norm(critic, fake.detach())[1])


def gradient_penalty(
    critic: Critic, real: Float[Tensor, "batch *shape"], fake: Float[Tensor, "batch *shape"]
) -> Float[Tensor, ""]:
    """WGAN-GP (Gulrajani et al. 2017, equation 3): unit gradient norm at random points between real and generated examples."""
    share = uniform_rows(len(real), *[1] * (real.dim() - 1), device=real.device)
    between = torch.lerp(fake.detach().float(), real.float(), share)
    _, squared_norm = with_gradient_norm(critic, between)
    return (squared_norm.clamp_min(1e-24).sqrt() - 1).square().mean()  # the clamp keeps the root's slope finite at 0
