"""How much of two registered images does one made of both hold? The measures of image fusion (Ma, Ma and Li 2019, a survey).

All are of brightness (ITU-R BT.601) from 0 to 255. Three judge the fused image alone: EN, SD and SF. Four compare it with both images that
went in: CC, MI, SSIM and Qabf (Xydeas and Petrovic 2000). None of them knows what a good fusion is: SD and SF grow with noise, MI and Qabf
with a copy of one side, so they are read together, beside the best of the mean, the brighter pixel and either image.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "entropy": ("higher", "EN: bits in the histogram of the brightness of fused images"),
    "deviation": ("higher", "SD: contrast, the standard deviation of the brightness of fused images, of 255"),
    "spatial_frequency": ("higher", "SF: root mean square of the steps between neighbouring pixels of fused images, of 255"),
    "fusion_correlation": ("higher", "CC: mean correlation of fused images with both images given"),
    "mutual_information": ("higher", "MI: bits that fused images share with one image given, plus those with the other"),
    "fusion_ssim": ("higher", "SSIM: mean structural similarity of fused images with both images given"),
    "qabf": ("higher", "Qabf: how much of the edges of both images given is in fused ones, from 0 to 1"),
}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the best of the mean, the brighter pixel and either image"
AT_ONCE = 32
LEVELS = 256
QABF = {"strength": (0.9994, -15.0, 0.5), "direction": (0.9879, -22.0, 0.8)}
"""Gamma, kappa and sigma of both sigmoids (Xydeas and Petrovic 2000)."""

Images = Float[Tensor, "batch height width"]
Numbers = Float[Tensor, " batch"]


def luma(image: Float[Tensor, "batch channels height width"]) -> Images:
    """Brightness from 0 to 255 of images from -1 to 1."""
    image = image.double().add(1).mul(127.5)
    if image.shape[1] not in (3, 4):
        return image.mean(1)
    return (image[:, :3] * torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64).view(1, 3, 1, 1)).sum(1)


def levels(image: Images) -> Int[Tensor, "batch pixels"]:
    """Rounded brightness, 0 to 255."""
    return image.round().clamp(0, LEVELS - 1).long().flatten(1)


def _bits(counts: Float[Tensor, "batch bins"]) -> Numbers:
    shares = counts / counts.sum(1, keepdim=True)
    return -(shares * shares.clamp_min(1e-300).log2()).sum(1)


def _histogram(places: Int[Tensor, "batch pixels"], bins: int) -> Float[Tensor, "batch bins"]:
    counts = torch.zeros(len(places), bins, dtype=torch.float64)
    return counts.scatter_add_(1, places, torch.ones_like(places, dtype=torch.float64))


def entropy(image: Images) -> Numbers:
    """EN: Shannon entropy in bits of the 256 levels."""
    return _bits(_histogram(levels(image), LEVELS))


def deviation(image: Images) -> Numbers:
    """SD: over all pixels of an image, not one less."""
    return image.flatten(1).std(1, correction=0)


def spatial_frequency(image: Images) -> Numbers:
    """SF: the root of the squared steps along rows and along columns, each summed and divided by the number of pixels."""
    pixels = image.shape[1] * image.shape[2]
    return ((image.diff(dim=2).square().sum((1, 2)) + image.diff(dim=1).square().sum((1, 2))) / pixels).sqrt()


def correlation(first: Images, second: Images) -> Numbers:
    """Pearson's, 0 where an image is flat."""
    a, b = (x.flatten(1) - x.flatten(1).mean(1, keepdim=True) for x in (first, second))
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp_min(1e-12)


def mutual_information(first: Images, second: Images) -> Numbers:
    """In bits, of the rounded levels."""
    a, b = levels(first), levels(second)
    together = _histogram(a * LEVELS + b, LEVELS**2)
    return _bits(_histogram(a, LEVELS)) + _bits(_histogram(b, LEVELS)) - _bits(together)


def _edges(image: Images) -> tuple[Images, Images]:
    """(strength, direction) of Sobel's operator at every pixel, the edge of the image repeated."""
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=torch.float64)
    kernels = torch.stack([kernel, kernel.T.flip(0)])[:, None]
    across, up = conv2d(pad(image[:, None], (1, 1, 1, 1), mode="replicate"), kernels).unbind(1)
    return (across.square() + up.square()).sqrt(), torch.where(across == 0, torch.pi / 2, (up / across).atan())


