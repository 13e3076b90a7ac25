"""Values from JSON, held against the types that the code declares. A fault is named by its path: codec.spec.shape[1]."""

import dataclasses
import math
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from gansmith.data.programs import RefusedError
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError

_WORDS = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a text", type(None): "null"}


class MismatchError(ValueError):
    """A value that is not of its type, in words."""


def check(value: Any, hint: Any, place: str = "") -> None:
    """Raises MismatchError unless `value` is what `hint` declares, down to its last part.

    Lists stand for tuples, and JSON objects for dataclasses and TypedDicts: names that they do not know are refused by dataclasses and
    passed over by TypedDicts. Types that JSON does not have are passed over.
    """
    hint, origin = _plain(hint), typing.get_origin(_plain(hint))
    if origin in (types.UnionType, typing.Union):
        _check_any(value, typing.get_args(hint), place)
    elif origin is Literal:
        if value not in typing.get_args(hint) or isinstance(value, bool):
            raise _mismatch(place, f"one of {', '.join(map(repr, typing.get_args(hint)))}", value)
    elif hint in _WORDS:
        if not _is(value, hint):
            raise _mismatch(place, _WORDS[hint], value)
    elif hint is tuple or origin in (tuple, list, Sequence):
        _check_row(value, typing.get_args(hint), origin, place)
    elif hint is dict or origin in (dict, Mapping):
        _check_mapping(value, typing.get_args(hint), place)
    elif typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint, include_extras=True)  # which __required_keys__ does not know of postponed ones
        required = frozenset(name for name, one in hints.items() if typing.get_origin(one) is not typing.NotRequired)
        _check_fields(value, hints, required, place)
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
        _check_dataclass(value, hint, place)


def _plain(hint: Any) -> Any:
    while typing.get_origin(hint) in (typing.Annotated, typing.Required, typing.NotRequired):
        hint = typing.get_args(hint)[0]
    return hint


def _is(value: Any, hint: type) -> bool:
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _check_any(value: Any, hints: Sequence[Any], place: str) -> None:
    faults = []
    for hint in hints:
        try:
            return check(value, hint, place)
        except MismatchError as error:
            faults.append(error)
    raise max(faults, key=lambda fault: len(str(fault).partition(" should be ")[0]))  # the one that lies deepest


def _check_row(value: Any, hints: Sequence[Any], origin: Any, place: str) -> None:
    if not isinstance(value, list | tuple):
        raise _mismatch(place, "a list", value)
    if origin is tuple and hints and hints[-1] is not Ellipsis:
        if len(value) != len(hints):
            raise _mismatch(place, f"a list of {len(hints)}", value)
    else:
        hints = [hints[0] if hints else Any] * len(value)
    for number, (part, hint) in enumerate(zip(value, hints, strict=True)):
        check(part, hint, f"{place}[{number}]")


def _check_mapping(value: Any, hints: Sequence[Any], place: str) -> None:
    if not isinstance(value, Mapping):
        raise _mismatch(place, "an object", value)
    for name, part in value.items():
        check(name, hints[0] if hints else str, f"a name in {place}")
        check(part, hints[1] if hints else Any, _below(place, name))


def _check_dataclass(value: Any, hint: type, place: str) -> None:
    fields = {field.name: field for field in dataclasses.fields(hint) if field.init}
    try:
        hints = typing.get_type_hints(hint)
    except NameError:  # names that are there for type checkers alone
        return
    hints = {name: hints[name] for name in fields}
    if isinstance(value, hint):
        _check_fields(vars(value), hints, frozenset(), place)
        return
    missing = dataclasses.MISSING
    required = frozenset(name for name, field in fields.items() if field.default is missing and field.default_factory is missing)
    _check_fields(value, hints, required, place)
    for name in value:
        if name not in fields:
            guess = did_you_mean(str(name), list(fields))
            raise MismatchError(f"{_below(place, name)} is not known{guess}: known are {listed(list(fields))}")


def _check_fields(value: Any, hints: Mapping[str, Any], required: frozenset[str], place: str) -> None:
    if not isinstance(value, Mapping):
        raise _mismatch(place, "an object", value)
    for name, hint in hints.items():
        if name in value:
            check(value[name], hint, _below(place, name))
        elif name in required:
            raise MismatchError(f"{_below(place, name)} is missing")


def _below(place: str, name: Any) -> str:
    return f"{place}.{str(name)[:60]}" if place else str(name)[:60]


def _mismatch(place: str, expected: str, value: Any) -> MismatchError:
    if isinstance(value, list | tuple):
        came = f"a list of {len(value)}"
    elif isinstance(value, Mapping):
        came = f"an object of {len(value)}"
    else:
        came = repr(value)
    return MismatchError(f"{place or 'it'} should be {expected}, but it is {came if len(came) < 80 else came[:77] + '...'}")


@contextmanager
def describing(path: Path, part: str) -> Iterator[None]:
    """Inside, something is made of `part` of this file: what goes wrong is a UserError that names both."""
    try:
        yield
    except MismatchError as error:
        raise UserError(f"{path} is damaged or was not written by gansmith: {error}.") from error
    except RefusedError:
        raise
    except UserError as error:
        raise UserError(f"{path} does not fit in its {part}: {error}") from error
    except Exception as error:  # whatever values that nobody expects may cause
        came = f"{type(error).__name__}: {error}".strip(": ").partition("\n")[0]
        raise UserError(f"{path} is damaged or was not written by gansmith: its {part} cannot be used ({came[:200]}).") from error
