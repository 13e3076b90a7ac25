"""What a source is before it is decoded: examples that can be named, counted and opened one by one."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeVar

from gansmith.data.readers.rows import CHUNK
from gansmith.kinds.images.channels_file import Opened

Label = str | int | tuple[float, ...] | None
"""A class by name or number, or the numbers of all attributes."""

Given = TypeVar("Given")
Made = TypeVar("Made")

_TASK = 16  # examples a thread takes at a time, since small images take no longer than handing them over


@dataclass(frozen=True)
class Example:
    """One image of a source, not yet decoded."""

    name: str
    """What a person would look for: the path inside the folder or zip, "photos.npz[17]"."""
    label: Label
    open: Callable[[], Opened]
    """Opens the image, reading no more than its header where the format allows; fails as Pillow fails on damaged files."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The images of a source, in an order that depends on their names or rows alone."""

    name: str
    load: Callable[[], Iterable[Example]]
    """Finds the examples, once; what it returns can be iterated several times."""
    key: Callable[[], str] | None = None
    """What identifies the content without decoding it (paths, sizes and times of files), or None if only decoding tells."""
    classes: tuple[str, ...] | None = None
    """The names that the source gives to its integer labels, if it does."""
    attributes: tuple[str, ...] = ()
    """The names of the numbers, if the labels are such."""
    notes: tuple[str, ...] = ()
    """Sentences about how the source was understood."""
    trouble: str = ""
    """Why the labels that lie beside the images cannot be used: an error for those who want labels."""
    ignored: tuple[str, ...] = ()
    """Names of files that lie among the images and are none."""
    in_memory: bool = False
    """Whether the pixels are an array that the user holds in memory, so that a cache on disk would gain nothing."""
    held_out: "Collection | None" = None
    """The test split that the source itself brings."""

    @cached_property
    def examples(self) -> Iterable[Example]:
        return self.load()


def natural(name: str) -> tuple[list[str | int], str]:
    """A sort key by which "2" comes before "10", as people expect."""
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)], name


def in_threads(make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """`map` in a small pool of threads, in order, holding one chunk in memory (Pillow's decoders release the lock)."""
    remaining = iter(given)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        while chunk := list(islice(remaining, CHUNK)):
            parts = [chunk[start : start + _TASK] for start in range(0, len(chunk), _TASK)]
            for made in pool.map(lambda part: [make(one) for one in part], parts):
                yield from made
