"""Files that appear whole or not at all: written beside their place under a temporary name, synced, and renamed."""

import contextlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from gansmith.errors import UserError

ABANDONED_AFTER = 3600
"""Seconds after its last change at which a temporary file is nobody's, where its writer cannot be asked."""
_TEMPORARY = re.compile(
    r"\..+\.(?P<host>[\w-]+)\.(?P<process>\d+)\.[0-9a-f]{16}\.tmp|\..+\.\d+\.tmp"
)  # the latter of older versions


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path to write to, which takes the place of `path` in the end: a crash at any byte leaves the old file or the new one.

    Raises UserError if the disk is full or the folder cannot be written.
    """
    try:
        make_folder(path.parent)
        draft = temporary(path)
        try:
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()
        _sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all; see `replacing`."""
    with replacing(path) as draft:
        draft.write_bytes(content)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The sentence for a full disk or an unwritable folder."""
    return UserError(
        f"{path} could not be written ({error.strerror or error}): what was saved before is intact; make room or permission there "
        "and continue with --resume auto."
    )


def temporary(path: Path) -> Path:
    """A name beside this path that no other process takes, on this host or on another one that shares the disk."""
    return path.with_name(f".{path.name[:100]}.{_host()}.{os.getpid()}.{secrets.token_hex(8)}.tmp")


def _host() -> str:
    return re.sub(r"[^\w-]", "-", socket.gethostname(), flags=re.ASCII)[:40] or "host"


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each of which survives a crash as the files in it do."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        _sync(new.parent)


def _sync(folder: Path) -> None:
    if os.name == "posix":  # makes a rename itself durable; other systems offer no such call
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folders: Iterable[Path]) -> None:
    """Removes the temporary files of writers that were killed: on this host, of processes that are gone; else old ones."""
    for folder in folders:
        for path in folder.glob(".*.tmp") if folder.is_dir() else ():
            if (match := _TEMPORARY.fullmatch(path.name)) and _abandoned(path, match):
                with contextlib.suppress(OSError):
                    path.unlink()


def _abandoned(path: Path, name: re.Match[str]) -> bool:
    if name["host"] == _host() and os.name == "posix":
        try:
            os.kill(int(name["process"]), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:  # somebody else's, alive
            return False
        return False
    try:
        return time.time() - path.stat().st_mtime > ABANDONED_AFTER
    except OSError:  # swept by another process
        return False
