"""From whatever a user names as data to a data set: the kind is recognised, its options are read, its reader is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gansmith import kinds
from gansmith.data.cache import cache_folder
from gansmith.data.codec import Codec
from gansmith.data.dataset import Dataset
from gansmith.data.inspection import Inspection
from gansmith.data.options import DataOptions
from gansmith.data.source import Source, reading
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.values import Name, checked
from gansmith.errors import UserError
from gansmith.kinds.kind import Kind


@checked
def open_dataset(
    data: Any,
    *,
    kind: Name | None = None,
    cache: Path | None = None,
    like: Codec[Any] | None = None,
    originals: bool = False,
    **options: Any,
) -> Dataset:
    """The examples of `data`, decoded and ready to be dealt.

    `data` is a folder or file, a built-in name (`gansmith list data`), a hub name "user/name", a NumPy array or tensor, a tuple (images,
    labels), a map-style torch data set, a list of pictures, a data frame, or a `Dataset`, which is returned as it is. `kind` says what
    they are where that is not plain ("pairs" and "domains" are images from which others are made). `options` are those of the kind, e.g.
    `kinds.images.options.Options`: resolution, crop, channels, ...; `gansmith train --kind NAME --help` lists them.

    With `like`, the data are encoded as that codec does. With `originals`, images that had to be resized stay at hand in their own sizes
    too (`Dataset.originals`). `Dataset.remarks()` says how the data were read. What is decoded is kept under `cache` ($GANSMITH_CACHE, or
    ~/.cache/gansmith).

    Raises UserError for data that cannot be read, and for options that the kind does not have.
    """
    if isinstance(data, Dataset):
        if options:
            raise UserError(f"a Dataset is already decoded: give {', '.join(options)} where it is opened.")
        return data
    found, own = read_options(data, kind, options)
    with reading(source := Source(data)):
        return found.open(source, own, cache=cache_folder(cache), like=like, originals=originals)


def inspect_dataset(data: Any, *, kind: str | None = None, cache: Path | None = None, **options: Any) -> Inspection:
    """What is in `data` (as of `open_dataset`) and what is wrong with it; unreadable files are part of the report.

    Raises UserError if there is nothing to look at.
    """
    if isinstance(data, Dataset):
        raise UserError("a Dataset is already decoded: inspect the folder, file or array that it was made of.")
    found, own = read_options(data, kind, options)
    with reading(source := Source(data)):
        return found.inspect(source, own, cache=cache_folder(cache))


def read_options(
    data: Any, kind: str | None, options: Mapping[str, Any], beside: Iterable[str] = ()
) -> tuple[Kind[Any, Any], DataOptions]:
    """The kind of this data and its options; `beside` are names that the caller takes besides, for suggestions.

    Raises UserError for data of no kind, and for options that the kind does not have.
    """
    source, given = Source(data), {name: value for name, value in options.items() if value is not None}
    with reading(source):
        found = kinds.recognise(source, kind, given)
    own = {field.name for field in fields(found.Options)}
    for name in given.keys() - own:
        if theirs := kinds.with_option(name):
            flag = name.replace("_", "-")
            raise UserError(
                f"--{flag} is an option for {' and '.join(theirs)}, and {source.said()} holds {found.name}: leave it out."
            )
        every = [*own, *beside]
        raise UserError(
            f"there is no option {name}{did_you_mean(name, every)}: {found.name} take {listed(sorted(own), 20) or 'none'}."
        )
    return found, found.Options(**{**(kinds.spelled(kind) if kind is not None else {}), **given})
