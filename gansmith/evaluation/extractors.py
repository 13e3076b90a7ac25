"""Feature spaces in which examples are compared."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError


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


def extractor_for(train: Dataset, seed: int, folder: Path, wish: Any = None, device: str | torch.device = "cpu") -> Extractor:
    """The space in which this data is judged: the one wished for, else a classifier trained on the spot for images and the raw
    coordinates for points, plain statistics for series. Raises UserError for a wish that cannot be met.
    """
    if wish is not None and wish != "classifier":
        from gansmith.kinds.images.features.requested import find_extractor

        return find_extractor(wish, device)
    if train.codec.spec.of_images:
        from gansmith.kinds.images.features.classifier import Classifier

        return Classifier.trained_on(train, seed, folder)
    if wish == "classifier":
        raise UserError(f"a classifier judges images, but {train.name} holds {train.codec.spec.kind}: leave out --features.")
    if train.codec.spec.kind == "series":
        from gansmith.kinds.series.features import SeriesFeatures

        return SeriesFeatures(train)
    from gansmith.evaluation.identity import Identity

    return Identity()
