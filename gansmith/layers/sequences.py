"""Labels at every step of a series."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.spec import Spec
from gansmith.layers.labels import Label, condition_of


def at_every_step(x: Float[Tensor, "batch steps features"], label: Label | None, spec: Spec) -> Float[Tensor, "batch steps more"]:
    """x with its label appended at every step; x itself if None."""
    if label is None:
        return x
    condition = condition_of(label, spec).to(x.dtype)
    return torch.cat([x, condition[:, None, :].expand(-1, x.shape[1], -1)], dim=2)
