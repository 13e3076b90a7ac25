"""Files before they are read: what identifies them, whether reading them can end, and which there are below a folder."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from gansmith.data.readers.limits import VARIABLE, check, current
from gansmith.errors import UserError

_STRANGE = ((stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
_SYSTEM, _SHARED_MEMORY = (Path("/proc"), Path("/sys"), Path("/dev")), Path("/dev/shm")


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
    """Raises UserError for devices, pipes and sockets, for a whole disk, and for folders in which the system shows itself."""
    try:
        _check_folder(path)
        check_ends(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}): copy what it holds to a file.") from error
    except OSError:  # what is not there, or not allowed, is reported by whoever reads
        return


def files_below(folder: Path, wanted: Callable[[str], bool], *, links: bool = False) -> list[Path]:
    """The files below a folder, in no order, hidden ones left out; with `links`, those behind links to folders too.

    Raises UserError above the limit `files`, after as many as the limit `searched` of which no name is `wanted`, and as `refuse_endless`
    does for folders: no search runs through a whole disk.
    """
    _check_folder(folder)
    limits = current()
    found: list[Path] = []
    fruitless, looked_at = True, 0
    for here, folders, names in _walked(folder, links):
        found += [here / name for name in names if not name.startswith(".")]
        looked_at += len(folders) + len(names)
        fruitless = fruitless and not any(map(wanted, names))
        if len(found) > limits.files:
            check("files", len(found), str(folder), "files or more")
        if fruitless and looked_at > limits.searched:
            raise UserError(
                f"{folder} holds nothing to read among the first {looked_at:,} files and folders in it: name the folder that holds the "
                f"data, or set {VARIABLE}=searched={10 * limits.searched} to search on."
            )
    return found


def _walked(folder: Path, links: bool) -> Iterator[tuple[Path, list[str], list[str]]]:
    """(folder, folders in it, files in it) of every folder that is not hidden; each once, even if links lead back to it."""
    seen = set()
    for here, folders, names in os.walk(folder, followlinks=links):
        if links:
            seen.add(os.path.realpath(here))
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not (links and os.path.realpath(os.path.join(here, name)) in seen)
        ]
        yield Path(here), folders, names


def _check_folder(folder: Path) -> None:
    """Raises UserError for a whole disk, and for folders in which the system shows itself."""
    try:
        place = folder.resolve()
        is_folder = place.is_dir()
    except (OSError, ValueError, RuntimeError):  # reported by whoever reads
        return
    if is_folder and place.parent == place:
        raise UserError(f"{folder} is a whole disk: name the folder that holds the data.")
    if is_folder and any(place.is_relative_to(own) for own in _SYSTEM) and not place.is_relative_to(_SHARED_MEMORY):
        raise UserError(f"{folder} belongs to the system and holds no data: name the folder that does.")


def read_whole(path: Path, limit: str) -> bytes:
    """The bytes of a file, no more than the limit of this name (see `Limits`). Raises UserError, and OSError as `open` does."""
    check(limit, check_ends(path), str(path), "bytes")
    most = path.stat().st_size
    with open(path, "rb") as file:
        return file.read(most)
