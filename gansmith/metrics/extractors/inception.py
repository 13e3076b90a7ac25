"""The Inception-v3 of the Frechet inception distance as a feature space (Heusel et al. 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset


@dataclass(frozen=True, eq=False, kw_only=True)
class Inception:
    """The network with a way to resize and to compute."""

    name: str
    """inception-v3-clean, inception-v3-tensorflow, inception-v3-pytorch; with -fast behind it in the fast mode."""
    key: str
    wanted: Sequence[str] = ("features",)

    def outputs(self, data: Dataset) -> dict[str, Float[Tensor, "batch features"]]:
        """The outputs in `wanted` for all examples in float32: "features" [n, 2048], "spatial" [n, 2023]."""
        raise NotImplementedError

    def features(self, data: Dataset) -> Float[Tensor, "batch 2048"]:
        return self.outputs(data)["features"]

    def logits(self, features: Float[Tensor, "batch 2048"]) -> Float[Tensor, "batch 1008"]:
        """The class logits of these features, without their bias as in the original (`Salimans et al. 2016`)."""
        raise NotImplementedError
