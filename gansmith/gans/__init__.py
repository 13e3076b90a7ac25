"""One file per paper. A file's name is its GAN's name on the command line."""

import ast
import difflib
import importlib
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.data.programs import python_module
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.game import GAN

ENTRY_POINTS = "gansmith.gans"
"""The group under which other packages offer their GANs."""


def names() -> dict[str, str]:
    """Every GAN by name with the first sentence of its file's docstring, read without importing anything."""
    here = {path.stem: _first_sentence(path, path.stat().st_mtime_ns) for path in _files()}
    others = {
        entry.name: f"from the package {entry.dist.name if entry.dist else entry.value}"
        for entry in entry_points(group=ENTRY_POINTS)
    }
    return here | others


def _files() -> list[Path]:
    return sorted(Path(__file__).parent.glob("[!_]*.py"))


@lru_cache(1024)
def _first_sentence(path: Path, changed: int) -> str:
    """That of a file as it was changed last: reading all takes a tenth of a second, and is often asked for."""
    return " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0].split())


def find(name: str) -> type["GAN"]:
    """The GAN of this name: a file here, an entry point of another package, or a path to a file that defines one.

    Raises UserError if there is none, with the nearest name, and for a path that may not run (see `gansmith.data.programs`).
    """
    if not isinstance(name, str):
        raise UserError(f"A GAN is named by a word or the path of a .py file, but {name!r} came: give one.")
    if name.endswith(".py"):
        return _only_gan(python_module(Path(name), "--gan", "a GAN"), name)
    if name in {path.stem for path in _files()}:
        return _only_gan(importlib.import_module(f"gansmith.gans.{name}"), name)
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return _loaded(entry)
    known = names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}, or give the path of a .py file."
    raise UserError(f"There is no GAN named {name!r}: {hint}")


def _loaded(entry: EntryPoint) -> type["GAN"]:
    try:
        return entry.load()
    except Exception as error:  # whatever another package raises
        package = entry.dist.name if entry.dist else entry.value
        raise UserError(
            f"The GAN {entry.name} of the package {package} cannot be loaded ({error}): update that package."
        ) from error


def _only_gan(module, name: str) -> type["GAN"]:
    from gansmith.game import GAN

    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, GAN) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise UserError(f"{name} must define exactly one subclass of gansmith.GAN, but it defines {len(found)}.")
    return found[0]
