"""The one place where words and Python's values become numbers within a range, and lists of names.

A range stands in the type of an option or argument: `minutes: Minutes | None`, `batch: Count`, `Annotated[int, Whole(2, 64)]`.
Commands hold all fields of their options against it (`fields_checked`), and so do kinds of data; `checked` does it for the arguments
of a function, `options_checked` for the options of a GAN.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import operator
import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from gansmith.errors import UserError

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`, both included."""

    low: int = 1
    high: int = 2**31 - 1

    def of(self, name: str, value: Any) -> int:
        """The value as an int; integers of NumPy and torch are taken too. Raises UserError for anything else and outside of the range."""
        try:
            if _is_bool(value):
                raise TypeError
            number = operator.index(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise UserError(f"{name} takes a whole number, but it is {_shown(value)}.") from error
        if number < self.low:
            raise UserError(f"{name} must be at least {self.low:,}, but it is {_shown(number)}.")
        if number > self.high:
            raise UserError(f"{name} must be at most {_shown(self.high)}, but it is {_shown(number)}.")
        return number

    def read(self, name: str, text: str) -> int:
        """The number that a text writes out, as of `of`."""
        try:
            return self.of(name, int(text))
        except UserError:
            raise
        except ValueError as error:  # no number, or one of thousands of digits
            raise UserError(f"{name} takes a whole number, but it is {_shown(text)}.") from error


@dataclass(frozen=True)
class Number:
    """Finite numbers from `low` to `high`, which are included unless `above` or `below` says that they are not."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def of(self, name: str, value: Any) -> float:
        """The value as a float; numbers of NumPy and torch are taken too. Raises UserError for anything else and outside of the range."""
        try:
            if isinstance(value, str | bytes) or _is_bool(value):
                raise TypeError
            number = float(value)
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise UserError(f"{name} takes a number, but it is {_shown(value)}.") from error
        if not math.isfinite(number):
            raise UserError(f"{name} takes a finite number, but it is {number}.")
        if number < self.low or (self.above and number == self.low):
            least = f"greater than {self.low:g}" if self.above else f"at least {self.low:g}"
            raise UserError(f"{name} must be {least}, but it is {number:g}.")
        if number > self.high or (self.below and number == self.high):
            most = f"less than {self.high:g}" if self.below else f"at most {self.high:g}"
            raise UserError(f"{name} must be {most}, but it is {number:g}.")
        return number

    def read(self, name: str, text: str) -> float:
        """The number that a text writes out, as of `of`."""
        try:
            number = float(text)
        except ValueError as error:
            raise UserError(f"{name} takes a number, but it is {_shown(text)}.") from error
        return self.of(name, number)


@dataclass(frozen=True)
class Unique:
    """Names, or numbers of one range, none of them twice unless `again`."""

    each: Whole | None = None
    again: bool = False

    def of(self, name: str, values: Any) -> Any:
        """The values as a tuple of the items. Raises UserError for one that comes twice, and what is no list of names or numbers."""
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise UserError(f"{name} takes a list of {'names' if self.each is None else 'numbers'}, but it is {_shown(values)}.")
        found = tuple(values if self.each is None else (self.each.of(name, value) for value in values))
        if self.each is None:
            for value in found:
                if not isinstance(value, str):
                    raise UserError(f"{name} takes names, but one of them is {_shown(value)}.")
        seen = set()
        for value in found:
            if value in seen and not self.again:
                raise UserError(f"{name} names {value} twice: leave one of them out.")
            seen.add(value)
        return found


@dataclass(frozen=True)
class Place:
    """The path of a file or folder."""

    def of(self, name: str, value: Any) -> Path:
        """The value as a path. Raises UserError for what is none, for an empty one, and for one with a null character."""
        if not isinstance(value, str | os.PathLike) or isinstance(text := os.fspath(value), bytes) or not text or "\0" in text:
            raise UserError(f"{name} takes a path, but it is {_shown(value)}.")
        return Path(text)


@dataclass(frozen=True)
class Word:
    """A name in one word; the path of a file is one, too."""

    def of(self, name: str, value: Any) -> str:
        """The value as text. Raises UserError for what is none."""
        if not isinstance(value, str | Path) or not str(value):
            raise UserError(f"{name} takes a name, but it is {_shown(value)}.")
        return str(value)


@dataclass(frozen=True)
class Table:
    """Values by their names."""

    def of(self, name: str, value: Any) -> Mapping[str, Any]:
        """The value. Raises UserError for what is no mapping of names."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise UserError(f'{name} takes values by their names, such as {{"width": 64}}, but it is {_shown(value)}.')
        return value


Range = Whole | Number | Unique | Place | Word | Table
Name = Annotated[str, Word()]
"""The name of something, or of a file that defines it."""
Values = Annotated[Mapping[str, Any], Table()]
"""Values by name."""

Count = Annotated[int, Whole(1)]
"""How many, at least one."""
CountOrNone = Annotated[int, Whole(0)]
"""How many, possibly none."""
Examples = Annotated[int, Whole(1, 10**9)]
"""Examples to make or to judge."""
Budget = Annotated[int, Whole(1, 2**53)]
"""Examples seen in a training, counted with repetitions."""
Minutes = Annotated[float, Number(0, 10**7, above=True)]
"""A time; the longest are 19 years."""
Seed = Annotated[int, Whole(0, 2**63 - 1)]
"""What decides random numbers."""
JudgeSeed = Annotated[int, Whole(0, 2**32 - 1)]
"""What decides random numbers of judging, which asks scikit-learn too."""
Threads = Annotated[int, Whole(1, 1024)]
"""Threads of a CPU."""
Share = Annotated[float, Number(0, 1, above=True, below=True)]
"""A part of a whole, neither nothing nor all of it."""
Percentile = Annotated[float, Number(0, 100, below=True)]
"""The share of examples, in hundredths, that lie below a score."""
Truncation = Annotated[float, Number(0, 10)]
"""How far latents lie from their mean, as a factor; 1 leaves them as they are, 0 makes all examples of a class equal."""
Speed = Annotated[float, Number(0.25, 4)]
"""How fast to speak; 1 is as fast as in the recordings."""
Frames = Annotated[int, Whole(2, 100_000)]
"""Pictures of a film."""
FramesPerSecond = Annotated[int, Whole(1, 240)]
"""How fast a film is shown."""
Steps = Annotated[int, Whole(0, 10**6)]
"""Steps of gradient descent."""
Rate = Annotated[float, Number(0, 1000, above=True)]
"""A learning rate."""
Reach = Annotated[float, Number(0, 1000, above=True)]
"""How far to go along a direction, in standard deviations."""
Directions = Annotated[int, Whole(1, 10_000)]
"""Directions of a latent space."""
AtLeastTwo = Annotated[int, Whole(2)]
"""How many, where one alone makes no sense."""
Moves = Annotated[int, Whole(1, 1000)]
"""Moves of one player in a round."""
Looks = Annotated[int, Whole(1, 1000)]
"""Images to make of one."""
Tile = Annotated[int, Whole(16, 2**16)]
"""The side of a tile in pixels."""
Overlap = Annotated[int, Whole(0, 2**15)]
"""How far tiles overlap, in pixels."""
Times = Annotated[float, Number(0, 1000)]
"""How many times as much."""
Port = Annotated[int, Whole(0, 65535)]
"""A TCP port; 0 takes one that is free."""
Names = Annotated[Sequence[str], Unique()]
"""Names, each once."""
Seeds = Annotated[Sequence[int], Unique(Whole(0, 2**64 - 1))]
"""Seeds, each once."""
SomeSeeds = Annotated[Sequence[int], Unique(Whole(0, 2**64 - 1), again=True)]
"""Seeds in an order, possibly again."""

FINITE, NATURAL, POSITIVE, PLACE = Number(), Number(0), Whole(1), Place()
Somewhere = Annotated[Path | str, Place()]
"""A file or folder."""


def seeds_in(text: str, option: str = "--seeds", *, again: bool = False) -> list[int]:
    """The numbers of "1-4,9". Raises UserError for anything else, beyond 64 bits, above the limit `seeds`, and twice unless `again`."""
    from gansmith.data.readers.limits import check

    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,20})(?:-(\d{1,20}))?\s*", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last >= 2**64:
            raise UserError(f"{option} takes numbers below 2^64 and ranges such as 1-8 or 3,7,9, but it is {_shown(text)}.")
        check("seeds", len(seeds) + last - first + 1, f"{option} {text}", "seeds")
        seeds += range(first, last + 1)
    return list(Unique(Whole(0, 2**64 - 1), again).of(option, seeds))


