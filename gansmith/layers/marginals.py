"""Values brought to a known distribution by their ranks: a generator's own quantiles are measured and exchanged for the data's."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gansmith.layers.labels import Label


def places_among(columns: Float[Tensor, "columns rows"], steps: Float[Tensor, "columns grid"]) -> Int[Tensor, "columns rows"]:
    """How many of the ascending steps are below each value, but one at least and not the last."""
    counts = torch.compiler.is_exporting()  # ONNX has no search
    found = (steps[:, None] < columns[:, :, None]).sum(-1) if counts else torch.searchsorted(steps, columns)
    return found.clamp(1, steps.shape[1] - 1)


def exchanged(
    x: Float[Tensor, "batch steps channels"], found: Float[Tensor, "channels grid"], wanted: Float[Tensor, "channels grid"]
) -> Float[Tensor, "batch steps channels"]:
    """Values at these quantiles moved to those, linearly in between; beyond the extremes they become the extremes."""
    columns = x.flatten(0, 1).T.contiguous()
    right = places_among(columns, found)
    low, high = found.gather(1, right - 1), found.gather(1, right)
    share = ((columns - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    start, end = wanted.gather(1, right - 1), wanted.gather(1, right)
    return (start + share * (end - start)).T.unflatten(0, x.shape[:2])


class Matched(nn.Module):
    """A generator of series, and its values exchanged."""

    found: Tensor
    wanted: Tensor

    def __init__(self, network: nn.Module, found: Float[Tensor, "channels grid"], wanted: Float[Tensor, "channels grid"]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("found", found)
        self.register_buffer("wanted", wanted)

    def forward(
        self, noise: Float[Tensor, "batch steps noise"], label: Label | None = None
    ) -> Float[Tensor, "batch steps channels"]:
        return exchanged(self.network(noise, label), self.found, self.wanted)
