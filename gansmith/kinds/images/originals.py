"""Pictures in the sizes that they came in, for networks that bring every picture to a size of their own."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import UInt8

from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.readers.collection import Collection, Example, in_threads
from gansmith.kinds.images.resize import fitted, upright_size


@dataclass(frozen=True)
class Originals:
    """The undecoded examples behind the rows of a data set whose packed images have another size."""

    collection: Collection
    codec: ImageCodec
    unreadable: frozenset[str]
    """Names of the examples that are no rows."""

    def pixels(self, rows: np.ndarray) -> Iterator[tuple[int, UInt8[np.ndarray, "channels height width"]]]:
        """(position in `rows`, the image as bytes with the codec's channels in its own size), in the order of the source.

        Of deep images the whole range becomes 0 to 255.
        """
        positions: dict[int, list[int]] = {}
        for position, row in enumerate(rows.tolist()):
            positions.setdefault(row, []).append(position)
        readable = (example for example in self.collection.examples if example.name not in self.unreadable)
        wanted = ((row, example) for row, example in enumerate(readable) if row in positions)
        for row, pixels in in_threads(self._decoded, wanted):
            for position in positions[row]:
                yield position, pixels

    def _decoded(self, numbered: tuple[int, Example]) -> tuple[int, UInt8[np.ndarray, "channels height width"]]:
        row, example = numbered
        with example.open() as image:
            shape = (self.codec.spec.shape[0], *upright_size(image))
            return row, self.codec.levels.as_bytes(fitted(image, shape, "center", self.codec.levels))

    @cached_property
    def key(self) -> str:
        """What identifies the pixels."""
        if self.collection.key:
            return self.collection.key()
        content = hashlib.sha256()
        for example in self.collection.examples:
            with example.open() as image:
                content.update(f"{image.mode} {image.size}".encode() + image.tobytes())
        return content.hexdigest()
