"""Labels as inputs of networks (Mirza & Osindero 2014: conditional GANs): a class, or several numbers (attributes).

A number that enters a network as one number can hardly decide anything that changes within a small part of its range, such as which of 49
pitches a note has. So it also enters as hat functions on evenly spaced knots (piecewise linear encoding, Gorishniy et al. 2022), on as many
as the number has steps, and on a quarter and a sixteenth as many, from which neighbours learn together.
"""

from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor, arange, cat, nn

from gansmith.data.spec import Spec, levels_of

Label = Int[Tensor, " batch"] | Float[Tensor, "batch attributes"]
"""Classes as integers, or attributes as numbers."""


def one_hot(index: Int[Tensor, "*shape"], count: int) -> Float[Tensor, "*shape count"]:
    """1 at the index, 0 elsewhere; unlike torch's, it does not wait for a GPU to check the range."""
    return (index.unsqueeze(-1) == arange(count, device=index.device)).float()


def condition_of(label: Label, spec: Spec) -> Float[Tensor, "batch label_width"]:
    """The label as networks take it in: one-hot classes, or attributes and their hats, in float32."""
    if not label.is_floating_point():
        return one_hot(label, spec.conditions)
    return with_hats(label.float(), spec.steps) if spec.steps else label


def with_hats(label: Float[Tensor, "batch attributes"], steps: tuple[int, ...]) -> Float[Tensor, "batch label_width"]:
    """Attributes from -1 to 1, each of so many steps, and their hat functions: 1 at a knot and 0 at its neighbours, linear between."""
    places, knots, slopes = (part.to(label.device) for part in _hats(steps))
    return cat([label, (1 - (label[:, places] - knots).abs() * slopes).relu()], 1)


@cache
def _hats(steps: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """(attribute, knot, slope) of every hat."""
    levels = [(place, count) for place, own in enumerate(steps) for count in levels_of(own)]
    with torch.inference_mode(False):
        places = [torch.full((count + 1,), place) for place, count in levels]
        knots = [torch.linspace(-1, 1, count + 1) for _, count in levels]
        slopes = [torch.full((count + 1,), count / 2) for _, count in levels]
        none = [torch.zeros(0)]
        return cat([torch.zeros(0, dtype=torch.long), *places]), cat(none + knots), cat(none + slopes)


def with_label(x: Float[Tensor, "batch *shape"], label: Label | None, spec: Spec) -> Float[Tensor, "batch *more"]:
    """x with its label appended as features [B, F + label_width], or as constant planes [B, C + conditions, H, W], to which attributes go
    without their hats; x itself if None."""
    if label is None:
        return x
    condition = (label if label.is_floating_point() and x.dim() > 2 else condition_of(label, spec)).to(x.dtype)
    return cat([x, condition.view(*condition.shape, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])], dim=1)


def label_embedding(spec: Spec, width: int) -> nn.Embedding | nn.Linear | None:
    """A layer from labels to vectors [B, width]: learned ones for classes, linear ones of attributes; None without labels."""
    if spec.classes:
        return nn.Embedding(len(spec.classes), width)
    return OfAttributes(spec, width) if spec.attributes else None


class OfAttributes(nn.Linear):
    """A linear map of attributes and their hats."""

    def __init__(self, spec: Spec, width: int) -> None:
        super().__init__(spec.label_width, width)
        self.spec = spec

    def forward(self, label: Float[Tensor, "batch attributes"]) -> Float[Tensor, "batch width"]:
        return super().forward(condition_of(label, self.spec).to(self.weight.dtype))
