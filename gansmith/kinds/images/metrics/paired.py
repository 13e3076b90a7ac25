"""The distance of generated images from the real ones that belong there, by any network that compares two images."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.metrics.registry import NotApplicableError

NUMBERS = 2**18
"""Pixels of pairs compared at a time, so that memory stays flat."""


def partner_distance(side: Side, network: Callable[[], Any]) -> Measured:
    """The mean over images, with its interval; that of the baseline is the smallest of what needs no training.

    `network` makes a module of two batches of images to distances [batch] with a `name`; it is asked for where it is needed. Raises
    NotApplicableError where nothing belongs to what is generated.
    """
    spec = side.real.train.codec.spec
    if not spec.source_shape or not spec.aligned:
        raise NotApplicableError(
            f"this compares images with the real ones that belong there, and {side.real.train.name} has no such pairs."
        )
    if side.name == "held-out" or (side.name != "baseline" and "target" not in side.data.arrays):
        raise NotApplicableError("real images are equal to themselves.")
    judge = network()
    if side.name == "baseline":
        rivals = [distances(made, side.real.held_out, judge) for made in trivial(side.real.train, side.real.held_out).values()]
        values = min(rivals, key=lambda own: float(own.mean()))
    else:
        values = distances(side.data, side.data, judge)
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed, (0.0, np.inf))
    return Measured(value=value, low=low, high=high, samples=len(values), reference_samples=len(values), space=judge.name)


@torch.inference_mode()
def distances(made: Dataset, real: Dataset, network: Callable[[Tensor, Tensor], Tensor]) -> Float[np.ndarray, " images"]:
    """Of every image of `made` from `real`'s at the same position under "target", or else the example's own."""
    height, width = made.codec.spec.shape[1:]
    at_once, found = max(1, min(64, NUMBERS // (height * width))), []
    with torch.autocast("cpu", enabled=False):
        for start in range(0, len(made), at_once):
            first, second = (data.batch(slice(start, start + at_once)) for data in (made, real))
            partner = second.get("target", second[real.codec.spec.key])
            found.append(network(first[made.codec.spec.key].float(), partner.float()).double())
    return torch.cat(found).numpy()
