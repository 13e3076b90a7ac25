"""How smoothly do images change along the generator's latent space (Karras et al. 2019, section 4.1)?

Two latents are drawn, and a point between them; the perceptual distance of the images there and one ten-thousandth further on is
divided by that step squared. Leaps between unlike images make the mean large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation.score import GROUPS, Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.features.classifier import Classifier, OnTheSpot
from gansmith.kinds.images.metrics.perceptual import pairs_at_once
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.perceptual_network import LPIPS, lpips_at_hand

if TYPE_CHECKING:
    from gansmith.data.dataset import Dataset
    from gansmith.model import Model

METRICS = {
    "ppl": (
        "lower",
        "perceptual path length: how far images move for a small step in the latent space; 0 where all are the same image",
    )
}
BASELINE = "cross-fade of training images"
STEP = 1e-4
CUT = 0.01
"""The share of the shortest and of the longest paths that the mean leaves out, as the paper's own measurements do."""
PATHS, TRIVIAL_PATHS = 1000, 200

Ends = Callable[[int], tuple[Tensor, Tensor]]
"""So many images [B, C, H, W] in [-1, 1] at random points of random paths, and the images one step further on."""


def measure(side: Side) -> dict[str, Measured]:
    """In LPIPS on VGG16 where its weights are at hand, else in the judge's own classifier: the space says which.

    On noise by the great circle, with the label fixed along a path. The baseline fades from one training image to another, which
    is as smooth in pixels as can be.
    """
    if side.data.codec.spec.task != "generation":
        raise NotApplicableError(
            "the perceptual path length walks through the noise that images are made from, and these have sources."
        )
    rng = torch.Generator().manual_seed(side.real.seed)
    if side.name == "baseline":
        ends, paths, device = cross_fade(side.real.train, rng), TRIVIAL_PATHS, torch.device("cpu")
    elif side.model is not None:
        ends, paths, device = along_latents(side.model, rng), PATHS, side.model.gan.device
    else:
        raise NotApplicableError(
            "the perceptual path length walks through a latent space, so it needs a model, not only examples."
        )
    network = distance_for(side.real, device)
    lengths = path_lengths(ends, network, min(paths, max(GROUPS, len(side.data))), pairs_at_once(side.data)).numpy()
    value, low, high = jackknife(lambda kept: trimmed_mean(lengths[kept]), len(lengths), side.real.seed, (0.0, np.inf))
    note = f"{lengths.mean():.4g} without leaving out the extremes"
    return {
        "ppl": Measured(value=value, low=low, high=high, samples=len(lengths), reference_samples=0, space=network.name, note=note)
    }


def key(real: Real) -> str:
    """What it depends on besides the real data and the judge's own space, for the keys of caches."""
    return lpips_at_hand("vgg") or ""


def distance_for(real: Real, device: torch.device) -> LPIPS | OnTheSpot:
    """The perceptual distance that is at hand; raises NotApplicableError if there is none."""
    if lpips_at_hand("vgg"):
        return LPIPS.pretrained("vgg").to(device)
    if isinstance(real.extractor, Classifier):
        return OnTheSpot(real.extractor)
    raise NotApplicableError(
        "the perceptual path length needs LPIPS, whose weights GANSMITH_VGG16 and GANSMITH_LPIPS_VGG should name, or the classifier "
        "trained on the spot."
    )


def path_lengths(ends: Ends, distance: Callable[[Tensor, Tensor], Tensor], count: int, at_once: int) -> Float[Tensor, " paths"]:
    """Squared speeds of `count` random paths: distances of the ends of short steps over the square of the step, float64."""
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        parts = [distance(*ends(min(at_once, count - start))) for start in range(0, count, at_once)]
    return torch.cat(parts).double() / STEP**2


def trimmed_mean(lengths: Float[np.ndarray, " paths"]) -> float:
    """The mean without what lies below the first or above the last hundredth."""
    low = np.quantile(lengths, CUT, method="lower")
    high = np.quantile(lengths, 1 - CUT, method="higher")
    return float(lengths[(low <= lengths) & (lengths <= high)].mean())


def along_latents(model: Model, rng: torch.Generator) -> Ends:
    """Paths between two draws of noise, one label each as frequent as in the data."""
    network, examples = model.gan.exportable()
    device = model.gan.device

    def ends(count: int) -> tuple[Tensor, Tensor]:
        place = torch.rand(count, 1, generator=rng, dtype=torch.float64)
        condition = model.codec.conditions(count, rng)
        inputs = {}
        for name, example in examples.items():
            if example.is_floating_point():
                shape = (2, count, example[0].numel())
                first, second = torch.randn(shape, generator=rng, dtype=torch.float64)
                both = torch.cat([slerp(first, second, place), slerp(first, second, place + STEP)])
                inputs[name] = both.view(-1, *example.shape[1:]).to(device, example.dtype)
            else:
                inputs[name] = condition[name].repeat(2).to(device)
        was_training = network.training
        network.eval()
        try:
            at, after = network(**inputs).float().chunk(2)
        finally:
            network.train(was_training)
        return at, after

    return ends


def cross_fade(data: Dataset, rng: torch.Generator) -> Ends:
    """Paths along straight lines from one image of the data to another."""
    spec = data.codec.spec

    def ends(count: int) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(data), (2, count), generator=rng).numpy()
        first, second = (data.batch(positions)[spec.key].float() for positions in chosen)
        place = torch.rand(count, 1, 1, 1, generator=rng)
        return first + (second - first) * place, first + (second - first) * (place + STEP)

    return ends


def slerp(
    first: Float[Tensor, "batch noise"], second: Float[Tensor, "batch noise"], place: Float[Tensor, "batch 1"]
) -> Float[Tensor, "batch noise"]:
    """The point `place` of the way from one latent to another: its direction along the great circle, its length in proportion.

    Networks that scale their noise to unit length, as StyleGAN's do, see the paper's path; those that do not, noise as long as
    that which they learned from.
    """
    lengths = first.norm(dim=1, keepdim=True), second.norm(dim=1, keepdim=True)
    a, b = first / lengths[0], second / lengths[1]
    angle = (a * b).sum(1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    curved = (((1 - place) * angle).sin() * a + (place * angle).sin() * b) / sine
    direction = torch.where(sine.abs() < 1e-6, (1 - place) * a + place * b, curved)
    return direction * torch.lerp(lengths[0], lengths[1], place)
