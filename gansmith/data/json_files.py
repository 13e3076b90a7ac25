"""JSON from files of others: within limits, and every fault of it a sentence; and JSON that carries its own checksum."""

import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gansmith.data import seal
from gansmith.errors import UserError

SEAL = "sha256"
_SEAL = re.compile(rb'"sha256": "([0-9a-f]{64})"')
LARGEST = 1 << 26
"""Bytes of a file; those of tables with 100,000 categories have a tenth of it."""


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises UserError if that holds anything else, and FileNotFoundError if there is no file."""
    return parse_json(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most `LARGEST` bytes. Raises UserError for others, FileNotFoundError if there is none."""
    known = path.stat()
    if not stat.S_ISREG(known.st_mode):  # a pipe would be waited for, a device read without end
        raise UserError(f"{path} should be a file, but it is a folder, pipe or device: give another path.")
    if known.st_size > LARGEST:
        raise UserError(f"{path} has {known.st_size:,} bytes, where at most {LARGEST:,} are expected: restore it.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}): restore it, or make permission.") from error


def parse_json(path: Path, content: bytes) -> dict[str, Any]:
    """The JSON object in the content of this file. Raises UserError if that is anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise UserError(f"{path} is damaged ({reason}): restore it.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} should hold a JSON object, but it holds {_named(found)}: restore it.")
    return found


def _named(value: Any) -> str:
    return {list: "a list", str: "a text", type(None): "null", bool: "true or false"}.get(type(value), "a number")


def sealed_json(facts: Mapping[str, Any]) -> bytes:
    """Facts as JSON that carries its checksum, in the field "sha256"."""
    return seal.sealed(json.dumps({SEAL: seal.BLANK, **facts}, indent=2).encode(), _SEAL)


def is_sealed(content: bytes) -> bool:
    """Whether JSON carries its checksum, and so is whole."""
    return seal.fits(content, _SEAL)
