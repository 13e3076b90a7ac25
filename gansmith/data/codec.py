"""The codec: raw examples to tensors and back, with its fitted facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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

    Every kind of data has a class of this shape in its `codec.py`. It is saved as JSON in every checkpoint and model, so that a model
    generates with no data at hand.
    """

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The files that `write` writes, each of which holds any number of examples: (".csv", ".parquet")."""
        ...

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

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """What to generate: labels as frequent as in the data, or as requested (class="7"); empty without labels."""
        ...

    def save(self, raws: Sequence[Raw], folder: Path) -> list[Path]:
        """Writes examples into a folder, beside those that are there."""
        ...

    def write(self, raws: Sequence[Raw], path: Path) -> None:
        """Writes all examples into one file, whose suffix is one of `suffixes`."""
        ...

    def preview(self, raws: Sequence[Raw]) -> Image.Image:
        """One picture of several examples: a grid of images, a plot of points."""
        ...

    def sketch(self, batch: Batch) -> Tensor:
        """Cheap features [N, F] in which distances mean something: for health checks and nearest neighbours."""
        ...

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Any: ...


def unlabelled(codec: Any) -> Any:
    """This codec of examples with classes or attributes, for examples like these without them."""
    return replace(codec, spec=replace(codec.spec, classes=(), attributes=()), frequencies=(), attributes=None)


@runtime_checkable
class HasSource(Protocol):
    """A codec of examples that are made from a source, such as an image from another one."""

    def source(self, batch: Batch) -> Batch:
        """The sources of real examples, from which others are made."""
        ...


@runtime_checkable
class Complies(Protocol):
    """A codec that can tell which generated examples meet a request."""

    def complies(self, batch: Batch, **where: Any) -> np.ndarray:
        """bool [N]: which examples are as requested, judged as they would be saved."""
        ...


@runtime_checkable
class Completes(Protocol):
    """A codec that can add to generated examples what a request names."""

    def completed(self, batch: Batch, **where: Any) -> Batch:
        """The batch with what is requested: molecules on a scaffold, for example."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A codec that can tell why few examples meet a request."""

    def rarity(self, where: Mapping[str, Any]) -> str:
        """How rare what is requested is in the data, for people."""
        ...


@runtime_checkable
class Numbers(Protocol[Raw]):
    """A codec whose examples have identifiers, which must be unique among all that belong together."""

    def numbered(self, raws: Sequence[Raw], first: int = 0) -> list[Raw]:
        """The examples with new identifiers, from the one of number `first`."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A codec that writes examples while they are made, so that no memory holds all of them."""

    @property
    def streamed(self) -> tuple[str, ...]:
        """The suffixes of files that are written so."""
        ...

    def stream(self, batches: Iterable[Batch], path: Path) -> list[Path]:
        """Writes a file of such a suffix, or into a folder; whole or not at all. The paths."""
        ...


@runtime_checkable
class Keeps(Protocol):
    """A codec that can tell what a model holds of the values of the data."""

    def kept(self) -> dict[str, str]:
        """What is kept of each part of an example, in words: {"age": "every value"}."""
        ...


@runtime_checkable
class Named(Protocol):
    """A codec whose examples have named parts, such as the columns of a table."""

    @property
    def shown(self) -> Sequence[str]:
        """The names of the parts that generated examples have."""
        ...


@runtime_checkable
class Checked(Protocol):
    """A codec that can tell whether its facts, read from a file, fit each other."""

    def fault(self) -> str | None:
        """What does not fit, in words that follow "its codec": "has 2 columns but 3 ranges"; None if all fits."""
        ...


@runtime_checkable
class Spelled(Protocol):
    """A codec of texts, which can be written to a terminal."""

    def text(self, raws: Sequence[Any]) -> str:
        """All examples as text."""
        ...


@runtime_checkable
class Reads(Protocol):
    """A codec whose examples can be written as a line of text."""

    def read(self, text: str) -> Any:
        """The example in raw form. Raises UserError for what cannot be encoded."""
        ...


@runtime_checkable
class Askable(Protocol):
    """A codec that says what may be asked for, where that is more than classes and attributes."""

    def askable(self) -> Sequence[Mapping[str, Any]]:
        """What `conditions` takes, for a form: "name" with "choices", or with "low" and "high" (of numbers, which also take comparisons
        where "compares"), or with "whole" (of counts), or alone (of words)."""
        ...
