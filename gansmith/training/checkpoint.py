"""Checkpoints: one safetensors file each, written whole or not at all; the last good one always survives."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from gansmith.data.tensors import read_tensors, write_tensors
from gansmith.errors import UserError

KEPT = 2
"""How many checkpoints stay: the newest, and the one before in case the newest is damaged."""


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
            with suppress(OSError):  # another process has set it aside, or the folder is for reading alone
                path.replace(path.with_suffix(".damaged"))
    return None
