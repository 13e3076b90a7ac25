"""Feature spaces in which examples are compared."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith import kinds
from gansmith.data.dataset import Dataset


@runtime_checkable
class Extractor(Protocol):
    """Turns examples into features whose distances mean something."""

    @property
    def name(self) -> str:
        """Written into every score measured in this space: "digits-cnn", "raw"."""
        ...

    @property
    def key(self) -> str:
        """What its features depend on, for the keys of caches."""
        ...

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        """The features of all examples, in float32 or float64."""
        ...


def extractor_for(train: Dataset, seed: int, folder: Path, asked: Any = None, device: str | torch.device = "cpu") -> Extractor:
    """The space in which this data is judged: the one that was asked for, else the usual one of its kind.

    Raises UserError if there is no such space for this kind of data.
    """
    kind = kinds.find(train.codec.spec.kind)
    return kind.features(train, seed, folder) if asked is None else kind.find_features(asked, train, seed, folder, device)
