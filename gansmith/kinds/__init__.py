"""Kinds of data, one folder each: found by listing, from entry points of other packages, or from a path."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.programs import named_in, python_module, speaks_a_file
from gansmith.data.readers.files import refuse_endless
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.data.options import DataOptions
    from gansmith.data.source import Source
    from gansmith.data.spec import Spec
    from gansmith.kinds.kind import Kind

ENTRY_POINTS = "gansmith.kinds"
"""The group under which other packages offer their kinds."""
_HERE = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Every kind, read without importing any."""
    here = sorted(path.parent.name for path in _HERE.glob("[!_]*/kind.py"))
    return (*here, *sorted(name for name in _entries() if name not in here))


def find(name: str) -> Kind[Any, Any]:
    """The kind of this name: a folder here, another spelling of one, an entry point of another package, or a path to a folder or file
    that defines one.

    Raises UserError if there is none, with the nearest name, and for a path that a file names and the user does not trust.
    """
    name = absolute(name)
    if name not in _found:
        _found[name] = _at(Path(name)) if _is_path(name) else _by_name(name)
    return _found[name]


_found: dict[str, Kind[Any, Any]] = {}


def _by_name(name: str) -> Kind[Any, Any]:
    if name in _folders():
        return _made(importlib.import_module(f"gansmith.kinds.{name}.kind"), name)
    if name in _entries():
        return _made(_entries()[name].load(), name)
    for kind in map(find, names()):
        if name in kind.spellings:
            return kind
    known = _words()
    raise UserError(f'the kind of data must be {", ".join(known[:-1])} or {known[-1]}, not "{name}"{did_you_mean(name, known)}.')


def absolute(name: str) -> str:
    """The name, or the whole path of a kind that is named by one."""
    return str(Path(name).expanduser().resolve()) if _is_path(name) else name


def is_known(name: Any) -> bool:
    """Whether this is a kind of this package or of an installed one, or another word for one: no path, whose code would be run."""
    return isinstance(name, str) and not _is_path(name) and name in _words()


def options_of(name: str) -> type[DataOptions]:
    """The Options of a kind; loads no torch for a kind of this package."""
    if name in _folders():
        return importlib.import_module(f"gansmith.kinds.{name}.options").Options
    return find(name).Options


def with_option(name: str) -> list[str]:
    """The kinds whose data have this option."""
    return [kind for kind in names() if name in _fields(kind)]


def spelled(name: str) -> Mapping[str, Any]:
    """The options that a word for `--kind` stands for: {"task": "pairs"} of "pairs", none of a kind's own name."""
    return find(name).spellings.get(name, {})


def translator(name: str) -> Callable[[list[str]], int]:
    """The command `gansmith translate` of a kind."""
    if name in _folders() and (_HERE / name / "translation" / "command.py").is_file():
        return importlib.import_module(f"gansmith.kinds.{name}.translation.command").run
    return find(name).translate


def optimiser(name: str) -> Callable[[list[str]], int]:
    """The command `gansmith optimise` of a kind."""
    if name in _folders() and (_HERE / name / "optimisation" / "command.py").is_file():
        return importlib.import_module(f"gansmith.kinds.{name}.optimisation.command").run
    return find(name).optimise


def speaker(name: str) -> Callable[[list[str]], int]:
    """The command `gansmith speak` of a kind: `run` of its folder's speaking/command.py. Raises UserError for a kind without voices."""
    if name in _folders() and (_HERE / name / "speaking" / "command.py").is_file():
        return importlib.import_module(f"gansmith.kinds.{name}.speaking.command").run
    able = [own for own in _folders() if (_HERE / own / "speaking" / "command.py").is_file()]
    raise UserError(f"models of {name} do not speak: give a run of {listed(able, 5)} that was trained with transcripts.")


def lines() -> dict[str, str]:
    """Every kind with the first line of its file's docstring, read without importing any of this package."""
    here = {name: _first_line(_HERE / name / "kind.py").partition(": ")[2] for name in names() if name in _folders()}
    return here | {
        name: f"from the package {entry.dist.name if entry.dist else entry.value}" for name, entry in _entries().items()
    }


def builtin() -> dict[str, str]:
    """Every built-in data set with one line of description; loads no torch."""
    return {name: line for lines in _builtin().values() for name, line in lines.items()}


def kind_of_builtin(name: str) -> str | None:
    """The kind of the built-in data of this name, or None."""
    return next((kind for kind, lines in _builtin().items() if name in lines), None)


