"""Packed examples in memory or memory-mapped, and the order in which they are dealt."""

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gansmith.data.codec import Batch, Codec
from gansmith.data.suggestions import listed

if TYPE_CHECKING:
    from gansmith.kinds.images.originals import Originals


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Packed examples of one codec. Splits and subsets share the arrays and differ in their indices."""

    name: str
    codec: Codec[Any]
    arrays: Mapping[str, np.ndarray]
    """The packed examples by key, each [N, ...], usually memory-mapped; "label" is int64 [N] if there are classes, float32 [N, K] if
    there are attributes."""
    fingerprint: str
    """A hash of the content and of the codec's facts: the key of caches, and the proof that a resumed run sees the same data."""
    indices: np.ndarray | None = None
    """The rows that belong to this subset, or None for all."""
    held_out: "Dataset | None" = None
    """The test split that the source itself brings, if it does (mnist, cifar10)."""
    originals: "Originals | None" = None
    """The images in their own sizes, where they were asked for and differ from the packed ones."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else is known: {"modes": [K, D] array, "sigma": float} of ring and grid, "notes" (sentences about how the source was
    read), "unreadable" (names of files that were left out)."""

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values()))) if self.indices is None else len(self.indices)

    def remarks(self) -> list[str]:
        """Sentences on how the source was read, and what was left out."""
        said = [f"{note[0].upper()}{note[1:]}." for note in self.facts.get("notes", ())]
        if unreadable := self.facts.get("unreadable", ()):
            said.append(f"Left out, since they cannot be read: {listed(unreadable, 3)}.")
        return said

    def packed(self, positions: np.ndarray | slice) -> dict[str, np.ndarray]:
        """The packed examples at these positions of the subset, copied out of the memory map."""
        rows = positions if self.indices is None else self.indices[positions]
        return {key: np.asarray(array[rows]) for key, array in self.arrays.items()}

    def release(self) -> None:
        """Gives back the memory of the pages of memory maps that were read: a long pass over many images need not keep them."""
        for array in self.arrays.values():
            pages = getattr(array, "_mmap", None)
            if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                pages.madvise(mmap.MADV_DONTNEED)

    def batch(self, positions: np.ndarray | slice) -> Batch:
        return self.codec.unpack(self.packed(positions))

    def labels(self) -> np.ndarray | None:
        """The class of every example, int64 [N]; None for data without classes."""
        if not self.codec.spec.classes:
            return None
        return np.asarray(self.arrays["label"] if self.indices is None else self.arrays["label"][self.indices])

    def subset(self, positions: np.ndarray) -> "Dataset":
        return replace(self, indices=np.asarray(positions) if self.indices is None else self.indices[positions], held_out=None)

    def split(self, share: float, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """(training, held out): the source's own test split, or a random share of the examples that depends on the seed alone."""
        if self.held_out is not None:
            return replace(self, held_out=None), self.held_out
        order = np.random.Generator(np.random.Philox(key=seed)).permutation(len(self))
        held = round(len(self) * share)
        return self.subset(np.sort(order[held:])), self.subset(np.sort(order[:held]))

    @classmethod
    def of(cls, batch: Batch, codec: Codec[Any], name: str, facts: Mapping[str, Any] | None = None) -> "Dataset":
        """Generated tensors as a data set, so that judges see them exactly as they would be saved."""
        from gansmith.data.fingerprint import fingerprint

        arrays = codec.repack(batch)
        return cls(name=name, codec=codec, arrays=arrays, fingerprint=fingerprint(arrays), facts=facts or {})


class Order:
    """Endless shuffled positions, the same for the same seed however many are taken at a time.

    Every epoch has its own permutation, keyed by seed and epoch, so that the position alone says where we are: resume needs
    no other state.
    """

    def __init__(self, length: int, seed: int, poisson: bool = False) -> None:
        """With `poisson`, every position is taken with the same probability each time, independently of all others."""
        self.length, self.seed, self.poisson = length, seed, poisson
        self.position = 0
        self._epoch, self._permutation = -1, np.empty(0, np.int64)

    def take(self, count: int) -> np.ndarray:
        """The next `count` positions; by Poisson sampling, as many on average."""
        if self.poisson:
            dice = np.random.Generator(np.random.Philox(key=np.array([self.seed, self.position], np.uint64))).random(self.length)
            self.position += count
            return np.flatnonzero(dice * self.length < count)
        taken: Sequence[np.ndarray] = []
        while count:
            epoch, start = divmod(self.position, self.length)
            if epoch != self._epoch:
                key = np.array([self.seed, epoch], np.uint64)
                self._epoch, self._permutation = epoch, np.random.Generator(np.random.Philox(key=key)).permutation(self.length)
            piece = self._permutation[start : start + count]
            taken = [*taken, piece]
            self.position += len(piece)
            count -= len(piece)
        return np.concatenate(taken) if taken else np.empty(0, np.int64)
