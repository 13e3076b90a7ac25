"""How GANs of time series generate any number of steps, and what is exported of them."""

from typing import Any

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.game import GAN


def generate_steps(
    gan: GAN, n: int, condition: Batch, rng: torch.Generator, truncation: float, before: int = 0, network: nn.Module | None = None
) -> dict[str, Any]:
    """n series from `gan.generator`, which takes noise [n, before + steps, config.noise]; of `condition["steps"]` steps if given.

    `network` makes them instead of the averaged generator.
    """
    steps = int(condition["steps"][0]) if "steps" in condition else gan.spec.shape[0]
    noise = truncation * torch.randn(n, before + steps, gan.config.noise, generator=rng).to(gan.device)
    given = {key: value for key, value in condition.items() if key != "steps"}
    inputs = [noise, *(given[key].to(gan.device) for key in ("label",) if key in given)]
    return {gan.spec.key: (network or gan.players["generator"].averaged)(*inputs), **given}


def exportable_steps(gan: GAN, before: int = 0) -> tuple[nn.Module, dict[str, Tensor]]:
    """The averaged generator and example inputs for a batch of two of the training's length."""
    inputs = {"noise": torch.randn(2, before + gan.spec.shape[0], gan.config.noise)}
    if gan.spec.classes:
        inputs["label"] = torch.tensor([0, len(gan.spec.classes) - 1])
    elif gan.spec.attributes:
        inputs["label"] = torch.zeros(2, len(gan.spec.attributes))
    return gan.players["generator"].averaged, inputs
