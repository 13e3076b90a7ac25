"""Command lines become frozen dataclasses, by tyro; one that does not parse is answered in a sentence."""

import contextlib
import dataclasses
import io
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from gansmith import kinds
from gansmith.cli.help_text import help_text
from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import fields_checked
from gansmith.errors import UserError

Options = TypeVar("Options")

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")]
"""An option without a value, off by default."""

ELSEWHERE = {
    "class": "--where class=NAME",
    "label": "--where class=NAME",
    "condition": "--where KEY=VALUE",
    "epochs": "--samples N, which counts examples of real data",
    "steps": "--samples N, which counts examples of real data",
    "iterations": "--samples N, which counts examples of real data",
    "kimg": "--samples N, which counts examples of real data",
    "time": "--minutes M",
    "lr": "--gan.learning-rate",
    "learning-rate": "--gan.learning-rate",
    "model": "--gan NAME",
    "arch": "--gan NAME",
    "gpu": "--device cuda",
    "gpus": "--devices N",
    "output": "--out",
    "outdir": "--out",
    "name": "--out",
    "size": "--resolution",
    "image-size": "--resolution",
    "num": "-n N",
    "count": "-n N",
    "num-samples": "-n N",
    "trunc": "--truncation",
    "continue": "--resume",
}
"""What options of other programs are called here."""
_EXPECTED = {int: "a whole number", float: "a number", bool: "True or False", str: "a word"}


