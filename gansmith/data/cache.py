"""Decoded data on disk: memory-mapped arrays that are built once, appear whole or not at all, and are checked when opened."""

import hashlib
import io
import json
import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from platformdirs import user_cache_path

from gansmith.data.atomic import sweep, temporary
from gansmith.data.fingerprint import Content
from gansmith.data.json_files import is_sealed, sealed_json
from gansmith.errors import UserError

FORMAT = 4
"""Counted up when what is cached changes its meaning, so that older entries are not taken for current ones."""
_FACTS, _CHECKED = "facts.json", "checked"
BLOCK = 1 << 26
"""Bytes that are hashed together."""
WHOLE = 1 << 30
"""Entries up to so many bytes are read whole whenever they are opened: 0.6 seconds of CPU (bench/results/faults.md)."""
SAMPLED = 4
"""Blocks of larger ones that are read when they are opened."""
TRUSTED_FOR = 30 * 24 * 3600
"""Seconds after which larger ones are read whole again: a disk may change bits without anybody writing."""
_ABANDONED_AFTER = 24 * 3600  # seconds


@dataclass(frozen=True)
class Entry:
    """Arrays [N, ...] by key, mapped read-only from disk, and the JSON facts that were stored with them."""

    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


def cache_folder(chosen: Path | None = None) -> Path:
    """`chosen`, or the folder named by GANSMITH_CACHE, or `gansmith` where this system keeps caches (on Linux XDG_CACHE_HOME)."""
    if chosen is not None:
        return Path(chosen).expanduser()
    if own := os.environ.get("GANSMITH_CACHE"):
        return Path(own).expanduser()
    return user_cache_path("gansmith", appauthor=False)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns a cache that cannot be written (no permission, no room) into a UserError that says what to change."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        message = f"the cache folder {folder} cannot be written ({why}): set GANSMITH_CACHE to a folder where there is room."
        raise UserError(message) from error


class Writer:
    """Appends chunks of rows to one .npy file a key, so that nothing but the current chunk is in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.contents: dict[str, Content] = {}
        """The hash of each array so far."""
        self._files: dict[str, BinaryIO] = {}

    def append(self, rows: Mapping[str, np.ndarray]) -> None:
        with writing(self.folder.parent.parent):
            for key, array in rows.items():
                if key not in self._files:
                    self._files[key] = open(self.folder / f"{key}.npy", "wb")  # noqa: SIM115 (closed by `close`)
                    self._files[key].write(_header(array.dtype, (0, *array.shape[1:])))
                    self.contents[key] = Content(array.dtype, array.shape[1:])
                content = self.contents[key]
                assert (array.dtype, array.shape[1:]) == (content.dtype, content.row), (key, array.dtype, array.shape)
                content.append(array)
                self._files[key].write(np.ascontiguousarray(array).data)
        self.count += len(next(iter(rows.values())))

    def close(self) -> None:
        with writing(self.folder.parent.parent):
            for key, file in self._files.items():
                file.seek(0)
                file.write(_header(self.contents[key].dtype, (self.count, *self.contents[key].row)))
                file.flush()
                os.fsync(file.fileno())
                file.close()

    def abandon(self) -> None:
        for file in self._files.values():
            try:
                file.close()
            except OSError:  # the same full disk, met again while flushing what is thrown away
                continue
        shutil.rmtree(self.folder, ignore_errors=True)


def stored(root: Path, name: str, key: str) -> Entry | None:
    """The entry under this key, or None if there is none or it is damaged."""
    return _opened(_place(root, name, key))


def store(root: Path, name: str, key: str | None, fill: Callable[[Writer], dict[str, Any]]) -> Entry:
    """Builds an entry: `fill` appends rows to the writer and returns JSON facts.

    The entry is written under a temporary name and renamed, so a killed process leaves no half entry and of two processes that
    build the same one either wins. Without a key the content itself is the key: the facts' "fingerprint".
    """
    with writing(root):
        _datasets(root).mkdir(parents=True, exist_ok=True)
        _sweep(_datasets(root))
        partial = temporary(_datasets(root) / "entry")
        partial.mkdir()
    writer = Writer(partial)
    try:
        facts = fill(writer)
        writer.close()
        facts |= {
            "blocks": {path.name: [_hash(path, number) for number in range(_count(path))] for path in partial.glob("*.npy")}
        }
        with writing(root):
            (partial / _CHECKED).touch()
            with open(partial / _FACTS, "wb") as file:
                file.write(sealed_json(facts))
                file.flush()
                os.fsync(file.fileno())
            return _moved(partial, _place(root, name, key or facts["fingerprint"]))
    finally:
        writer.abandon()


def _moved(partial: Path, place: Path) -> Entry:
    for _ in range(3):
        try:
            partial.rename(place)
        except OSError:
            if not place.exists():
                raise
        if entry := _opened(place):
            return entry
        aside = temporary(place)  # a damaged entry is in the way
        place.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    raise OSError(f"what was written to {place} reads back damaged")


def _opened(place: Path) -> Entry | None:
    """The entry in this folder if it is as it was written; see `_is_whole`."""
    try:
        content = (place / _FACTS).read_bytes()
        facts = json.loads(content)
        if not (is_sealed(content) and _is_whole(place, facts["blocks"])):
            return None
        return Entry({Path(name).stem: np.load(place / name, mmap_mode="r") for name in facts["blocks"]}, facts)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def _is_whole(place: Path, blocks: Mapping[str, list[str]]) -> bool:
    """Whether arrays have the hashes that were taken when they were written.

    All bytes are read of entries up to `WHOLE` bytes. Larger ones, which would take long, are read whole if a file has changed since
    that was last done, or if that was `TRUSTED_FOR` seconds ago; else some blocks, each time others.
    """
    paths, marker = [place / name for name in blocks], place / _CHECKED
    wanted = [(path, number) for path in paths for number in range(len(blocks[path.name]))]
    if any(len(blocks[path.name]) != _count(path) for path in paths):
        return False
    lately = _unchanged_since(marker, paths) and sum(path.stat().st_size for path in paths) > WHOLE
    if lately:
        wanted = random.SystemRandom().sample(wanted, min(SAMPLED, len(wanted)))
    if any(_hash(path, number) != blocks[path.name][number] for path, number in wanted):
        return False
    if not lately:
        with suppress(OSError):  # a cache that is for reading alone
            marker.touch()
    return True


def _unchanged_since(marker: Path, paths: Sequence[Path]) -> bool:
    try:
        checked = marker.stat().st_mtime
    except FileNotFoundError:
        return False
    return time.time() - checked < TRUSTED_FOR and all(path.stat().st_mtime < checked for path in paths)


def _count(path: Path) -> int:
    return -(-path.stat().st_size // BLOCK)


def _hash(path: Path, number: int) -> str:
    with open(path, "rb") as file:
        file.seek(number * BLOCK)
        return hashlib.sha256(file.read(BLOCK)).hexdigest()


def _header(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """The .npy header of an array; NumPy pads it so that the number of rows can grow in place."""
    header = io.BytesIO()
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def _datasets(root: Path) -> Path:
    return root / "datasets"


def _place(root: Path, name: str, key: str) -> Path:
    return _datasets(root) / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:48]}-{key}"


def _sweep(folder: Path) -> None:
    """Removes what killed processes left half built."""
    sweep([folder], _ABANDONED_AFTER)
    for path in folder.glob("*.partial"):  # of older versions
        try:
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(path, ignore_errors=True)
        except FileNotFoundError:  # another process swept it
            continue
