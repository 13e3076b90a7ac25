"""The codec: raw examples to tensors and back, with its fitted facts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gansmith.data.spec import Spec

Batch = Mapping[str, Tensor]
"""Tensors of one batch under the codec's keys, the batch always being the first dimension."""

Raw = TypeVar("Raw")


@runtime_checkable
class Codec(Protocol[Raw]):
    """Turns raw examples into tensors and back: `decode(encode(x)) ~ x`.

    Every module of `gansmith.data` that holds a kind of data (images.py, points.py, ...) has a class of this shape named
    `Codec`. It is saved as JSON in every checkpoint and model, so that a model generates with no data at hand.
    """

    @property
    def spec(self) -> Spec: ...

    @property
    def previewed(self) -> int:
        """How many examples a preview shows."""
        ...

    def pack(self, raw: Raw) -> dict[str, np.ndarray]:
        """One raw example in its compact form, the one that is cached and memory-mapped (images: uint8 [C, H, W])."""
        ...

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        """A batch of packed examples [N, ...] as float tensors (images: [N, C, H, W] in [-1, 1]).

        "label" is int64 [N] of classes or float32 [N, K] of attributes.
        """
        ...

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        """A batch of tensors, generated ones included, in the packed form [N, ...]: the inverse of `unpack`."""
        ...

    def encode(self, raw: Raw) -> Batch:
        """One raw example as a batch of one: `unpack` of its packed form."""
        ...

    def decode(self, batch: Batch) -> list[Raw]: ...

    def conditions(self, n: int, rng: torch.Generator, **wish: str) -> Batch:
        """What to generate: labels as frequent as in the data, or as wished (class="7"); empty without labels."""
        ...

    def save(self, raws: Sequence[Raw], folder: Path) -> list[Path]: ...

    def preview(self, raws: Sequence[Raw]) -> Image.Image:
        """One picture of several examples: a grid of images, a plot of points."""
        ...

    def sketch(self, batch: Batch) -> Tensor:
        """Cheap features [N, F] in which distances mean something: for health checks and nearest neighbours."""
        ...

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Any: ...


@runtime_checkable
class Giving(Protocol):
    """A codec of examples that are made from something given, such as an image from another one."""

    def given(self, batch: Batch) -> Batch:
        """What of real examples is given to make others."""
        ...
