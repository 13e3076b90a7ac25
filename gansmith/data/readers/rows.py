"""Rows of arrays that may be larger than memory: in memory, in .npy files, or compressed inside .npz files."""

import math
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, runtime_checkable
from zipfile import ZIP_STORED

import numpy as np

from gansmith.data.readers.archives import opened_archive, opened_member, unpacking
from gansmith.data.readers.files import Unreadable, check_ends
from gansmith.data.readers.limits import check
from gansmith.errors import UserError

CHUNK = 256
"""How many examples are in memory at once while a source is read."""
AT_ONCE = 2**26
"""Bytes of rows in memory at a time."""
_NAME_AND_EXTRA = 26
"""Where the lengths of these two stand in the header of a zip member; its content follows them."""
_MAGIC, _VERSIONS = b"\x93NUMPY", (b"\1\0", b"\2\0", b"\3\0")
_MOST_BYTES = 2**62
"""More than any address space holds: NumPy's arithmetic of shapes overflows above."""


@runtime_checkable
class Rows(Protocol):
    """An array [N, ...] that is read from its first row to its last, some rows at a time."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]:
        """At most `count` rows at a time, fewer where they are large."""
        ...


class ArrayRows:
    """Rows of an array in memory or memory-mapped."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]:
        count = _rows_at_once(count, self.shape, self.dtype)
        for start in range(0, self.shape[0], count):
            yield np.asarray(self.array[start : start + count])


class ArchivedRows:
    """Rows of one member of an .npz file, decompressed as they are read. Raises UserError for a damaged one."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        with self._opened() as (_, shape, dtype):
            self.shape, self.dtype = shape, dtype

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]:
        with self._opened() as (file, shape, dtype):
            row, every = math.prod(shape[1:]), shape[0] if shape else 1
            count = _rows_at_once(count, shape, dtype)
            for start in range(0, every, count):
                rows = min(count, every - start)
                with unpacking():
                    piece = file.read(rows * row * dtype.itemsize)
                if len(piece) < rows * row * dtype.itemsize:
                    raise Unreadable("it ends early")
                yield np.frombuffer(piece, dtype).reshape(rows, *shape[1:])

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
        """The member, opened behind its header, and what the header says."""
        try:
            with opened_archive(self.path) as archive, opened_member(archive, f"{self.key}.npy") as file:
                size = archive.getinfo(f"{self.key}.npy").file_size
                shape, in_columns, dtype = read_header(file, size)
                if in_columns and len(shape) > 1:
                    raise Unreadable("it is in Fortran order: save np.ascontiguousarray(array)")
                yield file, shape, dtype
        except Unreadable as error:
            raise UserError(f'"{self.key}" in {self.path} cannot be read ({error}): save it again with numpy.savez.') from error


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an .npz file. Raises UserError for what is none."""
    try:
        with opened_archive(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except OSError as error:
        raise UserError(f"{path} cannot be read as an .npz file ({error}): save it with numpy.savez.") from error


def array_axes(path: Path, names: Iterable[str]) -> dict[str, int]:
    """The number of axes of these arrays of an .npz file, but for those that cannot be read."""
    found = {}
    with opened_archive(path) as archive:
        for name in names:
            with suppress(Unreadable), opened_member(archive, f"{name}.npy") as file:
                shape, _, _ = read_header(file, archive.getinfo(f"{name}.npy").file_size)
                found[name] = len(shape)
    return found


def load_small(path: Path, key: str) -> np.ndarray:
    """A whole member of an .npz file: labels, names, points, series. Raises UserError above the limit `array_bytes`."""
    rows = ArchivedRows(path, key)
    check("array_bytes", math.prod(rows.shape) * rows.dtype.itemsize, f'"{key}" in {path}', "bytes")
    pieces = list(rows.chunks(1 << 16))
    return np.concatenate(pieces).reshape(rows.shape) if pieces else np.empty(rows.shape, rows.dtype)


def load_or_map(path: Path, key: str, most: int) -> np.ndarray:
    """A whole member of an .npz file, mapped from disk if it is larger than `most` bytes and not compressed.

    Raises UserError for a damaged member, and above the limit `array_bytes` for one that must be loaded.
    """
    rows = ArchivedRows(path, key)
    with opened_archive(path) as archive:
        facts = archive.getinfo(f"{key}.npy")
    if math.prod(rows.shape) * rows.dtype.itemsize <= most or facts.compress_type != ZIP_STORED:
        return load_small(path, key)
    for _ in rows.chunks():  # reads all bytes, and holds them against their checksum
        pass
    with open(path, "rb") as file:
        file.seek(facts.header_offset + _NAME_AND_EXTRA)
        file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
        read_header(file, file.tell() + facts.file_size)
        return np.memmap(path, rows.dtype, "r", file.tell(), rows.shape)


def open_npy(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped from disk. Python objects are refused. Raises UserError for a damaged file."""
    try:
        size = check_ends(path)
        with open(path, "rb") as file:
            shape, in_columns, dtype = read_header(file, size)
            start = file.tell()
        if 0 in shape:
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", start, shape, "F" if in_columns else "C")
    except OSError as error:
        raise UserError(f"{path} cannot be read as an array of numbers ({error}): save it with numpy.save.") from error


def read_npy(file: IO[bytes], size: int) -> np.ndarray:
    """The array in an open .npy file of so many bytes. Raises Unreadable, and UserError above the limit `array_bytes`."""
    shape, in_columns, dtype = read_header(file, size)
    check("array_bytes", math.prod(shape) * dtype.itemsize, "the array", "bytes")
    content = file.read(math.prod(shape) * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if in_columns else "C")


def read_header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """The shape of the array in an open .npy file of so many bytes, whether it is stored column by column, and its type.

    Raises Unreadable for what is no .npy file, for Python objects, and for a header that promises more than the file holds.
    """
    start = file.read(len(_MAGIC) + 2)
    if not start.startswith(_MAGIC) or start[-2:] not in _VERSIONS:
        zipped = start.startswith(b"PK")
        why = (
            "it is empty"
            if not size
            else "it is a zip archive: name it .npz"
            if zipped
            else "it does not begin as a .npy file does"
        )
        raise Unreadable(why)
    read = np.lib.format.read_array_header_1_0 if start[-2:] == _VERSIONS[0] else np.lib.format.read_array_header_2_0
    try:
        shape, in_columns, dtype = read(file)
    except UserError:
        raise
    except Exception as error:  # NumPy lets through whatever its parsers of Python literals raise
        raise Unreadable("its header is damaged") from error
    if dtype.hasobject:
        raise Unreadable("it holds Python objects, which are never loaded: save it as numbers")
    if not all(type(side) is int and side >= 0 for side in shape):
        raise Unreadable(f"its header gives the impossible shape {_told(shape)}")
    needed, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if needed > there or math.prod(side or 1 for side in shape) * max(1, dtype.itemsize) > _MOST_BYTES:
        raise Unreadable(f"its header promises {dtype} {_told(shape)}, which is more than the {there:,} bytes that follow")
    return shape, bool(in_columns), dtype


def _told(shape: Sequence[object]) -> str:
    sides = [str(side)[:24] for side in shape[:8]]
    return f"[{', '.join([*sides, *(['...'] if len(shape) > 8 else [])])}]"


def _rows_at_once(count: int, shape: tuple[int, ...], dtype: np.dtype) -> int:
    return max(1, min(count, AT_ONCE // max(1, math.prod(shape[1:]) * dtype.itemsize)))
