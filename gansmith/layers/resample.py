"""Resampling by a factor of two with the triangle filter [1, 2, 1], without depthwise convolutions, which are slow on CPUs."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad


def downsample(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels half_height half_width"]:
    """Smooths by [1, 2, 1] / 4 in both directions and keeps every second pixel; zeros outside.

    [1, 2, 1] is [1, 1] twice: an overlapping mean of two pixels, then a mean of two with stride two.
    """
    overlapping = avg_pool2d(pad(x, (1, 0, 1, 0)), 2, stride=1)
    return avg_pool2d(overlapping, 2)


def upsample(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels double_height double_width"]:
    """Inserts a pixel after each one and smooths by [1, 2, 1] / 2: the adjoint of `downsample` times four; zeros outside.

    Repeating each pixel is the filter [1, 1]; the overlapping mean of two adds the second [1, 1].
    """
    return avg_pool2d(pad(interpolate(x, scale_factor=2, mode="nearest"), (0, 1, 0, 1)), 2, stride=1)
