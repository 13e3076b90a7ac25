"""Content hashes: the keys of every cache."""

import hashlib
from collections.abc import Mapping

import numpy as np


class Content:
    """The hash of an array that grows chunk by chunk, so that it need never be in memory as a whole."""

    def __init__(self, dtype: np.dtype, row: tuple[int, ...]) -> None:
        self.dtype, self.row, self.count = dtype, row, 0
        self._digest = hashlib.sha256()

    def append(self, rows: np.ndarray) -> None:
        self._digest.update(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def __str__(self) -> str:
        return f"{self.dtype.str} {(self.count, *self.row)} {self._digest.hexdigest()}"


def fingerprint(arrays: Mapping[str, np.ndarray], *facts: str) -> str:
    """A hash of arrays (names, dtypes, shapes and content) and of facts in words."""
    contents = {}
    for key, array in arrays.items():
        contents[key] = Content(array.dtype, array.shape[1:])
        for start in range(0, len(array), 4096):
            contents[key].append(array[start : start + 4096])
    return fingerprint_of(contents, *facts)


def fingerprint_of(contents: Mapping[str, Content], *facts: str) -> str:
    """The fingerprint of arrays whose content was hashed as it came."""
    lines = [*facts, *(f"{key} {contents[key]}" for key in sorted(contents))]
    return hashlib.sha256("\0".join(lines).encode()).hexdigest()[:32]
