"""The SHA-256 of a whole file inside that file: whatever bit changes, the file no longer fits it.

The field holds zeros while the hash is taken. SHA-256 is in the standard library, and fast where the processor has instructions for
it (bench/results/faults.md).
"""

import hashlib
import re
from collections.abc import Iterable

BLANK = "0" * 64


def sealed(head: bytes, field: re.Pattern[bytes], rest: Iterable[bytes] = ()) -> bytes:
    """The head of a file, whose blank is filled with the hash of head and rest; `field` finds it as its group 1."""
    found = field.search(head)
    assert found is not None and found[1] == BLANK.encode()
    return head[: found.start(1)] + _hash(head, rest) + head[found.end(1) :]


def fits(head: bytes, field: re.Pattern[bytes], rest: Iterable[bytes] = ()) -> bool:
    """Whether a file carries its own hash."""
    found = field.search(head)
    if found is None:
        return False
    blank = head[: found.start(1)] + BLANK.encode() + head[found.end(1) :]
    return found[1] == _hash(blank, rest)


def _hash(head: bytes, rest: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256(head)
    for piece in rest:
        digest.update(piece)
    return digest.hexdigest().encode()
