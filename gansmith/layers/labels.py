"""Class labels as inputs of networks (Mirza & Osindero 2014: conditional GANs)."""

from jaxtyping import Float, Int
from torch import Tensor, cat
from torch.nn.functional import one_hot


def with_label(
    x: Float[Tensor, "batch *shape"], label: Int[Tensor, " batch"] | None, classes: int
) -> Float[Tensor, "batch *more"]:
    """x with its label appended as one-hot features [B, F + classes] or constant planes [B, C + classes, H, W]; x itself if None."""
    if label is None:
        return x
    hot = one_hot(label, classes).to(x.dtype)
    return cat([x, hot.view(*hot.shape, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])], dim=1)
