"""Multi-scale structural similarity (Wang et al. 2003) of pairs of generated images, a measure of diversity (Odena et al. 2017)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side

METRICS = {
    "ms_ssim": (
        "lower",
        "mean structural similarity of random pairs: 1 if all images are one, lower is more diverse as the ceiling",
    )
}
SAYS = "diversity"

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
STABILISERS = (0.01**2, 0.03**2)
"""C1 and C2 for values from 0 to 1 (Wang et al. 2004)."""
PAIRS = 1000
PIXELS = 2**25
"""Pixels compared: fewer pairs of large images."""
READ = 2**20
"""Pixels of the pairs compared at a time."""


def scales_of(height: int, width: int) -> int:
    """Scales at which the window fits into images of this size, at least one."""
    side = min(height, width)
    return max(1, sum(side // 2**scale >= WINDOW for scale in range(len(WEIGHTS))))


def ms_ssim(
    a: Float[Tensor, "batch channels height width"], b: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, " batch"]:
    """The similarity of pairs of images with values from 0 to 1, averaged over the channels: 1 for equal ones, at least 0.

    Five scales as in the paper (section 3), fewer for images with a side below 176, whose weights then sum to 1. The window shrinks
    to images with a side below 11. Negative similarities of structure count as 0, as powers of them have no meaning.
    """
    weights = torch.tensor(WEIGHTS[: scales_of(a.shape[2], a.shape[3])])
    weights /= weights.sum()
    product = torch.ones(a.shape[:2])
    for weight in weights[:-1]:
        product *= _similarity(a, b)[1].mean((2, 3)).clamp(min=0) ** weight
        a, b = avg_pool2d(a, 2), avg_pool2d(b, 2)
    luminance, structure = _similarity(a, b)
    return (product * (luminance * structure).mean((2, 3)).clamp(min=0) ** weights[-1]).mean(1)


def ssim(
    a: Float[Tensor, "batch channels height width"], b: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, " batch"]:
    """The structural similarity at one scale (Wang et al. 2004) of images from 0 to 1, averaged over places and channels."""
    luminance, structure = _similarity(a, b)
    return (luminance * structure).mean((1, 2, 3))


def _similarity(
    a: Float[Tensor, "batch channels height width"], b: Float[Tensor, "batch channels height width"]
) -> tuple[Float[Tensor, "batch channels h w"], Float[Tensor, "batch channels h w"]]:
    """(luminance, contrast times structure) at every place of the window that lies inside the image."""
    rows, columns = (_windows(length, min(WINDOW, *a.shape[2:])) for length in a.shape[2:])
    mean_a, mean_b, square_a, square_b, across = (rows @ each @ columns.T for each in (a, b, a * a, b * b, a * b))
    c1, c2 = STABILISERS
    luminance = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    variances = square_a - mean_a.square() + square_b - mean_b.square()
    return luminance, (2 * (across - mean_a * mean_b) + c2) / (variances + c2)


def _windows(length: int, size: int) -> Float[Tensor, "places length"]:
    """The Gaussian window at every place as a row, so that filtering is a matrix product, in which processors are fastest."""
    taps = torch.exp(-0.5 * ((torch.arange(size) - (size - 1) / 2) / (SIGMA * size / WINDOW)).square())
    matrix = torch.zeros(length - size + 1, length)
    for place, row in enumerate(matrix):
        row[place : place + size] = taps / taps.sum()
    return matrix


def measure(side: Side) -> dict[str, Measured]:
    """Disjoint random pairs of generated images, so that the interval is Student's, of a mean of independent numbers."""
    from scipy.special import stdtrit

    spec = side.data.codec.spec
    _, height, width = spec.shape
    count = min(len(side.data) // 2, PAIRS, max(100, PIXELS // (height * width)))
    dealt = np.random.default_rng(side.real.seed).permutation(len(side.data))[: 2 * count].reshape(2, count)
    step = max(1, READ // (height * width))
    pieces = []
    for start in range(0, count, step):
        a, b = (side.data.batch(order[start : start + step])[spec.key].float().add(1).div(2) for order in dealt)
        pieces.append(ms_ssim(a, b))
    each = torch.cat(pieces).double().numpy()
    value, spread = float(each.mean()), float(stdtrit(count - 1, 0.975) * each.std(ddof=1) / count**0.5)
    scales = scales_of(height, width)
    return {
        "ms_ssim": Measured(
            value=value,
            low=max(0.0, value - spread),
            high=min(1.0, value + spread),
            samples=2 * count,
            reference_samples=0,
            space="pixels",
            note=f"{count} pairs, {scales} scale{'s' if scales > 1 else ''}",
        )
    }