def range_of(hint: Any) -> Range | None:
    """The range that stands in a type, also within `| None`."""
    if typing.get_origin(hint) is Annotated:
        found = next((mark for mark in hint.__metadata__ if isinstance(mark, Range)), None)
        return found or range_of(hint.__origin__)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next((found for part in typing.get_args(hint) if (found := range_of(part)) is not None), None)
    return None


def within(hint: Any, name: str, value: Any) -> Any:
    """The value, called `name` in sentences, brought within the range that stands in a type. Raises UserError outside of it."""
    found = range_of(hint)
    assert found is not None, hint
    return found.of(name, value)


def fields_checked(options: Any, within: str | None = None) -> None:
    """Raises UserError for the first field of a dataclass of options that lies outside of its range: --batch, or `within`.batch."""
    for name, hint in typing.get_type_hints(type(options), include_extras=True).items():
        value = getattr(options, name, None)
        if value is not None and (found := range_of(hint)) is not None:
            found.of(flag_of(name) if within is None else f"{within}.{name}", value)


def flag_of(name: str) -> str:
    """--judge-share for judge_share, -n for n."""
    return f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"


def check_divides(batch: int, processes: int, accumulate: int) -> None:
    """Raises UserError for a batch that processes and accumulated parts cannot share evenly."""
    if batch % (parts := processes * accumulate):
        raise UserError(
            f"The batch must divide evenly over {processes} processes and {accumulate} accumulated parts, but it is {batch}: give --batch "
            f"a multiple of {parts}."
        )


