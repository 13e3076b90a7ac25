"""The bytes of text files, plain or packed by gzip, no more than the limits."""

import gzip
import zlib
from pathlib import Path

from gansmith.data.readers.files import check_ends, read_whole
from gansmith.data.readers.limits import check, check_ratio
from gansmith.errors import UserError
from gansmith.kinds.text.readers.encodings import decoded

LIMIT = "array_bytes"
PORTION = 1 << 22
"""Bytes that are unpacked at a time."""


def text_of(path: Path, encoding: str | None = None) -> tuple[str, str]:
    """(text, encoding) of a file. Raises UserError if it cannot be read, is no text, or is larger than the limits."""
    try:
        content = _unpacked(path) if path.suffix.lower() == ".gz" else read_whole(path, LIMIT)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}): check that it is whole and that you may read it.") from error
    return decoded(content, path, encoding)


def _unpacked(path: Path) -> bytes:
    size, parts, unpacked = check_ends(path), [], 0
    with gzip.open(path) as file:
        while part := file.read(PORTION):
            parts.append(part)
            unpacked += len(part)
            check_ratio(unpacked, size, str(path))
            check(LIMIT, unpacked, str(path), "bytes")
    return b"".join(parts)
