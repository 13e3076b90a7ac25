"""The examples of a data set of series: whole series, or windows of them, which are cut when they are asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gansmith.data.windowed import PerPiece, Starts, Windows, release
from gansmith.kinds.series.codec import SeriesCodec
from gansmith.kinds.series.returns import to_returns
from gansmith.kinds.series.series import Series


@dataclass(frozen=True)
class Whole:
    """Whole series, each an example."""

    series: Sequence[Series]

    def __len__(self) -> int:
        return len(self.series)

    @property
    def groups(self) -> None:
        """No two of them have to be held out together."""
        return None

    def owners(self, positions: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """Which of the series each example comes from."""
        return positions

    def shares(self) -> Int[np.ndarray, " series"]:
        """How many examples each of the series has."""
        return np.ones(len(self.series), np.int64)

    def lengths(self) -> list[int]:
        """The steps of every example."""
        return [len(raw.values) for raw in self.series]

    def parts(self) -> Iterator[Float[np.ndarray, "n steps columns"]]:
        """All steps of all examples, as stretches of which each shares one step with the next."""
        for raw in self.series:
            yield np.asarray(raw.values, np.float64)[None]

    def blocks(self) -> Iterator[Float[np.ndarray, "n steps columns"]]:
        """All examples in order, some at a time."""
        return self.parts()

    def some(self, positions: Int[np.ndarray, " n"]) -> list[Float[np.ndarray, "steps columns"]]:
        """The values of these examples."""
        return [np.asarray(self.series[position].values, np.float64) for position in positions]

    def arrays(self, codec: SeriesCodec) -> dict[str, Any]:
        """The examples as the codec packs them, by key."""
        packed = [codec.pack(raw) for raw in self.series]
        return {key: np.stack([one[key] for one in packed]) for key in packed[0]}


@dataclass(frozen=True)
class Cut:
    """Windows of one length."""

    series: Sequence[Series]
    long: np.ndarray
    """The series one after another [steps, columns], of any type of numbers, in memory or memory-mapped."""
    starts: Starts

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def groups(self) -> PerPiece:
        """The series that each window is cut from."""
        return PerPiece(np.arange(len(self.series)), self.starts)

    def owners(self, positions: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        return self.starts.pieces_of(positions)

    def shares(self) -> Int[np.ndarray, " series"]:
        return np.bincount(self.starts.piece, self.starts.count, len(self.series)).astype(np.int64)

    def lengths(self) -> list[int]:
        return [self.starts.length]

    def parts(self) -> Iterator[Float[np.ndarray, "n steps columns"]]:
        return (part.astype(np.float64) for part in self._windows.parts(shared=1))

    def blocks(self) -> Iterator[Float[np.ndarray, "n steps columns"]]:
        return self._windows.chunks()

    def some(self, positions: Int[np.ndarray, " n"]) -> list[Float[np.ndarray, "steps columns"]]:
        starts, length = self.starts.at(positions), self.starts.length
        found = [self.long[start : start + length].astype(np.float64) for start in starts]
        release(self.long)
        return found

    def arrays(self, codec: SeriesCodec) -> dict[str, Any]:
        arrays: dict[str, Any] = {}
        if codec.heaviness:
            arrays["base"] = Windows(self.long, replace(self.starts, length=1), _first)
        arrays["series"] = Windows(
            self.long, self.starts, _returns if codec.heaviness else partial(_levels, kind=codec.packed_type)
        )
        if codec.spec.conditions:
            arrays["label"] = PerPiece(np.stack([codec.label_of(raw.static) for raw in self.series]), self.starts)
        return arrays

    @cached_property
    def _windows(self) -> Windows:
        return Windows(self.long, self.starts, partial(np.asarray, dtype=np.float64))


def _first(windows: np.ndarray) -> Float[np.ndarray, "n columns"]:
    return windows[:, 0].astype(np.float64)


def _returns(windows: np.ndarray) -> Float[np.ndarray, "n steps columns"]:
    return to_returns(windows.astype(np.float64)).astype(np.float32)


def _levels(windows: np.ndarray, kind: type[np.floating]) -> Float[np.ndarray, "n steps columns"]:
    return windows if windows.dtype == kind else windows.astype(np.float64).astype(kind)
