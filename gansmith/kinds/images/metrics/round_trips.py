"""Does an image come back from there and back again, and does one that is already of the other domain stay? (Zhu et al. 2017)"""

import numpy as np
import torch
from torch import Tensor

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.metrics.registry import NotApplicableError
from gansmith.tasks.translation import Styled, Translating

METRICS = {
    "cycle_l1": ("lower", "mean absolute difference of images and themselves after a translation there and back, of 1"),
    "identity_l1": ("lower", "mean absolute difference of images of the side that is made and their own translation, of 1"),
}
SAYS = "other"
MINIMUM = 2
MAXIMUM = 200
"""Images that are translated at most."""
AT_ONCE = 16


def measure(side: Side) -> dict[str, Measured]:
    """Of held-out images. A model of styles takes each image's own style."""
    model = side.model
    if model is None or model.inputs is None or not isinstance(model.gan, Translating) or len(model.gan.directions) < 2:
        raise NotApplicableError("round trips need a model that translates in both directions, such as cyclegan's or munit's.")
    if "b" not in model.gan.directions:
        raise NotApplicableError("round trips are measured between two sides, and this model knows several domains.")
    gan, data = model.gan, model.inputs
    rows = choose(len(data), MAXIMUM, side.real.seed)
    found: dict[str, list[Tensor]] = {name: [] for name in METRICS}
    with torch.inference_mode():
        for start in range(0, len(rows), AT_ONCE):
            batch = data.batch(rows[start : start + AT_ONCE])
            a, b = (batch[key].to(gan.device) for key in ("a", "b"))
            there = made(gan, a, b, "b")
            found["cycle_l1"].append(apart(made(gan, there, a, "a"), a))
            if a.shape[1] == b.shape[1]:
                found["identity_l1"].append(apart(made(gan, b, b, "b"), b))
    measured = {}
    for name, parts in found.items():
        if parts:
            values = torch.cat(parts).double().cpu().numpy()
            value, low, high = jackknife(
                lambda kept, own=values: float(own[kept].mean()), len(values), side.real.seed, (0.0, np.inf)
            )
            measured[name] = Measured(
                value=value, low=low, high=high, samples=len(values), reference_samples=len(values), space="pixels"
            )
    if "identity_l1" not in measured:
        raise NotApplicableError("identity needs as many channels on both sides.")
    return measured


def made(gan: Translating, image: Tensor, look: Tensor, makes: str) -> Tensor:
    """The image translated, in the style of `look` where there are styles."""
    network = gan.maker(makes)
    return network(image, gan.style_of(look, makes)) if isinstance(gan, Styled) else network(image)


def apart(first: Tensor, second: Tensor) -> Tensor:
    """The mean absolute difference of each pair of images, of 1."""
    return (first.float() - second.float()).abs().flatten(1).mean(1) / 2
