"""One training at a time writes to a run folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from gansmith.errors import UserError
from gansmith.training.checkpoint import cannot_write

NAME = ".training"
"""The file in the run folder that is locked; it is left there, empty."""


class Claim:
    """The right to write to a run folder, until it is given up."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder if need be. Raises UserError if another training holds it, and if it cannot be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.file: IO[str] = (folder / NAME).open("w", encoding="utf-8")
        except OSError as error:
            raise cannot_write(folder, error) from error
        try:
            _lock(self.file)
        except BlockingIOError as error:
            self.file.close()
            raise UserError(
                f"another training is writing to {folder}: let it end or stop it, or choose another --out for this one."
            ) from error

    def give_up(self) -> None:
        self.file.close()


def _lock(file: IO[str]) -> None:
    """Raises BlockingIOError if another process has locked the file; file systems without locks are trusted."""
    if os.name != "posix":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if isinstance(error, BlockingIOError):
            raise
