"""What judging remembers between calls: trained classifiers, features of training sets, scores of baselines and ceilings."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gansmith.data.cache import writing
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint

VERSION = "1"
"""Part of every key: raise it when a change of this folder's code changes a remembered value."""


def content_key(data: Dataset) -> str:
    """A hash of the content of this subset."""
    return fingerprint({} if data.indices is None else {"indices": data.indices}, data.fingerprint)


def remember(folder: Path, name: str, facts: Sequence[str], compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors that `compute` makes, read from the cache when they were made before with the same name and facts.

    They are maps of the file: the system reads them when they are needed, and may drop them when memory is short.

    Raises UserError when the folder cannot be written.
    """
    key = hashlib.sha256("\0".join((VERSION, *facts)).encode()).hexdigest()[:32]
    path = folder / "metrics" / f"{name}-{key}.safetensors"
    with suppress(OSError, SafetensorError):  # absent or damaged: made again
        return load_file(path)
    tensors = compute()
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with writing(folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()
    return load_file(path)
