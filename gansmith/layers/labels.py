"""Labels as inputs of networks (Mirza & Osindero 2014: conditional GANs): a class, or several numbers (attributes)."""

from jaxtyping import Float, Int
from torch import Tensor, arange, cat, nn

from gansmith.data.spec import Spec

Label = Int[Tensor, " batch"] | Float[Tensor, "batch attributes"]
"""Classes as integers, or attributes as numbers."""


def one_hot(index: Int[Tensor, "*shape"], count: int) -> Float[Tensor, "*shape count"]:
    """1 at the index, 0 elsewhere; unlike torch's, it does not wait for a GPU to check the range."""
    return (index.unsqueeze(-1) == arange(count, device=index.device)).float()


def condition_of(label: Label, spec: Spec) -> Float[Tensor, "batch conditions"]:
    """The label as numbers: one-hot classes, or the attributes as they are."""
    return label if label.is_floating_point() else one_hot(label, spec.conditions)


def with_label(x: Float[Tensor, "batch *shape"], label: Label | None, spec: Spec) -> Float[Tensor, "batch *more"]:
    """x with its label appended as features [B, F + conditions] or constant planes [B, C + conditions, H, W]; x itself if None."""
    if label is None:
        return x
    condition = condition_of(label, spec).to(x.dtype)
    return cat([x, condition.view(*condition.shape, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])], dim=1)


def label_embedding(spec: Spec, width: int) -> nn.Embedding | nn.Linear | None:
    """A layer from labels to vectors [B, width]: learned ones for classes, linear ones of attributes; None without labels."""
    if spec.classes:
        return nn.Embedding(len(spec.classes), width)
    return nn.Linear(len(spec.attributes), width) if spec.attributes else None
