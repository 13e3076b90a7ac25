"""One training at a time writes to a run folder: a lock that ends with its process, however that ends.

Where the file system knows no locks (some network and container disks), the file holds a heartbeat instead: a text that changes every
few seconds as long as the training lives. Clocks of other hosts are not relied on: whoever finds a heartbeat watches whether it changes.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import IO

from gansmith.data.atomic import cannot_write, make_folder, sweep
from gansmith.errors import UserError

NAME = ".training"
"""The file in the run folder that is locked; it is left there, empty."""
BEAT = 5.0
"""Seconds from one change of the heartbeat to the next."""
SILENCE = 3
"""So many beats without a change mean that its writer is gone."""
SWEPT = (".", "checkpoints", "samples", "model", "best")
"""Folders of a run in which writers may have been killed."""


class RunLock:
    """The right to write to a run folder, until it is given up."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder if need be, and clears away what killed writers left. Raises UserError if another training holds it, and if
        it cannot be written."""
        self.remark: str | None = None
        """What the user should know: that there is no lock."""
        self._heart: Heartbeat | None = None
        try:
            make_folder(folder)
            self.file: IO[bytes] = (folder / NAME).open("a+b", buffering=0)
        except OSError as error:
            raise cannot_write(folder, error) from error
        try:
            if not _lock(self.file):
                self._heart = Heartbeat(self.file)
                self.remark = f"The disk of {folder} has no file locks, so a heartbeat in {NAME} keeps other trainings away."
        except BlockingIOError as error:
            self.file.close()
            raise UserError(
                f"another training is writing to {folder}: let it end or stop it, or choose another --out for this one."
            ) from error
        sweep(folder / name for name in SWEPT)

    def release(self) -> None:
        if self._heart is not None:
            self._heart.stop()
        self.file.close()


class Heartbeat:
    """A text in a file that changes every `BEAT` seconds."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begins to beat. Raises BlockingIOError if another heart beats in this file; to know, it may wait for some beats."""
        self.file, self.number = file, 0
        self.mark = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}"
        before = self._read()
        for _ in range(SILENCE if before else 0):
            time.sleep(BEAT)
            if self._read() != before:
                raise BlockingIOError
        self._beat()
        if before:
            time.sleep(BEAT / 5)  # of two that found the same silence, the last one to write stays
        if not self._read().startswith(self.mark):
            raise BlockingIOError
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._ended.wait(BEAT):
            self._beat()

    def _beat(self) -> None:
        self.number += 1
        self._write(f"{self.mark} {self.number}")

    def _read(self) -> str:
        self.file.seek(0)
        return self.file.read().decode(errors="replace")

    def _write(self, text: str) -> None:
        try:
            self.file.truncate(0)
            self.file.write(text.encode())
            os.fsync(self.file.fileno())
        except OSError:  # a folder that vanished or a full disk: whatever else is written there says so
            return

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._write("")


def _lock(file: IO[bytes]) -> bool:
    """Locks the file if its file system can. Raises BlockingIOError if another process has locked it."""
    if os.name != "posix":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # ENOLCK, ENOTSUP and their like
        return False
    return True
