"""How large the things are that readers take, and how a limit is raised.

A damaged or hostile file of a few kilobytes can claim, or unpack to, more than any memory holds. Every reader asks `check` before it
allocates. A limit is raised for a process by the environment variable GANSMITH_LIMITS="pixels=4e8,members=5e6", or in Python by
`raise_limits(pixels=400_000_000)`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError

VARIABLE = "GANSMITH_LIMITS"
SMALL = 2**23
"""Packed data that unpack to no more bytes than this may be packed as tightly as they like."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest values; whatever lies above is a UserError that names the limit."""

    pixels: int = 89_000_000
    """Pixels of one picture, and of all pictures that are decoded at the same time; Pillow warns from here."""
    animation_pixels: int = 2**28
    """Pixels of all frames of an animation together, which are in memory until it is written."""
    members: int = 2_000_000
    """Files in one archive."""
    files: int = 5_000_000
    """Files below one folder."""
    searched: int = 200_000
    """Files and folders that are looked at below one folder if none of them can be read."""
    member_bytes: int = 2**28
    """Unpacked bytes of one file in an archive that is read whole: a picture, a table of labels."""
    ratio: int = 200
    """How many times larger than their packed form data of more than 8 MiB may be: zip, npz and gz files."""
    array_bytes: int = 2**32
    """Bytes of an array or a text that is read into memory whole: points, series, labels."""
    label_bytes: int = 2**27
    """Bytes of a table of labels beside images."""
    line_chars: int = 2**24
    """Characters of one line of a text file."""
    columns: int = 100_000
    """Columns of a table."""
    cells: int = 200_000_000
    """Rows times columns of a table."""
    related_rows: int = 2_000_000
    """Rows that are made of one of several related tables, which are as many as their parents say."""
    json_bytes: int = 2**26
    """Bytes of a JSON file."""
    json_depth: int = 100
    """Lists and objects inside one another in JSON."""
    seeds: int = 1_000_000
    """Seeds named by one option."""


_raised: dict[str, int] = {}


def raise_limits(**limits: int) -> None:
    """Sets limits for this process. Raises UserError for a limit that does not exist or is not a whole number from 1."""
    _raised.update(_checked(limits))


def limits_in(text: str) -> dict[str, int]:
    """The limits in "pixels=4e8,members=5e6". Raises UserError for anything else."""
    given: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"limits are written NAME=NUMBER, such as pixels=4e8,members=5e6, not {part!r}.")
        given[name.strip()] = value.strip()
    return _checked(given)


def current() -> Limits:
    """The limits that hold now."""
    return _limits(os.environ.get(VARIABLE, ""), tuple(_raised.items()))


def check(limit: str, value: int, what: str, unit: str) -> None:
    """Raises UserError if `value` lies above the limit of this name: "WHAT has VALUE UNIT, more than the limit of ..."."""
    most = getattr(current(), limit)
    if value > most:
        raise UserError(
            f"{what} has {value:,} {unit}, more than the limit of {most:,}: give something smaller, or set "
            f"{VARIABLE}={limit}={value} to read it all the same."
        )


def check_ratio(unpacked: int, packed: int, what: str) -> None:
    """Raises UserError for data that unpack to more than 8 MiB and to `ratio` times their packed size."""
    most = current().ratio
    if unpacked > SMALL and unpacked > most * max(packed, 1):
        raise UserError(
            f"{what} unpacks to {unpacked // max(packed, 1):,} times its size or more, above the limit of {most:,}, as files do that "
            f"are made to fill memory: write it uncompressed, or set {VARIABLE}=ratio={unpacked // max(packed, 1) + 1}."
        )


@lru_cache(maxsize=8)
def _limits(environment: str, raised: tuple[tuple[str, int], ...]) -> Limits:
    return replace(Limits(), **{**limits_in(environment), **dict(raised)})


def _checked(given: Mapping[str, int | str]) -> dict[str, int]:
    names, found = [field.name for field in fields(Limits)], {}
    for name, value in given.items():
        if name not in names:
            raise UserError(f"there is no limit {name!r}{did_you_mean(name, names)}: the limits are {', '.join(names)}.")
        try:
            if isinstance(value, bool):
                raise TypeError
            found[name] = int(float(value))
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"the limit {name} takes a whole number, such as 4e8, not {value!r}.") from error
        if found[name] < 1:
            raise UserError(f"the limit {name} must be at least 1, but it is {value}.")
    return found
