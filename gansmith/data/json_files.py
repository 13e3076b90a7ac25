"""JSON from files of others: within limits, and every fault of it a sentence; and JSON that carries its own checksum."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from gansmith.data import seal
from gansmith.data.readers.files import read_whole
from gansmith.data.readers.json_text import parsed
from gansmith.errors import UserError

SEAL = "sha256"
_SEAL = re.compile(rb'"sha256": "([0-9a-f]{64})"')
LINE_SEAL = "crc32"
_LINE = re.compile(r'(.*)"crc32": "([0-9a-f]{8})"\}', re.DOTALL)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises UserError if that holds anything else, and FileNotFoundError if there is no file."""
    return object_in(path, content_of(path))


def content_of(path: Path) -> bytes:
    """The bytes of a JSON file. Raises UserError for what is no file or larger than the limit `json_bytes`, FileNotFoundError if there
    is none."""
    try:
        return read_whole(path, "json_bytes")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}): restore it, or give permission.") from error


def object_in(path: Path, content: bytes) -> dict[str, Any]:
    """The JSON object in the content of this file. Raises UserError if that is anything else."""
    try:
        found = parsed(content, str(path))
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is damaged ({error}): restore it.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} should hold a JSON object, but it holds {_named(found)}: restore it.")
    return found


def _named(value: Any) -> str:
    return {list: "a list", str: "a text", type(None): "null", bool: "true or false"}.get(type(value), "a number")


def read_sealed(path: Path) -> tuple[dict[str, Any], bool]:
    """The JSON object in a file without its checksum, and whether it carried one: it is as it was written then.

    Raises UserError if it has changed since, and as `read_object` does.
    """
    content = content_of(path)
    facts = object_in(path, content)
    if SEAL in facts and not is_sealed(content):
        raise UserError(
            f"{path} has changed since it was written: restore it, or, if the change is yours, remove its line {SEAL!r}."
        )
    return {name: value for name, value in facts.items() if name != SEAL}, SEAL in facts


def sealed_line(record: Mapping[str, Any]) -> str:
    """A record as a line of JSON that carries its checksum, in the field "crc32"."""
    text = json.dumps(record)
    return f'{text[:-1]}{", " if record else ""}"{LINE_SEAL}": "{crc32(text.encode()):08x}"}}\n'


def record_in(line: str) -> dict[str, Any] | None:
    """The record in such a line without its checksum; None where it is damaged or cut short. Lines of older versions carry none."""
    found = _LINE.fullmatch(line.rstrip("\n"))
    text = f"{found[1].removesuffix(', ')}}}" if found else line
    if found and found[2] != f"{crc32(text.encode()):08x}":
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and LINE_SEAL not in record else None


def sealed_json(facts: Mapping[str, Any]) -> bytes:
    """Facts as JSON that carries its checksum, in the field "sha256"."""
    return seal.sealed(json.dumps({SEAL: seal.BLANK, **facts}, indent=2).encode(), _SEAL)


def is_sealed(content: bytes) -> bool:
    """Whether JSON carries its checksum, and so is whole."""
    return seal.fits(content, _SEAL)