def options_checked(shape: type, values: Mapping[str, Any]) -> None:
    """Raises UserError for values of a GAN's options that no GAN has: numbers that are not finite or negative, none or billions of what
    is counted; unless the type of the field has a range of its own, and except for what the default itself is."""
    hints = _hints(shape)
    for field in dataclasses.fields(shape):
        name, value = field.name, values.get(field.name)
        if value is None or name not in hints:
            continue
        held = range_of(hints[name]) or usual_range(hints[name], field.default)
        if isinstance(held, Whole | Number) and isinstance(value, list | tuple) and not _takes_several(hints[name]):
            raise UserError(f"--gan.{name.replace('_', '-')} takes one number, but it is {_shown(value)}.")
        for part in value if isinstance(value, tuple | list) else (value,):
            if held is not None:
                held.of(f"--gan.{name.replace('_', '-')}", part)


def _takes_several(hint: Any) -> bool:
    """Whether a type holds a tuple or list of values."""
    origin = typing.get_origin(hint)
    return origin in (tuple, list) or any(_takes_several(part) for part in typing.get_args(hint))


def within_ranges(shape: type, values: Mapping[str, Any], place: str) -> None:
    """Raises UserError, which names `place` and the field, for a value outside of the range that stands in the type of its field."""
    for name, hint in _hints(shape).items():
        if name in values and values[name] is not None and (held := range_of(hint)) is not None:
            held.of(f"{place}.{name}", values[name])


def usual_range(hint: Any, default: Any) -> Range | None:
    """The range of an option that declares none: whole numbers from 1 and numbers from 0, or from its default if that is less."""
    if hint in (int, float):
        least = default if isinstance(default, int | float) else 1
        return Whole(min(1, int(least))) if hint is int else NATURAL if least >= 0 else FINITE
    parts = [part for part in typing.get_args(hint) if part not in (types.NoneType, Ellipsis)]
    return usual_range(parts[0], default) if len(parts) == 1 and typing.get_origin(hint) is not typing.Literal else None


@lru_cache(maxsize=256)
def _hints(shape: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(shape, include_extras=True)
    except NameError:  # names that are there for type checkers alone
        return {}


def checked(function: Function) -> Function:
    """The function, whose arguments are brought within the ranges that stand in their types; None stays None.

    Raises UserError for the first that lies outside.
    """
    ranges: dict[str, Range] = {}
    for name, hint in inspect.get_annotations(function).items():
        if isinstance(hint, str):
            try:
                hint = eval(hint, inspect.unwrap(function).__globals__)
            except (NameError, AttributeError):  # there for type checkers alone
                continue
        if name != "return" and (found := range_of(hint)) is not None:
            ranges[name] = found
    positions = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        held = [
            ranges[name].of(name, value) if name in ranges and value is not None else value
            for name, value in zip(positions, given, strict=False)
        ]
        for name, value in named.items():
            if name in ranges and value is not None:
                named[name] = ranges[name].of(name, value)
        return function(*held, *given[len(held) :], **named)

    call.ranges = ranges  # pyright: ignore[reportFunctionMemberAccess], for tests
    return typing.cast("Function", call)


def _is_bool(value: Any) -> bool:
    """Whether it is a truth value, of NumPy or torch too."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")


def _shown(value: Any) -> str:
    """A value in a sentence, however long it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (
            f"{value:,}"
            if abs(value) < 10**6
            else str(value)
            if value.bit_length() < 80
            else f"beyond 2^{value.bit_length() - 1}"
        )
    try:
        text = repr(value)
    except Exception:  # of a stranger's object
        text = f"a {type(value).__name__}"
    return text if len(text) < 80 else f"{text[:77]}..."
