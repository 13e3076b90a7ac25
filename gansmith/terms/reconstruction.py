"""How far a reconstruction is from the image: in values and in structure, with no network to fetch."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

WINDOW = 7
STABILISERS = (0.01**2 * 4, 0.03**2 * 4)
"""C1 and C2 of Wang et al. 2004 for values from -1 to 1."""


def reconstruction(made: Float[Tensor, "batch channels h w"], image: Float[Tensor, "batch channels h w"]) -> Float[Tensor, ""]:
    """The mean absolute difference plus half of one minus the mean structural similarity (0 for equal images)."""
    made, image = made.float(), image.float()
    return (made - image).abs().mean() + (1 - structural_similarity(made, image)) / 2


def structural_similarity(a: Float[Tensor, "batch channels h w"], b: Float[Tensor, "batch channels h w"]) -> Float[Tensor, ""]:
    """SSIM (Wang et al. 2004, equation 13) of images from -1 to 1, with a square window of 7 pixels, smaller for smaller images."""
    size = min(WINDOW, *a.shape[2:])
    mean_a, mean_b, square_a, square_b, product = (avg_pool2d(x, size, stride=1) for x in (a, b, a * a, b * b, a * b))
    covariance = product - mean_a * mean_b
    variances = square_a - mean_a.square() + square_b - mean_b.square()
    c1, c2 = STABILISERS
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (similarity / ((mean_a.square() + mean_b.square() + c1) * (variances + c2))).mean()
