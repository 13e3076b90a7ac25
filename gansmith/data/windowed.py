"""Windows of long arrays, gathered when they are asked for: a recording cut at every step is held once, not once for every window."""

import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Int

AT_ONCE = 2**22
"""Bytes of windows, or of a long array, that one pass holds at a time."""

Interval = tuple[int, int]
"""The steps from the first up to, but without, the second."""


@dataclass(frozen=True, eq=False)
class Starts:
    """Where windows begin in a long array: runs of equally spaced starts, so that ten million of them take no room.

    The long array holds one piece after another (recordings, documents, series); no window crosses from one into the next.
    """

    first: Int[np.ndarray, " runs"]
    """The step at which the first window of each run begins."""
    count: Int[np.ndarray, " runs"]
    """Windows of each run."""
    piece: Int[np.ndarray, " runs"]
    """The piece in which each run lies."""
    length: int
    """Steps of a window."""
    stride: int = 1
    """Steps from one window of a run to the next."""

    @classmethod
    def of(cls, lengths: Sequence[int], length: int, stride: int = 1) -> "Starts":
        """All windows of pieces of these lengths; none of a shorter piece."""
        first = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
        count = np.maximum((np.asarray(lengths, np.int64) - length) // stride + 1, 0)
        return cls(first, count, np.arange(len(lengths)), length, stride)

    def __len__(self) -> int:
        return int(self.count.sum())

    def at(self, positions: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """The steps at which the windows at these positions begin."""
        run = self._runs(positions)
        return self.first[run] + (positions - (self._ends - self.count)[run]) * self.stride

    def pieces_of(self, positions: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """The pieces in which the windows at these positions lie."""
        return self.piece[self._runs(positions)]

    def of_pieces(self, chosen: Int[np.ndarray, " chosen"]) -> "Starts":
        """The windows of these pieces alone."""
        return self._with(np.isin(self.piece, chosen))

    def within(self, intervals: Sequence[Interval]) -> "Starts":
        """The windows that lie in one of these intervals of the long array, from their first step to their last."""
        parts = []
        for low, high in intervals:
            skipped = np.maximum(-((self.first - low) // self.stride), 0)
            last = (high - self.length - self.first) // self.stride
            parts.append((self.first + skipped * self.stride, np.minimum(self.count - 1, last) - skipped + 1))
        first, count = (np.concatenate([part[at] for part in parts]) for at in (0, 1))
        order = np.argsort(first, kind="stable")
        found = Starts(
            first[order], np.maximum(count[order], 0), np.tile(self.piece, len(parts))[order], self.length, self.stride
        )
        return found._with(found.count > 0)

    def _with(self, kept: np.ndarray) -> "Starts":
        return Starts(self.first[kept], self.count[kept], self.piece[kept], self.length, self.stride)

    def _runs(self, positions: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._ends, positions, side="right")

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum(self.count)


class Gathered:
    """What acts as an array [N, ...] and makes its rows when they are asked for: by a position, a slice, positions, or a mask."""

    def __init__(self, count: int, row: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape, self.dtype = (count, *row), dtype

    def rows(self, positions: Int[np.ndarray, " n"]) -> np.ndarray:
        """The rows at these positions, each from 0 to N - 1."""
        raise NotImplementedError

    def pages(self) -> Sequence[np.ndarray]:
        """The arrays that the rows are made of."""
        return ()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that all rows would take."""
        return prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        key, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(key, slice):
            found = self.rows(np.arange(*key.indices(len(self))))
            return found[(slice(None), *rest)] if rest else found
        positions = np.asarray(key)
        if positions.dtype == bool:
            if positions.shape != (len(self),):
                raise IndexError(f"a mask of {len(self)} rows was expected, not one of shape {positions.shape}")
            positions = np.flatnonzero(positions)
        positions = positions.astype(np.int64, casting="same_kind" if positions.size else "unsafe")
        if positions.size and not -len(self) <= positions.min() <= positions.max() < len(self):
            raise IndexError(f"positions from {positions.min()} to {positions.max()} are not all among {len(self)} rows")
        flat = np.where(positions < 0, positions + len(self), positions).reshape(-1)
        found = self.rows(flat).reshape(*positions.shape, *self.shape[1:])
        return found[(*(slice(None),) * positions.ndim, *rest)] if rest else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = self[:]
        return found if dtype is None else found.astype(dtype, copy=False)

    def chunks(self) -> Iterator[np.ndarray]:
        """All rows in order, some at a time."""
        count = max(1, AT_ONCE // max(1, prod(self.shape[1:]) * self.dtype.itemsize))
        for start in range(0, len(self), count):
            yield self[start : start + count]
            self.release()

    def release(self) -> None:
        """Gives back the memory of the pages of memory maps that were read."""
        for array in self.pages():
            release(array)


class Windows(Gathered):
    """Windows [N, length, ...] of a long array [steps, ...], in memory or memory-mapped, which is not copied.

    `made` turns gathered windows [n, length, ...] into the rows [n, ...] that are wanted.
    """

    def __init__(self, source: np.ndarray, starts: Starts, made: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
        self.source, self.starts, self.made = source, starts, made
        example = self._made(np.empty((0, starts.length, *source.shape[1:]), source.dtype))
        super().__init__(len(starts), example.shape[1:], example.dtype)

    def rows(self, positions: Int[np.ndarray, " n"]) -> np.ndarray:
        steps = self.starts.at(positions)[:, None] + np.arange(self.starts.length)
        source = np.asarray(self.source)
        # take is several times as fast, but copies all of an array that is not contiguous
        return self._made(source.take(steps, axis=0) if source.flags.c_contiguous else source[steps])

    def parts(self, shared: int = 0) -> Iterator[np.ndarray]:
        """All steps that lie in a window, as stretches [n, steps, ...] of the long array; where windows overlap, their steps come once.

        A stretch is cut where it exceeds `AT_ONCE` bytes; the last `shared` steps before a cut come again behind it.
        """
        starts = self.starts
        if starts.stride > starts.length:
            yield from Windows(self.source, starts).chunks()
            return
        count = max(1, AT_ONCE // max(1, prod(self.source.shape[1:]) * self.source.dtype.itemsize))
        for first, windows in zip(starts.first, starts.count, strict=True):
            end = int(first + (windows - 1) * starts.stride + starts.length) if windows else int(first)
            for start in range(int(first), end - shared, count):
                yield np.asarray(self.source[start : min(start + count + shared, end)])[None]
                self.release()

    def pages(self) -> Sequence[np.ndarray]:
        return (self.source,)

    def _made(self, gathered: np.ndarray) -> np.ndarray:
        return gathered if self.made is None else self.made(gathered)


class PerPiece(Gathered):
    """One value for all windows of a piece: `values` [pieces, ...]."""

    def __init__(self, values: np.ndarray, starts: Starts) -> None:
        super().__init__(len(starts), values.shape[1:], values.dtype)
        self.values, self.starts = values, starts

    def rows(self, positions: Int[np.ndarray, " n"]) -> np.ndarray:
        return self.values[self.starts.pieces_of(positions)]


def release(array: np.ndarray) -> None:
    """Gives back the memory of the pages of a memory map that were read; of no other array."""
    pages = getattr(array, "_mmap", None)
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)


def passes(array: np.ndarray) -> Iterator[np.ndarray]:
    """A long array in parts of at most `AT_ONCE` bytes."""
    count = max(1, AT_ONCE // max(1, prod(array.shape[1:]) * array.dtype.itemsize))
    for start in range(0, len(array), count):
        yield np.asarray(array[start : start + count])
        release(array)


def stretches(length: int, share: float, count: int, shift: Fraction = Fraction(1, 2)) -> list[Interval]:
    """`count` equally spaced stretches of `length` steps that make up this share of them: each lies in the middle of its part of the whole,
    or, with `shift` from 0 to 1, as far from the beginning to the end of its part."""
    part, room = Fraction(length, count), Fraction(share).limit_denominator(10**6)
    edges = [(part * (at + shift * (1 - room)), part * (at + shift * (1 - room) + room)) for at in range(count)]
    return [(-int(-low // 1), -int(-high // 1)) for low, high in edges]


def between(length: int, held: Sequence[Interval]) -> list[Interval]:
    """What these intervals, in order, leave of `length` steps."""
    edges = [0, *(edge for interval in held for edge in interval), length]
    return [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if high > low]
