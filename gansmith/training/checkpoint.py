"""Checkpoints: one safetensors file each, written to a temporary name, synced and renamed; the last good one always survives."""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gansmith.errors import UserError

KEPT = 2
"""How many checkpoints stay: the newest, and the one before in case the newest is damaged."""


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a crash at any byte leaves either the old one or the new one.

    Raises UserError if the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> UserError:
    """The sentence for a full disk or an unwritable folder."""
    return UserError(
        f"{path} could not be written ({error.strerror or error}): what was saved before is intact; make room or permission there "
        "and continue with --resume auto."
    )


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # makes the rename itself durable; other systems offer no such call
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes tensors and JSON facts as one safetensors file, atomically."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, save(contiguous, metadata={"gansmith": json.dumps(facts)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of such a file. Raises UserError if it is damaged or not one of ours."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["gansmith"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118, not a dict
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UserError(f"{path} is damaged or was not written by gansmith ({error}): restore it or use another one.") from error


def save_checkpoint(folder: Path, samples: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Saves the state at this many samples and removes all but the newest ones."""
    path = folder / f"{samples:012d}.safetensors"
    write_tensors(path, tensors, facts)
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    return sorted(folder.glob("[0-9]*.safetensors"))


def load_newest(folder: Path, say: Callable[[str], None]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest checkpoint that can be read, or None; every damaged one is named through `say` and set aside."""
    for path in reversed(checkpoints(folder)):
        try:
            return read_tensors(path)
        except UserError as error:
            say(f"{error} Going back to the checkpoint before.")
            path.replace(path.with_suffix(".damaged"))
    return None
