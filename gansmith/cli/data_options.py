"""The options of the kind of data at hand, as flags of a command."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from tyro.conf import arg

from gansmith import kinds
from gansmith.cli.help_text import docstrings
from gansmith.cli.options import Flag, takes
from gansmith.data.source import Source
from gansmith.errors import UserError

Command = TypeVar("Command")
USUAL = "images"
"""The kind whose options help shows if neither DATA nor --kind tells one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opening:
    """How data are read. The options of the kind of data at hand are added by `with_data_options`."""

    kind: Annotated[str | None, takes("KIND", "what is found")] = None
    """The kind of data (gansmith list kinds); gansmith COMMAND --kind KIND --help shows its options."""

    def opening(self) -> dict[str, Any]:
        """The options of `open_dataset` that differ from their defaults."""
        own = getattr(self, "own", None)
        given = {} if own is None else _given(own)
        return given | ({"kind": self.kind} if self.kind is not None else {})


def with_data_options(command: type[Command], argv: Sequence[str], sources: Iterable[str] = ()) -> type[Command]:
    """The command with the options of the kind of data that this command line is about, in its field `opening`.

    `sources` are options whose values name data, such as --real; without them the first word that is no option does.
    """
    kind = _kind_of(command, argv, tuple(sources))
    shape = _as_flags(kind)
    opening = dataclasses.make_dataclass(
        "Opening", [("own", Annotated[shape, arg(name="")], dataclasses.field(default_factory=shape))],
        bases=(Opening,), frozen=True, kw_only=True,
    )  # fmt: skip
    field = ("opening", Annotated[opening, arg(name="")], dataclasses.field(default_factory=opening))
    opening.TITLE = f"The data ({kind})"
    made = dataclasses.make_dataclass(command.__name__, [field], bases=(command,), frozen=True, kw_only=True)
    made.__doc__ = command.__doc__
    return made


def _kind_of(command: type, argv: Sequence[str], sources: Sequence[str]) -> str:
    """The name of the kind: that of --kind, else of the data, else the usual one."""
    if (named := _values("--kind", argv)) and not (set(named) & {"-h", "--help"}):
        kinds.find(named[-1])
        return named[-1]
    given = _own_flags(argv, command)
    found = [value for option in sources for value in _values(option, argv)] if sources else _words(command, argv)
    for data in found:
        try:
            return kinds.recognise(Source(data), None, given).name
        except UserError:
            continue
    for name in kinds.names():  # an option that only one kind has tells it, too
        own = _fields(name)
        if given and given <= own:
            return name if not given <= _fields(USUAL) else USUAL
    return USUAL


def _words(command: type, argv: Sequence[str]) -> list[str]:
    """The words of a command line that are no options and no values of options, the likeliest to be DATA first."""
    takes_value = {flag for flag, value in _flags(command).items() if value} | {
        f"--{name.replace('_', '-')}" for kind in kinds.names() for name in _fields(kind, valued=True)
    }
    certain, doubtful, skip, doubt = [], [], False, False
    for word in argv:
        if word.startswith("-") and word != "-":
            skip = "=" not in word and word in takes_value
            doubt = word.startswith("--gan.") and "=" not in word
            continue
        if not skip:
            (doubtful if doubt else certain).append(word)
        skip = doubt = False
    return [*certain, *(word for word in doubtful if Path(word).exists() or kinds.kind_of_builtin(word))]


def without_gan(command: type, argv: Sequence[str]) -> list[str]:
    """The command line without the GAN's own options and their values."""
    data = next(iter(_words(command, argv)), None)
    kept: list[str] = []
    after_gan = False
    for word in argv:
        if word.startswith("--gan."):
            after_gan = "=" not in word
            continue
        if not (after_gan and not word.startswith("-") and word != data):
            kept.append(word)
        after_gan = False
    return kept


def _own_flags(argv: Sequence[str], command: type) -> set[str]:
    """The names of data options in a command line."""
    every = {name for kind in kinds.names() for name in _fields(kind)}
    used = {word.partition("=")[0].removeprefix("--").replace("-", "_") for word in argv if word.startswith("--")}
    commons = {field.name for field in dataclasses.fields(command)}
    return {name for word in used for name in (word, word.removeprefix("no_")) if name in every and name not in commons}


def _values(option: str, argv: Sequence[str]) -> list[str]:
    found = [word.partition("=")[2] for word in argv if word.startswith(f"{option}=")]
    return found + [after for word, after in zip(argv, argv[1:], strict=False) if word == option]


def _flags(command: type) -> dict[str, bool]:
    """The flags of a command, and whether each takes a value."""
    hints = typing.get_type_hints(command, include_extras=True)
    found: dict[str, bool] = {"-n": True}
    for field in dataclasses.fields(command):
        hint = hints[field.name]
        base = hint.__origin__ if typing.get_origin(hint) is Annotated else hint
        found[f"--{field.name.replace('_', '-')}"] = base is not bool
    return found


@cache
def _fields(kind: str, valued: bool = False) -> frozenset[str]:
    shape = kinds.options_of(kind)
    return frozenset(field.name for field in dataclasses.fields(shape) if not (valued and isinstance(field.default, bool)))


@cache
def _as_flags(kind: str) -> type:
    """A dataclass of tyro with a flag for every option of a kind."""
    shape = kinds.options_of(kind)
    hints, lines = typing.get_type_hints(shape), docstrings(shape)
    fields = []
    for field in dataclasses.fields(shape):
        metavar, shown = field.metadata.get("metavar", ""), field.metadata.get("shown", "")
        name, line = field.name, lines.get(field.name, "")
        if isinstance(field.default, bool):
            hint = Annotated[Flag, arg(help=line)]
            fields.append((f"no_{name}" if field.default else name, hint, dataclasses.field(default=False)))
            continue
        hint = _without_none(hints[name])
        words = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        metavar = metavar or ("{" + ",".join(map(str, words)) + "}" if words else name.upper())
        shown = shown or (str(field.default) if field.default not in (None, ()) else "")
        simple = hint if hint in (int, float) else Literal[words] if words else str  # pyright: ignore[reportInvalidTypeForm]
        default = None if field.default in (None, ()) else field.default
        hint = Annotated[simple | None if default is None else simple, takes(metavar, shown, help=line)]
        fields.append((name, hint, dataclasses.field(default=default)))
    made = dataclasses.make_dataclass("DataOptions", fields, frozen=True, kw_only=True)
    made.kind = kind
    return made


def _given(own: Any) -> dict[str, Any]:
    """The options that differ from their defaults, under the names of the kind's Options."""
    defaults = {field.name: field.default for field in dataclasses.fields(own)}
    given = {name: value for name, value in vars(own).items() if value != defaults[name]}
    shape = kinds.options_of(type(own).kind)
    yes = {field.name for field in dataclasses.fields(shape) if field.default is True}
    return {
        (name.removeprefix("no_") if name.removeprefix("no_") in yes else name): (
            False if name.startswith("no_") and name.removeprefix("no_") in yes else value
        )
        for name, value in given.items()
    }


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(part for part in typing.get_args(hint) if part is not types.NoneType)
    return hint
