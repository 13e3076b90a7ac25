"""Rows of arrays that may be larger than memory: in memory, in .npy files, or compressed inside .npz files."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

import numpy as np

from gansmith.errors import UserError
from gansmith.kinds.images.readers.collection import CHUNK


@runtime_checkable
class Rows(Protocol):
    """An array [N, ...] that is read from its first row to its last, some rows at a time."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]: ...


class ArrayRows:
    """Rows of an array in memory or memory-mapped."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]:
        for start in range(0, self.shape[0], count):
            yield np.asarray(self.array[start : start + count])


class ArchivedRows:
    """Rows of one member of an .npz file, decompressed as they are read."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        with self._opened() as (_, shape, dtype):
            self.shape, self.dtype = shape, dtype

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]:
        with self._opened() as (file, shape, dtype):
            row = math.prod(shape[1:])
            for start in range(0, shape[0], count):
                rows = min(count, shape[0] - start)
                piece = file.read(rows * row * dtype.itemsize)
                if len(piece) < rows * row * dtype.itemsize:
                    raise UserError(f'"{self.key}" in {self.path} ends early: write the file again.')
                yield np.frombuffer(piece, dtype).reshape(rows, *shape[1:])

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
        """The member, opened behind its header, and what the header says."""
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.key}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, in_columns, dtype = read(file)
            if dtype.hasobject:
                raise UserError(f'"{self.key}" in {self.path} holds Python objects, which are never loaded: save it as numbers.')
            if in_columns and len(shape) > 1:
                raise UserError(f'"{self.key}" in {self.path} is stored in Fortran order: save np.ascontiguousarray(array).')
            yield file, shape, dtype


def load_small(path: Path, key: str) -> np.ndarray:
    """A whole member of an .npz file, for labels and names."""
    pieces = list(ArchivedRows(path, key).chunks(1 << 16))
    return np.concatenate(pieces) if pieces else np.empty(0)


def open_npy(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped from disk. Python objects are refused."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise UserError(f"{path} cannot be read as an array of numbers ({error}): save it with numpy.save.") from error
