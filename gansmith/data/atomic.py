"""Files that appear whole or not at all: written beside their place under a temporary name, synced, and renamed."""

import contextlib
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from gansmith.errors import UserError

ABANDONED_AFTER = 3600
"""Seconds after its last change at which a temporary file is nobody's, where its writer cannot be asked."""
_TEMPORARY = re.compile(
    r"\..+\.(?P<host>[\w-]+)\.(?P<process>\d+)\.[0-9a-f]{16}\.tmp(\.\w+)?|\..+\.\d+\.tmp|\.report\.html\.\d+|\..+\.\d+-[0-9a-f]{8}\.part.*"
)  # all but the first are of older versions


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
        "and repeat the command, a training with --resume auto."
    )


def temporary(path: Path, suffix: str = "") -> Path:
    """A name beside this path that no other process takes, on this host or on another one that shares the disk.

    It ends in `suffix`, for writers that go by it.
    """
    name = os.fsencode(path.name)[:100].decode(errors="ignore")
    return path.with_name(f".{name}.{_host()}.{os.getpid()}.{secrets.token_hex(8)}.tmp{suffix}")


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


def sweep(folders: Iterable[Path], after: float = ABANDONED_AFTER) -> None:
    """Removes the temporary files and folders of writers that were killed: on this host, of processes that are gone; else those that did
    not change for `after` seconds."""
    for folder in folders:
        for path in folder.glob(".*") if folder.is_dir() else ():
            if (match := _TEMPORARY.fullmatch(path.name)) and _abandoned(path, match, after):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)


def _abandoned(path: Path, name: re.Match[str], after: float) -> bool:
    if name["host"] == _host() and os.name == "posix":
        try:
            os.kill(int(name["process"]), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:  # somebody else's, alive
            return False
        return False
    try:
        return time.time() - path.stat().st_mtime > after
    except OSError:  # swept by another process
        return False