def qabf(a: Images, b: Images, fused: Images) -> Numbers:
    """Edges of a and b kept in the fused image, weighted by their strength (Xydeas and Petrovic 2000, L = 1)."""
    strength, direction = _edges(fused)
    total, weights = torch.zeros(len(fused), dtype=torch.float64), torch.zeros(len(fused), dtype=torch.float64)
    for given in (a, b):
        own_strength, own_direction = _edges(given)
        ratio = torch.minimum(strength, own_strength) / torch.maximum(strength, own_strength).clamp_min(1e-12)
        ratio = torch.where(strength == own_strength, 1.0, ratio)
        angle = 1 - (own_direction - direction).abs() / (torch.pi / 2)
        kept = _sigmoid(ratio, *QABF["strength"]) * _sigmoid(angle, *QABF["direction"])
        total += (kept * own_strength).sum((1, 2))
        weights += own_strength.sum((1, 2))
    return total / weights.clamp_min(1e-12)


def _sigmoid(x: Tensor, gamma: float, kappa: float, sigma: float) -> Tensor:
    return gamma / (1 + (kappa * (x - sigma)).exp())


def measures(a: Images, b: Images, fused: Images) -> dict[str, Numbers]:
    """All of them for images of brightness from 0 to 255."""
    unit_a, unit_b, unit = (x.float().div(255)[:, None] for x in (a, b, fused))
    return {
        "entropy": entropy(fused),
        "deviation": deviation(fused),
        "spatial_frequency": spatial_frequency(fused),
        "fusion_correlation": (correlation(a, fused) + correlation(b, fused)) / 2,
        "mutual_information": mutual_information(a, fused) + mutual_information(b, fused),
        "fusion_ssim": (ssim(unit_a, unit).double() + ssim(unit_b, unit).double()) / 2,
        "qabf": qabf(a, b, fused),
    }


RIVALS: dict[str, Callable[[Images, Images], Images]] = {
    "mean": lambda a, b: (a + b) / 2,
    "brighter pixel": torch.maximum,
    "a": lambda a, b: a,
    "b": lambda a, b: b,
}
"""Fusions that need no training."""


def each(data: Dataset, second: str, fuse: Callable[[Images, Images], Images] | None = None) -> dict[str, np.ndarray]:
    """Every measure of every example: of its fused image, or of what `fuse` makes of both given. `second` is the key of b's image."""
    found: dict[str, list[Tensor]] = {name: [] for name in METRICS}
    for start in range(0, len(data), AT_ONCE):
        batch = data.batch(slice(start, start + AT_ONCE))
        a, b = luma(batch["a"]), luma(batch[second])
        for name, values in measures(a, b, fuse(a, b) if fuse else luma(batch[data.codec.spec.key])).items():
            found[name].append(values)
    return {name: torch.cat(values).numpy() for name, values in found.items()}


def key(real: Real) -> str:
    """The baseline depends on the data alone."""
    return "fusion"


def measure(side: Side) -> dict[str, Measured]:
    """Of the mean over images, with its interval; the baseline is the best of what needs no training, by each measure."""
    spec = side.real.train.codec.spec
    if not spec.source_shape or not spec.aligned or spec.source_shape[1:] != spec.shape[1:]:
        raise NotApplicableError(f"fusion needs two images of one scene and size, and {side.real.train.name} has no such pairs.")
    if side.name == "baseline":
        rivals = [each(side.real.held_out, spec.key, fuse) for fuse in RIVALS.values()]
        values = {name: max((own[name] for own in rivals), key=lambda own: float(own.mean())) for name in METRICS}
    elif "target" in side.data.arrays:
        values = each(side.data, "target")
    else:
        raise NotApplicableError("nothing real is a fusion of both images.")
    measured = {}
    for name, numbers in values.items():
        value, low, high = jackknife(lambda kept, own=numbers: float(own[kept].mean()), len(numbers), side.real.seed)
        measured[name] = Measured(
            value=value, low=low, high=high, samples=len(numbers), reference_samples=len(numbers), space="pixels"
        )
    return measured
