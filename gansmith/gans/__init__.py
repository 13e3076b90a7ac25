"""One file per paper. A file's name is its GAN's name on the command line."""

import ast
import difflib
import importlib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.game import GAN

ENTRY_POINTS = "gansmith.gans"
"""The group under which other packages offer their GANs."""


def names() -> dict[str, str]:
    """Every GAN by name with the first line of its file's docstring, read without importing anything."""
    here = {path.stem: _first_line(path) for path in sorted(Path(__file__).parent.glob("[!_]*.py"))}
    others = {
        entry.name: f"from the package {entry.dist.name if entry.dist else entry.value}"
        for entry in entry_points(group=ENTRY_POINTS)
    }
    return here | others


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def find(name: str) -> type["GAN"]:
    """The GAN of this name: a file here, an entry point of another package, or a path to a file that defines one.

    Raises UserError if there is none, with the nearest name.
    """
    if name.endswith(".py"):
        return _only_gan(_module_at(Path(name)), name)
    if (Path(__file__).parent / f"{name}.py").is_file():
        return _only_gan(importlib.import_module(f"gansmith.gans.{name}"), name)
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return entry.load()
    known = names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}, or give the path of a .py file."
    raise UserError(f"There is no GAN named {name!r}: {hint}")


def _module_at(path: Path):
    if not path.is_file():
        raise UserError(f"--gan names the file {path}, which does not exist: give the path of a Python file that defines a GAN.")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


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
