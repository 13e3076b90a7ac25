"""Adaptive pseudo augmentation: some generated examples pass for real ones (Jiang et al. 2021, "Deceive D")."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.training.seeds import uniform_rows


def deceive(real: Float[Tensor, "batch *shape"], fake: Float[Tensor, "batch *shape"], p: Tensor) -> Float[Tensor, "batch *shape"]:
    """The real examples, each replaced with probability p by the generated one of its row (which has its label)."""
    replaced = uniform_rows(len(real), device=real.device) < p
    return torch.where(replaced.view(-1, *[1] * (real.dim() - 1)), fake.detach().to(real.dtype), real)
