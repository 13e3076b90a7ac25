"""How data are read: one frozen object of options for every kind of data, from the command line to run.json and back."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import io
import json
import types
import typing
from pathlib import Path
from typing import Any, Literal, Self

from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import Unique, flag_of, range_of, usual_range
from gansmith.errors import UserError


def option(default: Any = None, metavar: str = "", shown: str = "") -> Any:
    """A field of a kind's `Options`: `metavar` is what help shows for its value, `shown` what it shows for a default of None."""
    return dataclasses.field(default=default, metadata={"metavar": metavar, "shown": shown})


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The base of every kind's `Options`: a frozen dataclass that loads no torch, with a docstring line under each field.

    Fields are of the types bool, int, float, str, Path, a Literal of words, or a tuple of words; `| None` where there is no default.
    A field of type `str` may take more from Python (a size, a mapping) if `__post_init__` brings it to the text that a command line has.
    """

    def __post_init__(self) -> None:
        """Makes paths absolute and checks types. Raises UserError for a value of another type."""
        for name, hint in hints(type(self)).items():
            value = getattr(self, name)
            if value is None and _optional(hint):
                continue
            object.__setattr__(self, name, _checked(name, value, hint, getattr(type(self), name, None)))

    def leniently(self) -> Self:
        """These options, leaving out what cannot be read if the kind can."""
        can = any(field.name == "skip_unreadable" for field in dataclasses.fields(self))
        return dataclasses.replace(self, skip_unreadable=True) if can else self

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults, in JSON's types; objects from Python that JSON cannot hold are left out."""
        kept = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if isinstance(value, Path):
                kept[field.name] = str(value)
            elif isinstance(value, tuple):
                kept[field.name] = list(value)
            elif isinstance(value, str | int | float | bool):
                kept[field.name] = value
        return kept

    def as_flags(self) -> list[str]:
        """The words of a command line that gives the same options."""
        words: list[str] = []
        for name, value in self.to_json().items():
            flag = f"--{name.replace('_', '-')}"
            if isinstance(value, bool):
                words.append(flag if value else f"--no-{name.replace('_', '-')}")
            else:
                text = joined(value) if isinstance(value, list) else str(value)
                words += [f"{flag}={text}"] if text.startswith("-") or not text else [flag, text]
        return words


def check_encoding(name: str | None) -> None:
    """Raises UserError for the name of no encoding of text."""
    if name is None:
        return
    try:
        codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise UserError(f'--encoding names "{name}", which is no encoding: give one such as utf-8 or cp1252.') from error


def hints(shape: type) -> dict[str, Any]:
    """The types of a dataclass's fields, with their ranges."""
    return {
        name: hint
        for name, hint in typing.get_type_hints(shape, include_extras=True).items()
        if name in {f.name for f in dataclasses.fields(shape)}
    }


def joined(names: typing.Iterable[Any]) -> str:
    """A,B,..: names with commas or quotes are quoted as in CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([str(name) for name in names])
    return text.getvalue()


def names_in(text: str | None, flag: str = "") -> tuple[str, ...]:
    """The names of A,B,.., quoted as in CSV where they hold commas. Raises UserError, which names `flag`, if a name comes twice."""
    try:
        rows = list(csv.reader(io.StringIO(text or ""), skipinitialspace=True))
    except csv.Error as error:
        raise UserError(f"{flag} takes names, such as a,b, which {text[:80]!r} are not ({error}).") from error
    return Unique().of(flag, [name.strip() for row in rows for name in row if name.strip()])


def pairs_in(text: str) -> dict[str, Any] | None:
    """The mapping of a JSON object written out on a command line; None if the text is no such thing."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _optional(hint: Any) -> bool:
    return typing.get_origin(hint) in (types.UnionType, typing.Union) and types.NoneType in typing.get_args(hint)


def _checked(name: str, value: Any, hint: Any, default: Any) -> Any:
    """The value in the type of the field."""
    if _optional(hint):
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    flag = flag_of(name)
    if (found := range_of(hint) or usual_range(hint, default)) is not None and typing.get_origin(hint) is not tuple:
        return found.of(flag, value)
    if hint is Any:
        return value
    if typing.get_origin(hint) is Literal:
        words = typing.get_args(hint)
        if value not in words:
            raise UserError(f'{flag} must be {" or ".join(map(str, words))}, not "{value}"{did_you_mean(str(value), words)}.')
        return value
    if typing.get_origin(hint) is tuple:
        if isinstance(value, str):
            return names_in(value, flag)
        return Unique().of(flag, value)
    if hint is Path:
        if not isinstance(value, str | Path) or not str(value):
            raise UserError(f"{flag} takes a path, but it is {value!r}.")
        return Path(value).expanduser().resolve()
    if not isinstance(value, hint):
        expected = {bool: "True or False", str: "a word"}[hint]
        raise UserError(f"{flag} takes {expected}, but it is {value!r}.")
    return value
