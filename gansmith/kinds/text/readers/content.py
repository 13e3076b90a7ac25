"""The bytes of text files, plain or packed by gzip, no more than the limits."""

import zlib
from pathlib import Path

from gansmith.data.readers.files import read_whole
from gansmith.data.readers.text import unpacked
from gansmith.errors import UserError
from gansmith.kinds.text.readers.encodings import decoded

LIMIT = "array_bytes"


def text_of(path: Path, encoding: str | None = None) -> tuple[str, str]:
    """(text, encoding) of a file. Raises UserError if it cannot be read, is no text, or is larger than the limits."""
    try:
        content = unpacked(path) if path.suffix.lower() == ".gz" else read_whole(path, LIMIT)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}): check that it is whole and that you may read it.") from error
    return decoded(content, path, encoding)
