"""The two files of a model. `model.safetensors` holds weights and facts, so that they are of one moment whatever is killed between
the writing of two files; `model.json` holds the facts again, for people and other programs.

A model of older versions has its facts in `model.json` alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from torch import Tensor

from gansmith.data.atomic import write_atomically
from gansmith.data.json_files import read_sealed, sealed_json
from gansmith.data.programs import Copy
from gansmith.data.schema import MismatchError, check, describing
from gansmith.data.tensors import read_tensors, write_tensors
from gansmith.errors import UserError
from gansmith.runs.programs import Program, copies_in

WEIGHTS, FACTS = "model.safetensors", "model.json"


class Card(TypedDict):
    """What is said of a model; more may be there."""

    gan: str
    data: NotRequired[str]
    samples: NotRequired[int]


class ModelFacts(TypedDict):
    """All that a model is made of again."""

    sha256: NotRequired[str]
    format: int
    gansmith: str
    gan: str
    config: dict[str, Any]
    codec: dict[str, Any]
    card: Card
    programs: NotRequired[dict[str, Program]]


FORMAT = 1
"""The version of the facts; older ones stay loadable."""
_CHANGEABLE = ("gan", "card")
"""Facts that a user may change in `model.json` by hand: the place of a GAN's file, and what is said of the model."""


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model."""
    return (folder / FACTS).is_file() or (folder / WEIGHTS).is_file()


def write_model(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes a model of these weights and facts. Raises UserError if it cannot be written."""
    write_tensors(folder / WEIGHTS, tensors, {"model": facts})
    write_atomically(folder / FACTS, sealed_json(facts))


def read_model(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights and facts of a model. Raises UserError if there is none, or if it is damaged or of a newer version."""
    return read_checked(folder)[:2]


def read_checked(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], bool]:
    """The same, and whether a checksum says that the facts are as they were written."""
    beside, whole = _beside(folder)
    if not (folder / WEIGHTS).exists():
        raise UserError(f"{folder} holds no weights, which should be in its {WEIGHTS}: restore that file.")
    tensors, inside = read_tensors(folder / WEIGHTS)
    facts = inside.get("model")
    if facts is None:
        if whole or beside is None:
            raise UserError(f"{folder} lacks the {FACTS} that belongs to its {WEIGHTS}: restore both files from one copy.")
        return tensors, beside, False
    _check(folder / WEIGHTS, facts)
    if whole or beside is None:  # where the file beside is older, its writer was killed before it came to it
        return tensors, facts, True
    if any(beside.get(name) != facts.get(name) for name in {*beside, *facts} - {*_CHANGEABLE}):
        raise UserError(
            f"{folder / FACTS} is not the one that belongs to {WEIGHTS}: delete it, as its facts are in that file too."
        )
    return tensors, {**facts, **{name: beside[name] for name in _CHANGEABLE if name in beside}}, True


def copies_beside(folder: Path) -> dict[Path, Copy]:
    """The programs that came with the model in this folder; none where there is no model yet, or an older one."""
    facts, _ = _beside(folder)
    return copies_in(folder, facts or {})


def _beside(folder: Path) -> tuple[dict[str, Any] | None, bool]:
    """What `model.json` holds, if there is one, and whether it is known to be whole."""
    try:
        facts, whole = read_sealed(folder / FACTS)
    except FileNotFoundError:
        return None, False
    _check(folder / FACTS, facts)
    return facts, whole


def _check(path: Path, facts: Any) -> None:
    version = facts.get("format", 0) if isinstance(facts, dict) else 0
    if isinstance(version, int) and version > FORMAT:
        raise UserError(f"{path} was written by a newer gansmith ({facts.get('gansmith')}): upgrade gansmith to use it.")
    with describing(path, "facts"):
        check(facts, ModelFacts)
        for name in facts:
            if name not in ModelFacts.__annotations__:
                raise MismatchError(f"{name[:60]} is not known")
