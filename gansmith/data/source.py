"""Where data come from, before anything of them is decoded."""

from __future__ import annotations

import errno
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.readers.archives import opened_archive
from gansmith.data.readers.files import Unreadable
from gansmith.errors import UserError

LISTED, LOOKED_AT = 5_000, 50_000
"""So many names of files in a folder, and so many of files and folders, are looked at to recognise a kind of data."""
_HUB = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Source:
    """What a user gave as data: a path, a built-in or hub name, or a Python object."""

    given: Any

    def __post_init__(self) -> None:
        """Raises UserError for a path that no file can have, and for an array some of whose values are masked."""
        if isinstance(self.given, str | Path):
            _check_name(str(self.given))
        elif isinstance(self.given, np.ma.MaskedArray) and np.ma.is_masked(self.given):
            raise UserError("some values of the array are masked, which says nothing of what they are: fill them in (.filled()).")

    @cached_property
    def path(self) -> Path | None:
        """The file or folder that was named, if it exists."""
        if not isinstance(self.given, str | Path):
            return None
        path = Path(self.given).expanduser()
        return path if path.exists() else None

    @property
    def is_folder(self) -> bool:
        return self.path is not None and self.path.is_dir()

    @property
    def is_file(self) -> bool:
        return self.path is not None and not self.path.is_dir()

    @property
    def is_hub_name(self) -> bool:
        """Whether it reads as "user/name" and is no path here."""
        return (
            isinstance(self.given, str) and bool(_HUB.fullmatch(self.given)) and not Path(self.given).expanduser().parent.exists()
        )

    @property
    def from_python(self) -> bool:
        """Whether it is an object rather than a path or name."""
        return not isinstance(self.given, str | Path)

    @property
    def suffix(self) -> str:
        """The suffix of a file in lower case (".csv.gz" and ".smi.gz" in full); "" of anything else."""
        if not self.is_file or self.path is None:
            return ""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else (suffixes or [""])[-1]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of files: those below a folder (hidden ones left out), of the members of a zip or npz, or of the file itself; at most
        LISTED, in no order."""
        if self.path is None:
            return ()
        if self.is_folder:
            return tuple(islice(_below(self.path), LISTED))
        if self.suffix in (".zip", ".npz"):
            with suppress(Unreadable, UserError), opened_archive(self.path) as archive:
                return tuple(islice((name for name in archive.namelist() if not name.endswith("/")), LISTED))
            return ()
        return (self.path.name,)

    def count(self, *suffixes: str) -> int:
        """How many of `names` end with one of these suffixes, in any case."""
        return sum(name.lower().endswith(suffixes) for name in self.names)

    def said(self) -> str:
        """What was given, in few words."""
        return str(self.given) if isinstance(self.given, str | Path) else f"a Python {type(self.given).__name__}"


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Inside, damaged packing and files that cannot be read are a UserError that names the data, if no reader has said more."""
    try:
        yield
    except (Unreadable, PermissionError, EOFError, zlib.error) as error:
        raise UserError(f"{source.said()} cannot be read ({error}): check that it is whole and that you may read it.") from error


def _check_name(name: str) -> None:
    try:
        Path(name).expanduser().lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UserError(
                f"{name[:60]}... has a name of {len(name):,} characters, more than files can have: name other data."
            ) from error
    except (ValueError, RuntimeError) as error:  # a null character, or the home of nobody
        raise UserError(f"{name[:200]!r} is no path ({error}): name other data.") from error


def _below(folder: Path) -> Iterator[str]:
    """The files below a folder as relative paths, every folder once."""
    pending, seen, looked_at = [folder], set[str](), 0
    while pending and looked_at < LOOKED_AT:
        here = pending.pop()
        try:
            real = os.path.realpath(here)
            entries = [] if real in seen else sorted(islice(here.iterdir(), LOOKED_AT))
        except OSError:
            continue
        seen.add(real)
        for entry in entries:
            looked_at += 1
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                pending.append(entry)
            else:
                yield str(entry.relative_to(folder))


def is_frame(data: Any) -> bool:
    """Whether this is a data frame, without importing any library of them."""
    if type(data).__name__ == "LazyFrame" or type(data).__module__.split(".")[0] in ("torch", "numpy"):
        return False  # a lazy one holds no rows yet, and warns when it is asked for its columns
    return hasattr(data, "columns") and hasattr(data, "shape")
