"""What judging remembers between calls: trained classifiers, features of training sets, scores of baselines and ceilings."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from gansmith.data.atomic import sweep
from gansmith.data.cache import writing
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.tensors import map_tensors, write_tensors
from gansmith.errors import UserError

VERSION = "1"
"""Part of every key: raise it when a change of this folder's code changes a remembered value."""


def content_key(data: Dataset) -> str:
    """A hash of the content of this subset."""
    return fingerprint({} if data.indices is None else {"indices": data.indices}, data.fingerprint)


def remember(folder: Path, name: str, facts: Sequence[str], compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors that `compute` makes, read from the cache when they were made before with the same name and facts.

    They are maps of the file: the system reads them when they are needed, and may drop them when memory is short.

    All of the file is held against its checksum first. Raises UserError when the folder cannot be written.
    """
    key = hashlib.sha256("\0".join((VERSION, *facts)).encode()).hexdigest()[:32]
    path = folder / "metrics" / f"{name}-{key}.safetensors"
    with suppress(UserError):  # absent or damaged: made again
        return map_tensors(path)
    tensors = compute()
    with writing(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
    sweep([path.parent])
    write_tensors(path, tensors, {})
    return map_tensors(path)
