"""Files that a command writes where the user says: over no other file, and whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gansmith.data.atomic import sweep, temporary
from gansmith.data.suggestions import listed
from gansmith.errors import UserError

_SWEPT: set[Path] = set()
"""Folders in which this process has looked for what killed writers left."""


def refuse_overwriting(
    made: Iterable[Path], given: Iterable[Path | None] = (), *, overwrite: bool = False, option: str = "--out"
) -> None:
    """Raises UserError if writing the files `made` would replace a file that exists, unless `overwrite`.

    It raises whatever `overwrite` says if one of them is also read by the same command (`given`), is a folder, a device or a pipe, or
    would be written twice. `option` names them in the sentence.
    """
    change = f"choose another {option}"
    read = {identity: path for path in given if path is not None and (identity := _identity(path))}
    places: dict[str, Path] = {}
    there: list[str] = []
    for path in made:
        identity = _identity(path)
        if identity in read:
            raise UserError(f"{read[identity]} is read by this command and would be overwritten: {change}.")
        if identity and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or a pipe"
            raise UserError(f"{path} is {what}, but a file is written there: {change}.")
        if places.setdefault(os.path.realpath(path), path) is not path:
            raise UserError(f"{path} would be written twice: rename one of the files that it is made from.")
        there += [str(path)] if os.path.lexists(path) else []
    if there and not overwrite:
        what = f"{there[0]} exists" if len(there) == 1 else f"{len(there)} files exist ({listed(there, 2)})"
        raise UserError(f"{what} and would be overwritten: {change}, or give --overwrite.")


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others, whatever its names, if it is there."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file that stands at `path` if all went well; else what was there stays.

    What killed writers left beside it is cleared away, once for every folder.
    """
    if (folder := path.parent.absolute()) not in _SWEPT:
        _SWEPT.add(folder)
        sweep([folder])
    part = temporary(path, path.suffix)
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        if error.strerror is None:  # NumPy and Pillow say how much they could not write, and not why
            raise UserError(f"{path} could not be written ({error}): make room or permission there.") from error
        raise
    finally:
        part.unlink(missing_ok=True)
