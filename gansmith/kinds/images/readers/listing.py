"""What was found in a folder is remembered, so that a folder of a million files opens in seconds the second time.

Names, sizes and times of all files are looked at every time; sorting the names and making sense of them is done once. A file that
was added, renamed, changed or removed makes the folder a new one.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from gansmith.data.atomic import write_atomically
from gansmith.data.json_files import is_sealed, sealed_json
from gansmith.data.readers.limits import check
from gansmith.kinds.images.readers.collection import Collection

Found = TypeVar("Found")

FORMAT = 2
"""Counted up when a collection is described differently, so that older descriptions are not taken for current ones."""
FEW = 1000
"""Folders with fewer files are understood in no time and need no memory."""
_COMPUTED = ("load", "key", "held_out")


def remembered(folder: Path, root: Path, find: Callable[[], Found]) -> Collection | Found:
    """What `find` makes of the folder, without asking it if the folder was found the same before.

    `root` is the cache folder. What `find` returns is remembered if it is a Collection that facts in JSON describe.
    """
    mark, count = _mark(folder)
    if count < FEW:
        return find()
    path = root / "folders" / f"{mark}.json"
    try:
        content = path.read_bytes()
        if is_sealed(content):
            return _recalled(json.loads(content), find)
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or of another version
        pass
    found = find()
    if isinstance(found, Collection) and (described := _described(found)) is not None:
        write_atomically(path, sealed_json(described))
    return found


def _mark(folder: Path) -> tuple[str, int]:
    """A hash of the names, sizes and times of change of all files below a folder, and how many they are."""
    digest = hashlib.sha256(str(FORMAT).encode())
    count, waiting, seen = 0, [os.fspath(folder)], set()
    while waiting:
        here = waiting.pop()
        real = os.path.realpath(here)
        if real in seen:  # a link back to a folder above
            continue
        seen.add(real)
        lines, below = [], []
        check("files", count, str(folder), "files or more")
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.is_dir():
                        below.append(entry.path)
                        continue
                    try:
                        facts = entry.stat()
                    except OSError:  # a link to nowhere is an unreadable file, reported later
                        facts = entry.stat(follow_symlinks=False)
                    lines.append(f"{entry.name}\0{facts.st_size}\0{facts.st_mtime_ns}")
        except OSError:  # what may not be read is reported by whoever reads
            continue
        lines.sort()
        digest.update("\n".join([real, *lines, ""]).encode(errors="surrogateescape"))
        count += len(lines)
        waiting += sorted(below)
    return digest.hexdigest()[:32], count


def _described(collection: Collection) -> dict[str, Any] | None:
    """What a collection knows before its examples are found, or None if JSON would not give it back."""
    if collection.key is None or collection.in_memory:
        return None
    facts = {field.name: getattr(collection, field.name) for field in fields(collection) if field.name not in _COMPUTED}
    held_out = _described(collection.held_out) if collection.held_out else None
    described = {"facts": facts, "key": collection.key(), "held_out": held_out}
    try:
        same = _tuples(json.loads(json.dumps(facts))) == facts
    except (TypeError, ValueError):
        return None
    return described if same and (held_out is None) == (collection.held_out is None) else None


def _recalled(described: dict[str, Any], find: Callable[[], Any]) -> Collection:
    """The collection that was described; its examples are found when somebody asks for them."""
    found = cache(find)
    held_out = _part(described["held_out"], lambda: found().held_out) if described["held_out"] else None
    return replace(_part(described, found), held_out=held_out)


def _part(described: dict[str, Any], find: Callable[[], Collection]) -> Collection:
    return Collection(load=lambda: find().load(), key=lambda: described["key"], **_tuples(described["facts"]))


def _tuples(facts: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples, collections no lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
