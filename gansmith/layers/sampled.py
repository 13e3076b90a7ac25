"""Images taken at places that a network names."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

FARTHEST = 1e4
"""Places further away, in halves of the image, are taken for these."""


def sampled(
    image: Float[Tensor, "batch channels height width"],
    places: Float[Tensor, "batch rows columns 2"],
    padding: Literal["zeros", "border", "reflection"] = "zeros",
) -> Float[Tensor, "batch channels rows columns"]:
    """The image at places (x, y) from -1 to 1, bilinearly, as torch's grid_sample, in float32.

    Where a place is no number, neither is the result. The derivative of grid_sample there writes to memory that is not its
    own: a training that diverges would end the process without a word.
    """
    image, places = image.float(), places.float()
    known = torch.nan_to_num(places, 0.0, FARTHEST, -FARTHEST).clamp(-FARTHEST, FARTHEST)
    return grid_sample(image, known, padding_mode=padding, align_corners=False) + 0 * places.sum(-1)[:, None]
