"""From bytes to text: which encoding a file is in, and whether it is text at all."""

import codecs
import re
from pathlib import Path

from gansmith.data.readers.files import check_ends
from gansmith.data.readers.old_encodings import old_encoding
from gansmith.errors import UserError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The marks with which files say their encoding; that of UTF-32 begins with that of UTF-16."""
LOOKED_AT = 2**20
"""Bytes by which an encoding is guessed."""
STRANGE = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that texts do not have; form feeds and escapes of terminals they may."""


def decoded(content: bytes, path: Path, named: str | None = None) -> tuple[str, str]:
    """(text, encoding) of a file's content. Raises UserError for what is no text, or not in the encoding that was named."""
    encoding = named or detected(content, path)
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        where = getattr(error, "start", 0)
        raise UserError(
            f"{path} is not {encoding}, as its byte {where:,} shows: leave --encoding out, or name the one it is in."
        ) from error
    if (at := text.find("\0")) >= 0:
        raise UserError(f"{path} holds a NUL at character {at:,}, which no text does: remove it, or name the --encoding.")
    return text, encoding.removesuffix("-sig")


def detected(content: bytes, path: Path) -> str:
    """UTF-8, UTF-16 and UTF-32 by their marks, UTF-8 because it is valid, else the likeliest of the older encodings.

    Raises UserError for a binary file.
    """
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    part = content[:LOOKED_AT]
    if wide := _without_mark(part):
        return wide
    if len(STRANGE.findall(part)) > len(part) // 100:
        raise UserError(f"{path} is a binary file, where text is expected: give .txt, .csv, .jsonl or .parquet.")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return old_encoding(part)
    return "utf-8"


def looks_like_text(path: Path) -> bool:
    """Whether a file begins as text does."""
    try:
        check_ends(path)
        with open(path, "rb") as file:
            part = file.read(4096)
        detected(part, path)
    except (OSError, UserError):
        return False
    return bool(part.strip())


def _without_mark(part: bytes) -> str | None:
    """UTF-16 of a Western script, where every second byte is NUL."""
    if len(part) < 8:
        return None
    first, second = part[::2].count(0) / len(part[::2]), part[1::2].count(0) / len(part[1::2])
    return "utf-16-le" if second > 0.7 and first < 0.1 else "utf-16-be" if first > 0.7 and second < 0.1 else None
