"""Tensors and JSON facts in one safetensors file, which carries its own checksum; no pickle."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from gansmith.data import seal
from gansmith.data.atomic import replacing, temporary
from gansmith.data.readers.files import check_ends
from gansmith.errors import UserError

FACTS = "gansmith"
"""The one entry of the file's metadata: the checksum, a space, and the facts; in files of older versions the facts alone."""
_SEAL = re.compile(rb'"gansmith":"([0-9a-f]{64}) ')
_LARGEST_HEADER = 100_000_000  # bytes, as safetensors has it
_PIECE = 1 << 22


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes tensors and JSON facts as one safetensors file, atomically. Raises UserError if it cannot be written."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as draft:
        draft.touch()
        mode = draft.stat().st_mode
        room = temporary(
            path
        )  # a folder, since safetensors writes drafts of its own, under names that do not tell whose they are
        room.mkdir()
        try:
            save_file(contiguous, room / "tensors", metadata={FACTS: f"{seal.BLANK} {json.dumps(facts)}"})
            (room / "tensors").replace(draft)
        except SafetensorError as error:  # hides the error of the operating system in its text
            raise OSError(0, str(error).rpartition("I/O error: ")[2].partition(" (os error")[0]) from error
        finally:
            shutil.rmtree(room, ignore_errors=True)
        draft.chmod(mode)  # as readable as other files of this user, which safetensors' own are not
        with draft.open("r+b") as file:
            head = _head(file, draft.stat().st_size)
            sealed = seal.sealed(head, _SEAL, _pieces(file))
            file.seek(0)
            file.write(sealed)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of such a file. Raises UserError if it is damaged or not one of ours."""
    facts = check_tensors(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118, not a dict
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def map_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of such a file as maps of it: the system reads them when they are needed, and may drop them when memory is short.

    Raises UserError if it is damaged or not one of ours.
    """
    check_tensors(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def check_tensors(path: Path) -> dict[str, Any]:
    """The facts of such a file, all of which was read and held against its checksum; files of older versions carry none.

    Raises UserError if it is damaged or not one of ours.
    """
    try:
        size = check_ends(path)
        with open(path, "rb") as file:
            head = _head(file, size)
            metadata = json.loads(head[8:]).get("__metadata__", {})
            if metadata.keys() != {FACTS}:
                raise ValueError("it has no facts of gansmith")
            text = metadata[FACTS]
            if not text.startswith("{"):
                if not seal.fits(head, _SEAL, _pieces(file)):
                    raise ValueError("it does not fit its checksum")
                text = text[len(seal.BLANK) :]
            facts = json.loads(text)
    except (OSError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if not isinstance(facts, dict):
        raise _damaged(path, ValueError("its facts are no JSON object"))
    return facts


def _damaged(path: Path, error: Exception) -> UserError:
    reason = error.strerror or error if isinstance(error, OSError) else error
    return UserError(f"{path} is damaged or was not written by gansmith ({reason}): restore it or use another one.")


def _head(file: BinaryIO, size: int) -> bytes:
    length = file.read(8)
    number = int.from_bytes(length, "little")
    if len(length) < 8 or number > min(size - 8, _LARGEST_HEADER):
        raise ValueError("its header is cut off")
    return length + file.read(number)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