def takes(metavar: str, default: str = "", **more: Any) -> Any:
    """How help shows an option: the name of its value, and its default where that is not None."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {default})" if default else "", **more)


def parse(shape: type[Options], argv: Sequence[str], program: str, bare: Mapping[str, str] | None = None) -> Options:
    """The options of a command. `bare` gives the value that an option means when it stands alone: {"--json": "-"}.

    Raises UserError in one sentence, and SystemExit(0) when help was asked for and printed.
    """
    if {"-h", "--help"} & set(argv):
        _check_help(argv, shape, program)
        print(help_text(shape, program))
        raise SystemExit(0)
    for word in argv:
        if word.startswith("--="):
            raise UserError(f"{word} names no option before its =: see {program} --help.")
    filled = list(_filled(argv, bare or {}))
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            options, unknown = tyro.cli(shape, prog=program, args=filled, return_unknown_args=True)
    except SystemExit as end:
        if not end.code:
            raise
        raise UserError(_sentence(complaint.getvalue(), shape, filled, program)) from end
    if unknown:
        raise UserError(_unknown(unknown[0].partition("=")[0], shape, program))
    fields_checked(options)
    return options


def check_conditions(
    conditions: Mapping[str, str],
    options: Sequence[str],
    check: Callable[[Mapping[str, str]], None],
    shape: type[Any],
    program: str,
) -> None:
    """Raises UserError for conditions that cannot be granted, with the nearest option for those that came as `options`."""
    try:
        check(conditions)
    except UserError:
        for key in options:
            try:
                check({key: conditions[key]})
            except UserError as error:
                near = did_you_mean(f"--{key}", [*_fields(shape), *_aliases(shape)])
                read = f"--where {key}{_sign(conditions[key])}{conditions[key]}"
                raise UserError(f"{error} --{key} was read as {read}, since it is no option of {program}{near}.") from error
        raise


def conditions_among(argv: Sequence[str], shape: type[Any]) -> tuple[list[str], list[str]]:
    """The command line without options that the command has not, and those as conditions: --seconds 3 as "seconds=3", --logp "<3" as
    "logp<3". What other programs call options of this one stays, and so do options without a value."""
    known = {*_fields(shape), *_aliases(shape), *(f"--{name}" for name in ELSEWHERE if name != "class")}
    if {"-h", "--help"} & set(argv):
        return list(argv), []
    kept, found, words = [], [], list(argv)
    while words:
        word = words.pop(0)
        flag, sign, value = word.partition("=")
        if not re.fullmatch(r"--[A-Za-z]\S*", flag) or flag.replace("_", "-") in known or not (sign or _is_value(words)):
            kept.append(word)
            continue
        value = value if sign else words.pop(0)
        found.append(f"{flag[2:]}{_sign(value)}{value}")
    return kept, found


def value_of(option: str, argv: Sequence[str]) -> str | None:
    """The last value of an option in a command line that is not parsed yet."""
    found = None
    for word, after in zip(argv, [*argv, None][1:], strict=True):
        found = after if word == option else word.removeprefix(f"{option}=") if word.startswith(f"{option}=") else found
    return found


def without(option: str, argv: Sequence[str]) -> list[str]:
    """The command line without this option and its value."""
    kept, skip = [], False
    for word in argv:
        if not (skip or word == option or word.startswith(f"{option}=")):
            kept.append(word)
        skip = word == option
    return kept


def _sign(value: str) -> str:
    """What stands between the key and the value of a condition: nothing before a comparison (<3, >=5, !=no)."""
    return "" if value.startswith(("<", ">", "!=")) else "="


def _is_value(words: Sequence[str]) -> bool:
    return bool(words) and (not words[0].startswith("-") or re.fullmatch(r"-\.?\d.*", words[0]) is not None)


def _aliases(shape: Any) -> list[str]:
    """Other spellings of options."""
    hints = typing.get_type_hints(shape, include_extras=True)
    marks = [mark for hint in hints.values() if typing.get_origin(hint) is Annotated for mark in hint.__metadata__]
    return [alias for mark in marks for alias in getattr(mark, "aliases", None) or ()]


def _filled(argv: Sequence[str], bare: Mapping[str, str]) -> Iterator[str]:
    for word, after in zip(argv, [*argv, "--"][1:], strict=True):
        yield f"{word}={bare[word]}" if word in bare and after.startswith("-") else word


def _fields(shape: Any, prefix: str = "") -> dict[str, tuple[Any, dataclasses.Field[Any]]]:
    """Type and field of every option by its flag, nested ones under `--name.`."""
    hints = typing.get_type_hints(shape, include_extras=True)
    found = {}
    for field in dataclasses.fields(shape):
        hint, names = hints[field.name], [field.name]
        if typing.get_origin(hint) is Annotated:
            names = [mark.name for mark in hint.__metadata__ if getattr(mark, "name", None) is not None] or names
            hint = hint.__origin__
        if dataclasses.is_dataclass(hint):
            found |= _fields(hint, f"{prefix}{names[0]}." if names[0] else prefix)
        else:
            found[f"--{prefix}{names[0]}".replace("_", "-")] = hint, field
    return found


def _check_help(argv: Sequence[str], shape: Any, program: str) -> None:
    """Raises UserError for options beside --help that do not exist, and for words after it that are neither a value nor a path."""
    known, asked, before = _fields(shape), False, ""
    named = {value for hint, _ in known.values() for value in _literals(hint)}
    for word in argv:
        name, sign, _ = word.partition("=")
        if word in ("-h", "--help"):
            asked, word = True, ""
        elif name.startswith("--"):
            is_own = name.replace("_", "-") in known or name.startswith("--gan.")
            if not (is_own or getattr(shape, "is_excerpt", False)) and name not in _flags_of_kinds():
                raise UserError(_unknown(name, shape, program))
            takes_value = known[name][0] is not bool if name in known else True
            word = name if takes_value and not sign else ""
        elif word.startswith("-"):
            pass
        elif asked and not before.startswith("-") and not Path(word).exists() and word not in named:
            guess = did_you_mean(f"--{word}", list(known))
            raise UserError(f"{program} --help takes no {word!r}{guess}: it shows all options of the command.")
        before = word


def _literals(hint: Any) -> tuple[Any, ...]:
    """The values that a type names, also those of one that may be None."""
    if typing.get_origin(hint) is Literal:
        return typing.get_args(hint)
    return tuple(value for part in typing.get_args(hint) for value in _literals(part))


def _unknown(word: str, shape: Any, program: str) -> str:
    if not word.startswith("-"):
        return f"{program} does not know what to do with {word!r}: see {program} --help."
    known = list(_fields(shape))
    theirs = _flags_of_kinds() if "--kind" in known else {}
    here = ELSEWHERE.get(word.lstrip("-").replace("_", "-"))
    if here is not None and word not in theirs and _first_of(here) in {*known, *theirs}:
        return f"{program} has no option {word} (did you mean {here}?): see {program} --help."
    if word in theirs:
        return f"{word} is an option for {' and '.join(theirs[word])}, and these data are of another kind: leave it out, or name --kind."
    return f"{program} has no option {word}{did_you_mean(word, [*known, *theirs])}: see {program} --help."


def _first_of(spelled: str) -> str:
    """The option that a spelling begins with: --gan of --gan.learning-rate, --n of -n N."""
    return {"-n": "--n"}.get(first := spelled.split()[0], first.partition(".")[0])


def _flags_of_kinds() -> dict[str, list[str]]:
    """Every flag of a data option, with the kinds that have it."""
    found: dict[str, list[str]] = {}
    for kind in kinds.names():
        for field in dataclasses.fields(kinds.options_of(kind)):
            name = f"no_{field.name}" if field.default is True else field.name
            found.setdefault(f"--{name.replace('_', '-')}", []).append(kind)
    return found


def _sentence(complaint: str, shape: Any, argv: Sequence[str], program: str) -> str:
    """What tyro says in a box (title, rule, what is wrong, rule, advice), in a sentence: what is expected, what came."""
    parts = re.split(r"[─-]{4,}", complaint)
    text = " ".join(re.sub("[│╭╮╰╯]", " ", parts[1] if len(parts) > 1 else complaint).split())
    see, known = f"see {program} --help.", _fields(shape)
    if text.startswith("Missing from"):
        needed = [_shown(flag, shape) for flag, (_, field) in known.items() if field.default is dataclasses.MISSING]
        return f"{program} needs {' and '.join(needed)}: {see}"
    if refusal := re.fullmatch(r"Error parsing [\w.]+: (.*)", text):  # by the options' own class, in a sentence
        return refusal[1]
    named = re.search(r"(?:argument '|parsing )(?:(-\w)/)?(?:--)?([\w.-]+)", text)
    short, flag = (named[1], f"--{named[2]}") if named else (None, "")
    if flag not in known:
        return f"{text.rstrip('.')}: {see}"
    chosen = re.search(r"choice '([^']*)'", text)
    value = chosen[1] if chosen else value_of(flag, argv) or (short and value_of(short, argv))
    came = f"it is {value!r}" if value and not value.startswith("--") else "nothing was given"
    return f"{(short or flag) if flag in text else program} takes {_expected(known[flag][0])}, but {came}: {see}"


def _shown(flag: str, shape: Any) -> str:
    """A required option as the usage line shows it: RUN, --to."""
    hint = typing.get_type_hints(shape, include_extras=True)[flag.removeprefix("--").replace("-", "_")]
    marks = getattr(hint, "__metadata__", ())
    return flag.removeprefix("--").upper() if tyro.conf.Positional in marks else flag


def _expected(hint: Any) -> str:
    """A type in words."""
    while typing.get_origin(hint) is Annotated:
        hint = hint.__origin__
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, parts))
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return " or ".join(_expected(part) for part in parts if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return {int: "whole numbers", float: "numbers"}.get(parts[0], "words")
    return _EXPECTED.get(hint, "a value")
