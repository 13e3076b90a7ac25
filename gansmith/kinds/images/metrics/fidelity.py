"""How near is a generated image to the real one that belongs there? Peak signal to noise, structural similarity, mean distance.

Values from 0 to 1, whole images, no border cut off. SSIM is that of Wang et al. 2004 (section III.B): a Gaussian window of 11 x 11 with
deviation 1.5, averaged over the channels and the places where the window lies inside the image.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "psnr": ("higher", "peak signal to noise of generated images against the real ones that belong there, in decibels"),
    "psnr_y": ("higher", "the same of brightness alone, as papers on super-resolution have it"),
    "ssim": ("higher", "structural similarity of generated images and the real ones that belong there: 1 if equal"),
    "ssim_y": ("higher", "the same of brightness alone"),
    "l1": ("lower", "mean absolute difference of generated images and the real ones that belong there, of 1"),
}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the best of the input, the mean image and a colour lookup"
AT_ONCE = 64
ROUNDING = 1 / (12 * 255**2)
"""The mean squared error of rounding to 8 bits: below it images are equal, and a few equal ones do not rule the mean."""


def psnr(made: Float[Tensor, "batch c h w"], real: Float[Tensor, "batch c h w"]) -> Float[Tensor, " batch"]:
    """Peak signal to noise in decibels of images from 0 to 1; equal ones have 58.92, that of rounding to 8 bits, not infinity."""
    return -10 * (made - real).square().flatten(1).mean(1).clamp_min(ROUNDING).log10()


def brightness(image: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch 1 h w"]:
    """Y of ITU-R BT.601 in its 8-bit range 16 to 235, as Matlab's rgb2ycbcr and papers on super-resolution have it; gray stays."""
    if image.shape[1] < 3:
        return image[:, :1]
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=image.dtype).view(1, 3, 1, 1)
    return ((image[:, :3] * weights).sum(1, keepdim=True) + 16) / 255


def each(made: Dataset, real: Dataset) -> dict[str, np.ndarray]:
    """All measures of every image of `made` against `real`'s images at the same positions under "target", or else the example's own."""
    found: dict[str, list[Tensor]] = {name: [] for name in METRICS}
    for start in range(0, len(made), AT_ONCE):
        first, second = (data.batch(slice(start, start + AT_ONCE)) for data in (made, real))
        a = first[made.codec.spec.key].double().add(1).div(2)
        b = second.get("target", second[real.codec.spec.key]).double().add(1).div(2)
        for name, values in {
            "psnr": psnr(a, b),
            "psnr_y": psnr(brightness(a), brightness(b)),
            "ssim": ssim(a.float(), b.float()),
            "ssim_y": ssim(brightness(a).float(), brightness(b).float()),
            "l1": (a - b).abs().flatten(1).mean(1),
        }.items():
            found[name].append(values.double())
    return {name: torch.cat(values).numpy() for name, values in found.items()}


def _best(train: Dataset, held_out: Dataset) -> dict[str, np.ndarray]:
    """By every measure, the values of the trivial translation that is best by it."""
    found = [each(made, held_out) for made in trivial(train, held_out).values()]
    signs = {name: 1 if better == "higher" else -1 for name, (better, _) in METRICS.items()}
    return {
        name: max((values[name] for values in found), key=lambda own: sign * float(own.mean())) for name, sign in signs.items()
    }


def key(real: Real) -> str:
    """The baseline depends on the data alone."""
    return "fidelity"


def measure(side: Side) -> dict[str, Measured]:
    """Of the mean over images, with its interval; the baseline is the best of what needs no training."""
    spec = side.real.train.codec.spec
    if not spec.source_shape or not spec.aligned:
        raise NotApplicableError(
            f"fidelity needs images with the real ones that belong there, and {side.real.train.name} has no such pairs."
        )
    if side.name == "held-out" or (side.name != "baseline" and "target" not in side.data.arrays):
        raise NotApplicableError("real images are equal to themselves.")
    values = _best(side.real.train, side.real.held_out) if side.name == "baseline" else each(side.data, side.data)
    bounds = {"l1": (0.0, 1.0), "ssim": (-1.0, 1.0), "ssim_y": (-1.0, 1.0)}
    measured = {}
    for name, numbers in values.items():
        value, low, high = jackknife(
            lambda kept, own=numbers: float(own[kept].mean()), len(numbers), side.real.seed, bounds.get(name, (-np.inf, np.inf))
        )
        measured[name] = Measured(
            value=value, low=low, high=high, samples=len(numbers), reference_samples=len(numbers), space="pixels"
        )
    return measured
