"""Content hashes: the keys of every cache."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gansmith.data.windowed import Gathered, PerPiece, Windows, passes

AS_GATHERED = 2**28
"""Windows of so many bytes are hashed as they are gathered, as version 0.1 held them; of larger ones, what they are gathered from."""


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
    """A hash of arrays (names, dtypes, shapes and content) and of facts in words. No array is made or read as a whole."""
    contents, told = {}, list(facts)
    for key, array in arrays.items():
        if isinstance(array, Gathered) and array.nbytes > AS_GATHERED:
            told.append(f"{key} {array.shape} gathered from {_origin(array)}")
            continue
        contents[key] = Content(array.dtype, array.shape[1:])
        for rows in array.chunks() if isinstance(array, Gathered) else _chunks(array):
            contents[key].append(rows)
    return fingerprint_of(contents, *told)


def _chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(array), 4096):
        yield array[start : start + 4096]


def _origin(array: Gathered) -> str:
    """A hash of what a gathered array is made of."""
    assert isinstance(array, Windows | PerPiece)
    source, starts = array.source if isinstance(array, Windows) else array.values, array.starts
    content = Content(source.dtype, source.shape[1:])
    for part in passes(source):
        content.append(part)
    runs = fingerprint({"first": starts.first, "count": starts.count, "piece": starts.piece})
    return f"{content} {runs} {starts.length} {starts.stride}"


def fingerprint_of(contents: Mapping[str, Content], *facts: str) -> str:
    """The fingerprint of arrays whose content was hashed as it came."""
    lines = [*facts, *(f"{key} {contents[key]}" for key in sorted(contents))]
    return hashlib.sha256("\0".join(lines).encode()).hexdigest()[:32]


def described(codec: Any) -> str:
    """A codec's facts as text, for fingerprints."""
    return json.dumps(identity(codec), sort_keys=True)


def identity(codec: Any) -> dict[str, Any]:
    """A codec's facts, its spec by `Spec.identity`; those of its two sides likewise if it is of pairs."""
    sides = {side: identity(getattr(codec, side)) for side in ("a", "b") if side in codec.to_json()}
    return {**codec.to_json(), "spec": codec.spec.identity(), **sides}
