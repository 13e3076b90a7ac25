"""The help of a command: what it does, then its options in groups, wrapped at words."""

import ast
import dataclasses
import inspect
import re
import shutil
import sys
import textwrap
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import tyro

WIDEST = 100
"""Columns; longer lines are hard to read."""
COLUMN = 26
"""Where explanations begin; a longer option gets a line of its own."""


@dataclasses.dataclass(frozen=True)
class Option:
    """An option or argument as help shows it."""

    invocation: str
    about: str
    needed: str = ""
    """How the usage line spells what cannot be left out."""


def help_text(shape: type, program: str, flags: Iterable[str] = ()) -> str:
    """The help of a command whose options are this dataclass.

    `shape.GROUPS`, if it has one, maps titles to the names of fields; fields of nested dataclasses form groups of their own.
    """
    columns = min(WIDEST, shutil.get_terminal_size().columns)
    arguments, groups = _sorted_into_groups(shape)
    needed = [option.needed for option in [*arguments, *(o for own in groups.values() for o in own)] if option.needed]
    usage = textwrap.fill(f"usage: {program} {' '.join(needed)} [OPTIONS]", columns, subsequent_indent=" " * 7)
    about = [textwrap.fill(part, columns) for part in _paragraphs(shape.__doc__ or "")]
    listed = [*(["\n".join(_lines(arguments, columns))] if arguments else [])]
    for title, options in groups.items():
        if options:
            listed.append("\n".join([_bold(title), *_lines(options, columns)]))
    return "\n\n".join([usage, *about, *listed])


def _paragraphs(text: str) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text.strip()):
        yield " ".join(part.split())


def _bold(title: str) -> str:
    return f"\033[1m{title}\033[0m" if sys.stdout.isatty() else title


def _lines(options: Iterable[Option], columns: int) -> Iterator[str]:
    for option in options:
        head = f"  {option.invocation}"
        if len(head) > COLUMN - 2:
            yield head
            head = ""
        yield textwrap.fill(
            option.about or " ", columns, initial_indent=f"{head:<{COLUMN}}", subsequent_indent=" " * COLUMN,
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip


def _sorted_into_groups(shape: type) -> tuple[list[Option], dict[str, list[Option]]]:
    """The arguments without a flag, and the options by the title of their group."""
    titles: Mapping[str, tuple[str, ...]] = getattr(shape, "GROUPS", {})
    place = {name: title for title, names in titles.items() for name in names}
    arguments: list[Option] = []
    groups: dict[str, list[Option]] = {title: [] for title in titles}
    last = "Options" if not titles else [*titles][-1]
    nested: dict[str, list[Option]] = {}
    for field, hint, marks, text in _described(shape):
        name = _name(field, marks)
        if dataclasses.is_dataclass(hint):
            for title, options in _nested(hint, name, _given(field)).items():
                nested.setdefault(title, []).extend(options)
        elif tyro.conf.Positional in marks:
            arguments.append(_option(field, hint, marks, text, ""))
        else:
            groups.setdefault(place.get(field.name, last), []).append(_option(field, hint, marks, text, "--"))
    groups.setdefault(last, []).append(Option("-h, --help", "Show this help."))
    return arguments, groups | nested


def _nested(shape: type, prefix: str, values: Any) -> dict[str, list[Option]]:
    """The options of a dataclass within a command's, such as those of a GAN or of the data, with these values where none are given."""
    title = getattr(shape, "TITLE", "") or next(_paragraphs(shape.__doc__ or ""))
    found: dict[str, list[Option]] = {title: []}
    for field, hint, marks, text in _described(shape):
        name = _name(field, marks)
        if dataclasses.is_dataclass(hint):
            found[title] += [option for options in _nested(hint, name, _given(field)).values() for option in options]
        else:
            before = f"--{prefix}." if prefix else "--"
            found[title].append(_option(field, hint, marks, text, before, getattr(values, field.name, None)))
    return found


def _described(shape: Any) -> Iterator[tuple[dataclasses.Field[Any], Any, tuple[Any, ...], str]]:
    """Every field with its type, its marks and its line of explanation."""
    hints, lines = typing.get_type_hints(shape, include_extras=True), docstrings(shape)
    for field in dataclasses.fields(shape):
        hint, marks = hints[field.name], ()
        while typing.get_origin(hint) is Annotated:
            marks, hint = (*marks, *hint.__metadata__), hint.__origin__
        yield field, hint, marks, lines.get(field.name, "")


def docstrings(shape: type) -> dict[str, str]:
    """The docstring line under each field of a dataclass, its base classes' included."""
    found: dict[str, str] = {}
    for base in reversed(shape.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):
            continue
        body = tree.body[0].body  # pyright: ignore[reportAttributeAccessIssue]
        for statement, after in zip(body, body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found[statement.target.id] = " ".join(str(after.value.value).split())  # pyright: ignore[reportAttributeAccessIssue]
    return found


def _mark(marks: Iterable[Any], name: str) -> Any:
    return next((value for mark in marks if (value := getattr(mark, name, None)) is not None), None)


def _name(field: dataclasses.Field[Any], marks: Iterable[Any]) -> str:
    given = _mark(marks, "name")
    return field.name if given is None else given


def _given(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _option(
    field: dataclasses.Field[Any], hint: Any, marks: tuple[Any, ...], text: str, before: str, usual: Any = None
) -> Option:
    positional = not before
    flag = f"{before}{_name(field, marks).replace('_', '-')}"
    value = _mark(marks, "metavar") or _value(hint)
    needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    spelled = value if positional else f"{flag} {value}".rstrip()
    if hint is bool and tyro.conf.FlagCreatePairsOff not in marks:
        spelled = f"{flag}, {before}no-{flag.removeprefix(before)}"
    names = _mark(marks, "aliases") or ()
    short = names[0] if names else ""
    line = _mark(marks, "help") or text
    hinted = _mark(marks, "help_behavior_hint")
    default = " ".join(map(str, usual)) if isinstance(usual, tuple) else str(usual)
    shown = hinted if hinted is not None else "" if usual in (None, (), "") else f"(default: {default})"
    about = f"{line} {'' if needed else shown}".strip()
    usage = spelled if positional else spelled if needed else ""
    return Option(f"{short} {value}" if short == f"-{flag[2:]}" else f"{short}, {spelled}" if short else spelled, about, usage)


def _value(hint: Any) -> str:
    """What stands for the value of an option: N, X, {a,b}."""
    while typing.get_origin(hint) is Annotated:
        hint = hint.__origin__
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "{" + ",".join(map(str, parts)) + "}"
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return "|".join(_value(part) for part in parts if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return f"{_value(parts[0])} .."
    return {int: "N", float: "X", bool: "", str: "WORD"}.get(hint, "VALUE")