def recognise(source: Source, kind: str | None = None, options: Iterable[str] = ()) -> Kind[Any, Any]:
    """The kind that reads this data: the one that is named, or the surest of those that have all these options.

    Raises UserError if no kind can read the data, if two are equally sure, or if the named one cannot and another can.
    """
    if isinstance(source.given, str | Path):
        refuse_endless(Path(source.given).expanduser())
    if kind is not None:
        return _named(source, kind)
    if isinstance(source.given, str) and source.path is None and (own := kind_of_builtin(source.given)):
        return find(own)
    wanted = set(options)
    able = [name for name in names() if wanted <= _fields(name)]
    if wanted and len(able) == 1 and _reads(find(able[0]), source):
        return find(able[0])
    matches = {name: match for name in names() if (match := find(name).recognise(source))}
    if not matches:
        raise _unreadable(source)
    fitting = {name: match for name, match in matches.items() if wanted <= _fields(name)}
    matches = fitting or matches
    best = max(match.certainty for match in matches.values())
    surest = [name for name, match in matches.items() if match.certainty == best]
    if len(surest) > 1:
        reasons = " and ".join(f"{name} (since {matches[name].because})" for name in surest)
        raise UserError(f"{source.said()} may hold {reasons}: say which with --kind.")
    return find(surest[0])


def load_codec(facts: dict[str, Any]) -> Any:
    """The codec that `codec.to_json()` described. Raises UserError for a kind that is a path, unless the user trusts it."""
    return _saved(facts["spec"]["kind"]).load_codec(facts)


def load_spec(facts: dict[str, Any]) -> Spec:
    """The spec that `spec.to_json()` described."""
    return _saved(facts["kind"]).Spec.from_json(facts)


# ---- the parts of it ------------------------------------------------------------------------------------------------------------


def _saved(name: str) -> Kind[Any, Any]:
    """The kind that a file names: no user's word, so that a path runs only if the user trusts it or has named it before."""
    if not _is_path(name) or speaks_a_file():
        return find(name)
    with named_in(Path("a saved model")):
        return find(name)


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def _folders() -> tuple[str, ...]:
    return tuple(path.parent.name for path in _HERE.glob("[!_]*/kind.py"))


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


@cache
def _builtin() -> dict[str, dict[str, str]]:
    """The built-in data of every kind: those of this package are read from their options.py, which loads no torch."""
    here = {
        name: getattr(importlib.import_module(f"gansmith.kinds.{name}.options"), "BUILTIN", {}) for name in sorted(_folders())
    }
    return here | {name: dict(find(name).builtin) for name in _entries() if name not in here}


def _words() -> list[str]:
    """Everything that `--kind` may say, in order."""
    return sorted({*names(), *(word for name in names() for word in find(name).spellings)})


def _fields(name: str) -> set[str]:
    from dataclasses import fields

    return {field.name for field in fields(options_of(name))}


def _named(source: Source, kind: str) -> Kind[Any, Any]:
    """The kind that was named. Raises UserError if another one surely reads the data and this one cannot."""
    found = find(kind)
    if isinstance(source.given, str) and source.path is None and (own := kind_of_builtin(source.given)) not in (None, found.name):
        raise UserError(f"{source.given} holds {own}, not {kind}: leave the kind out, or choose other data.")
    if (source.path is None and not source.from_python) or _reads(found, source):
        return found
    for name in names():
        match = None if name == found.name else find(name).recognise(source)
        if match and match.certainty > 0:
            raise UserError(
                f"{source.said()} holds {name}, not {kind}, since {match.because}: leave the kind out, or choose other data."
            )
    return found


def _reads(kind: Kind[Any, Any], source: Source) -> bool:
    """Whether a kind can read the data now that it is named; a question about the kind is answered by that."""
    try:
        return kind.recognise(source) is not None
    except UserError:
        return True


def _unreadable(source: Source) -> UserError:
    known = builtin()
    if source.from_python:
        return UserError(
            f"data cannot be of the type {type(source.given).__name__}: give a path, a name, an array, (images, labels), a data frame, or "
            "a data set with a length and items."
        )
    name = str(source.given)
    if source.path is None:
        return UserError(
            f'there is no data {name}{did_you_mean(name, list(known))}: give a folder, a file, a hub name "user/name", or one of '
            f"{listed(list(known), len(known))}."
        )
    what = f"a {source.suffix} file" if source.suffix else "a folder" if source.is_folder else "a file without suffix"
    return UserError(
        f"{source.path} is {what} that no kind of data reads ({listed(_words(), 20)}): see docs/data.md for what each reads."
    )


def _is_path(name: str) -> bool:
    return name.endswith(".py") or "/" in name or name.startswith(".")


def _at(path: Path) -> Kind[Any, Any]:
    """The kind of a file, or of the file kind.py of a folder."""
    file = path / "kind.py" if path.is_dir() else path
    return _made(python_module(file, "--kind", "a kind of data"), str(path))


def _made(thing: Any, name: str) -> Kind[Any, Any]:
    """The kind that a module, class or instance of another package offers, under its name here."""
    from gansmith.kinds.kind import Kind

    if not isinstance(thing, Kind | type):
        found = [
            value
            for value in vars(thing).values()
            if isinstance(value, type) and issubclass(value, Kind) and value.__module__ == thing.__name__
        ]
        if len(found) != 1:
            raise UserError(f"{name} must define exactly one subclass of gansmith.Kind, but it defines {len(found)}.")
        thing = found[0]
    made = thing() if isinstance(thing, type) else thing
    type(made).name = name
    return made
