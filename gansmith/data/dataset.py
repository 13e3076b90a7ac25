"""Packed examples in memory or memory-mapped, and the order in which they are dealt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from gansmith.data.codec import Batch, Codec
from gansmith.data.groups import held_groups, held_stretches
from gansmith.data.suggestions import listed
from gansmith.data.windowed import Gathered, Windows, release
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.kinds.images.originals import Originals


SHUFFLED = 2**22
"""Of more examples no permutation is held in memory."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Packed examples of one codec. Splits and subsets share the arrays and differ in their indices."""

    name: str
    codec: Codec[Any]
    arrays: Mapping[str, np.ndarray]
    """The packed examples by key, each [N, ...], in memory, memory-mapped, or gathered when they are asked for (`data.windowed`);
    "label" is int64 [N] if there are classes, float32 [N, K] if there are attributes."""
    fingerprint: str
    """A hash of the content and of the codec's facts: the key of caches, and the proof that a resumed run sees the same data."""
    indices: np.ndarray | None = None
    """The rows that belong to this subset, or None for all."""
    held_out: "Dataset | None" = None
    """The test split that the source itself brings, if it does (mnist, cifar10)."""
    groups: "np.ndarray | Gathered | None" = None
    """The group of every packed example, int64 [N]: examples of one recording, document or entity are held out together. None if any two
    examples may be parted."""
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
            for pages in array.pages() if isinstance(array, Gathered) else (array,):
                release(pages)

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
        """(training, held out): the source's own test split, or about this share of the examples, which depends on the seed alone.

        Without groups, examples are held out at random. With groups, whole ones are; of a single one, stretches, and windows that
        overlap with those are left out. Raises UserError if every window overlaps with every other.
        """
        if self.held_out is not None:
            return replace(self, held_out=None), self.held_out
        rng = np.random.Generator(np.random.Philox(key=seed))
        if self.groups is None:
            order = rng.permutation(len(self))
            held = round(len(self) * share)
            return self.subset(np.sort(order[held:])), self.subset(np.sort(order[:held]))
        rows = np.arange(len(self)) if self.indices is None else self.indices
        names, groups, sizes = np.unique(self.groups[rows], return_inverse=True, return_counts=True)
        if len(names) > 1:
            is_held = np.isin(groups, held_groups(sizes, share, rng))
            return self.subset(np.flatnonzero(~is_held)), self.subset(np.flatnonzero(is_held))
        cut = [array.starts for array in self.arrays.values() if isinstance(array, Windows)]
        longest = max(cut, key=lambda starts: starts.length, default=None)
        begin, length = (longest.at(rows), longest.length) if longest else (rows, 1)
        if (parts := held_stretches(begin, length, share, rng)) is None:
            raise UserError(
                f"every example of {self.name} overlaps with every other, so that none can be held out: give more data, or cut it into "
                "shorter examples."
            )
        return self.subset(parts[0]), self.subset(parts[1])

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
        """With `poisson`, every position is taken with the same probability each time, independently of all others.

        Beyond `SHUFFLED` positions, a permutation is computed for those that are taken alone, and held in no memory.
        """
        self.length, self.seed, self.poisson = length, seed, poisson
        self.position = 0
        self._epoch, self._permutation = -1, np.empty(0, np.int64)

    def take(self, count: int) -> np.ndarray:
        """The next `count` positions; by Poisson sampling, as many on average."""
        if self.poisson:
            rng = np.random.Generator(np.random.Philox(key=np.array([self.seed, self.position], np.uint64)))
            self.position += count
            if self.length > SHUFFLED:
                return choose(self.length, int(rng.binomial(self.length, min(1.0, count / self.length))), rng)
            return np.flatnonzero(rng.random(self.length) * self.length < count)
        taken: Sequence[np.ndarray] = []
        while count:
            epoch, start = divmod(self.position, self.length)
            if self.length > SHUFFLED:
                piece = permuted(np.arange(start, min(start + count, self.length)), self.length, (self.seed, epoch))
            else:
                if epoch != self._epoch:
                    rng = np.random.Generator(np.random.Philox(key=np.array([self.seed, epoch], np.uint64)))
                    self._epoch, self._permutation = epoch, rng.permutation(self.length)
                piece = self._permutation[start : start + count]
            taken = [*taken, piece]
            self.position += len(piece)
            count -= len(piece)
        return np.concatenate(taken) if taken else np.empty(0, np.int64)


def permuted(positions: Int[np.ndarray, " n"], length: int, key: tuple[int, int]) -> Int[np.ndarray, " n"]:
    """Where a random permutation of 0 to `length` - 1, which depends on the key alone, takes these positions; no other is computed.

    A Feistel network of four rounds (Luby & Rackoff 1988, "How to construct pseudorandom permutations") permutes the numbers of an even
    number of bits; those beyond `length` are permuted until they are below it (Black & Rogaway 2002, "Ciphers with arbitrary finite
    domains").
    """
    half = np.uint64((max(2, length - 1).bit_length() + 1) // 2)
    mask, keys = np.uint64((1 << int(half)) - 1), np.random.Generator(np.random.Philox(key=np.array(key, np.uint64)))
    rounds = keys.integers(2**64, size=4, dtype=np.uint64)
    found, beyond = positions.astype(np.uint64), np.arange(len(positions))
    while len(beyond):
        left, right = found[beyond] >> half, found[beyond] & mask
        for secret in rounds:
            left, right = right, left ^ (_mixed(right ^ secret) & mask)
        found[beyond] = left << half | right
        beyond = beyond[found[beyond] >= length]
    return found.astype(np.int64)


def _mixed(x: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Every bit of the result depends on all bits of 64: the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def choose(length: int, count: int, seed: int | np.random.Generator) -> Int[np.ndarray, " count"]:
    """`count` random positions out of `length`, ascending and each once."""
    rng = np.random.default_rng(seed)
    if length > SHUFFLED:
        return np.sort(rng.choice(length, min(count, length), replace=False, shuffle=False))
    return np.sort(rng.permutation(length)[:count])
