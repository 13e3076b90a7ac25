"""Files before they are read: what identifies them, and whether reading them can end."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from gansmith.data.readers.limits import check
from gansmith.errors import UserError

_STRANGE = ((stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


class Unreadable(OSError):
    """A file that cannot be read; the text says why in a few words, for a list or the parentheses of a sentence."""


def file_key(paths: Iterable[Path]) -> str:
    """A hash of the paths, sizes and times of change: equal as long as nobody touched the files."""
    digest = hashlib.sha256()
    for path in paths:
        facts = path.stat() if path.exists() else path.lstat()  # a link to nowhere is an unreadable file, reported later
        digest.update(f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def check_ends(path: Path) -> int:
    """The size of a file. Raises Unreadable for devices, pipes and sockets, which may never end, and OSError for what is not there."""
    facts = os.stat(path)
    for is_strange, what in _STRANGE:
        if is_strange(facts.st_mode):
            raise Unreadable(f"it is {what}, not a file")
    return facts.st_size


def refuse_endless(path: Path) -> None:
    """Raises UserError for devices, pipes and sockets."""
    try:
        check_ends(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}): copy what it holds to a file.") from error
    except OSError:  # what is not there, or not allowed, is reported by whoever reads
        return


def read_whole(path: Path, limit: str) -> bytes:
    """The bytes of a file, no more than the limit of this name (see `Limits`). Raises UserError, and OSError as `open` does."""
    check(limit, check_ends(path), str(path), "bytes")
    most = path.stat().st_size
    with open(path, "rb") as file:
        return file.read(most)
