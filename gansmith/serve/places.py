"""The folder for a server's temporary files: removed when the server ends, and by the next one if it was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO

PREFIX = "gansmith-serve-"
OWNER = ".owner"
"""The file that is locked as long as the folder's process lives."""


class Place:
    """A fresh folder, which ends with this object, or with its process."""

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._owner = (self.folder / OWNER).open("wb")
        _locks(self._owner)
        self.remove = weakref.finalize(self, _remove, self.folder, self._owner)
        """Removes it now; otherwise that happens when nobody needs it any more, or when the interpreter ends."""


def sweep() -> None:
    """Removes folders of this user whose process was killed; those of living ones are locked."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or (hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid()):
                continue
            with (folder / OWNER).open("rb+") as owner:
                left = _locks(owner)
        except OSError:
            continue  # no folder of ours, or one that somebody else removes just now
        if left:
            shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: Path, owner: IO[bytes]) -> None:
    owner.close()
    shutil.rmtree(folder, ignore_errors=True)


def _locks(file: IO[bytes]) -> bool:
    """Whether the file could be locked; never where there are no locks."""
    if os.name != "posix":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
