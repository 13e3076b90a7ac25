"""Zip archives of strangers, .npz files included: opened, listed and unpacked within limits."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gansmith.data.readers.files import Unreadable, check_ends
from gansmith.data.readers.limits import check, check_ratio
from gansmith.errors import UserError

try:
    from lzma import LZMAError
except ImportError:  # a Python built without it
    LZMAError = zlib.error

_ENCRYPTED = 1
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    OverflowError,
    KeyError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
)
"""What zipfile raises on damaged and unusual archives."""


@contextmanager
def unpacking() -> Iterator[None]:
    """Turns whatever reading an archive raises into Unreadable, which says why in a few words."""
    try:
        yield
    except (UserError, Unreadable):
        raise
    except NotImplementedError as error:  # a RuntimeError, as that of a missing password is
        raise Unreadable("it is packed by a method that is not supported") from error
    except _DAMAGE as error:
        raise Unreadable(_why(error)) from error


def opened_archive(path: Path) -> zipfile.ZipFile:
    """The archive, its list of files read. Raises Unreadable for what is none, UserError above the limit `members`."""
    with unpacking():
        check_ends(path)
        archive = zipfile.ZipFile(path)
    try:
        check("members", len(archive.infolist()), str(path), "files")
    except UserError:
        archive.close()
        raise
    return archive


@contextmanager
def opened_member(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """A file in the archive, unpacked as it is read. Raises Unreadable, and UserError for one that unpacks to far more than its size."""
    with unpacking():
        facts = archive.getinfo(name)
        if facts.flag_bits & _ENCRYPTED:
            raise Unreadable("it is encrypted: unpack it with its password")
        check_ratio(facts.file_size, facts.compress_size, name)
        with archive.open(facts) as file:
            yield file


def read_member(archive: zipfile.ZipFile, name: str, limit: str = "member_bytes") -> bytes:
    """A whole file in the archive. Raises Unreadable, and UserError above the limit of this name."""
    with opened_member(archive, name) as file:
        check(limit, archive.getinfo(name).file_size, name, "bytes")
        return file.read()


def _why(error: Exception) -> str:
    text: Any = error.args[0] if isinstance(error, KeyError) and error.args else error
    return str(text).split("\n")[0] or type(error).__name__
