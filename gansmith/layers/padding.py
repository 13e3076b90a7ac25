"""Images of any size through networks that halve theirs: padded to a multiple, and cropped back."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


def padded(
    x: Float[Tensor, "batch channels height width"], multiple: int
) -> Float[Tensor, "batch channels padded_height padded_width"]:
    """x grown at its right and bottom to multiples of `multiple` by its own mirror image, or by its edge where it is too small."""
    height, width = x.shape[2:]
    right, bottom = -width % multiple, -height % multiple
    if not (right or bottom):
        return x
    mode = "reflect" if right < width and bottom < height else "replicate"
    return pad(x, (0, right, 0, bottom), mode=mode)
