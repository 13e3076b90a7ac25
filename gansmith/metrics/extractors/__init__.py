"""Feature spaces in which examples are compared."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

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


def extractor_for(train: Dataset, seed: int, folder: Path) -> Extractor:
    """The space that this kind of data is judged in: a classifier trained on the spot for images, else the raw coordinates."""
    if train.codec.spec.kind == "images":
        from gansmith.metrics.extractors.classifier import Classifier

        return Classifier.trained_on(train, seed, folder)
    from gansmith.metrics.extractors.identity import Identity

    return Identity()
