"""Games whose models turn examples into codes and back: what `gansmith edit` needs to walk between examples and to change them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.layers.labels import Label


@runtime_checkable
class Codes(Protocol):
    """A GAN with an encoder and a decoder of examples."""

    def encode(self, batch: Batch) -> Tensor:
        """The codes of examples [n, D]."""
        ...

    def decode(self, codes: Tensor, condition: Batch) -> Batch:
        """The examples that codes stand for."""
        ...

    def coded(self, noise: Tensor, condition: Batch) -> Tensor:
        """The codes [n, D] that noise becomes."""
        ...

    def nearest(self, codes: Tensor) -> Tensor:
        """The class [n] that codes are nearest to, where there are classes."""
        ...

    def moved(self, codes: Tensor, wanted: Label, strength: float) -> Tensor:
        """Codes moved towards a class, further by a greater strength."""
        ...
