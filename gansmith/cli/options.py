"""Command lines become frozen dataclasses, by tyro; one that does not parse is answered in a sentence."""

import contextlib
import dataclasses
import io
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import tyro

from gansmith.data.readers.limits import check
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError

Options = TypeVar("Options")

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")]
"""An option without a value, off by default."""

_EXPECTED = {int: "a whole number", float: "a number", bool: "True or False", str: "a word"}


def takes(metavar: str, default: str = "", **more: Any) -> Any:
    """How help shows an option: the name of its value, and its default where that is not None."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {default})" if default else "", **more)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """How data are read."""

    kind: Annotated[
        Literal["domains", "images", "pairs", "points", "series", "tables"] | None,
        takes("{domains,images,pairs,points,series,tables}", "what is found"),
    ] = None
    """The kind of data."""
    resolution: Annotated[str | None, takes("SIDE|HxW", "that of the data up to 256, else 64")] = None
    """Size of the images: 64, or height x width, 64x48."""
    crop: Annotated[Literal["center", "fit", "pad"], takes("{center,fit,pad}", "center")] = "center"
    """How images of other proportions are fitted."""
    channels: Annotated[int | None, takes("1|3|4", "the most general there is")] = None
    """Gray, RGB or RGBA."""
    values: Annotated[str | None, takes("LOW,HIGH", "all that the data span")] = None
    """Where images of more than 8 bits are cut off, such as -1000,400 (write --values=-1000,400)."""
    window: Annotated[int | None, takes("T", "24 of long series, 128 of returns")] = None
    """Steps of an example: long time series are cut into such windows."""
    stride: Annotated[int, takes("S", "1")] = 1
    """Steps from window to window."""
    returns: Flag = False
    """Series of prices: learn their log returns, and make prices of them again."""
    scale: Annotated[Literal["feature", "example"], takes("{feature,example}", "feature")] = "feature"
    """Scale series by the range of each column, or each series by its own, which is learned too."""
    entity: Annotated[str | None, takes("COLUMN", "series or id, if there")] = None
    """The column that tells several series in one file apart."""
    time: Annotated[str | None, takes("COLUMN", "the first that reads as dates")] = None
    """The column of dates or times."""
    static: Annotated[str | None, takes("A,B,..")] = None
    """Columns that are fixed for a series: its attributes."""
    columns: Annotated[str | None, takes("A,B,..", "all that are left")] = None
    """Columns of a series to learn."""
    fill: Annotated[Literal["linear", "previous"] | None, takes("{linear,previous}", "refuse them")] = None
    """How missing values of a series, and steps that its times leave out, are filled in."""
    no_labels: Flag = False
    """Leave class labels out."""
    schema: Annotated[str | None, takes("FILE.json", "what is found")] = None
    """Of which kind columns of a table are: {"zip": "categorical"}."""
    target: Annotated[str | None, takes("COLUMN", "the last one")] = None
    """The column of a table that the others are to tell."""

    def opening(self) -> dict[str, Any]:
        """The options of `open_dataset` that differ from its own defaults."""
        given = {name: value for name, value in vars(self).items() if value != getattr(type(self), name)}
        given |= {name: tuple(names_in(given[name])) for name in ("static", "columns") if name in given}
        return given if not given.pop("no_labels", False) else {**given, "labels": False}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opening(Reading):
    """How data are read to be learnt from."""

    skip_unreadable: Flag = False
    """Leave files that cannot be read out, instead of stopping at them."""
    degrade: Annotated[str | None, takes("x4,noise25,..")] = None
    """Make pairs of pictures by x2 (smaller), blur2, noise25, jpeg30, gray or holes."""
    pairing: Annotated[Literal["names", "none"] | None, takes("{names,none}", "what the folders say")] = None
    """Whether files of two folders are partners by name, or the folders two domains."""
    swap: Flag = False
    """Exchange the two sides of pairs."""
    masks: Annotated[str | None, takes("DIR")] = None
    """Make pairs of pictures and themselves with holes, where the masks of this folder (by the same names) are white."""
    label_maps: Flag = False
    """The colours of the given side of pairs are labels, not brightnesses."""
    public: Annotated[str | None, takes("DATA")] = None
    """A public table, from which alone the categories, ranges and rules of columns are read (for --gan dpgan)."""


def parse(shape: type[Options], argv: Sequence[str], program: str, bare: Mapping[str, str] | None = None) -> Options:
    """The options of a command. `bare` gives the value that an option means when it stands alone: {"--json": "-"}.

    Raises UserError in one sentence, and SystemExit(0) when help was asked for and printed.
    """
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
    return options


def names_in(text: str | None) -> list[str]:
    """The names in A,B,.."""
    return [name for part in (text or "").split(",") if (name := part.strip())]


def seeds_in(text: str) -> list[int]:
    """The numbers of "1-4,9". Raises UserError for anything else, for seeds beyond 64 bits and above the limit `seeds`."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,20})(?:-(\d{1,20}))?\s*", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last >= 2**64:
            raise UserError(f"--seeds takes numbers below 2^64 and ranges such as 1-8 or 3,7,9, but it is {text!r}.")
        check("seeds", len(seeds) + last - first + 1, f"--seeds {text}", "seeds")
        seeds += range(first, last + 1)
    return seeds


def value_of(option: str, argv: Sequence[str]) -> str | None:
    """The last value of an option in a command line that is not parsed yet."""
    found = None
    for word, after in zip(argv, [*argv, None][1:], strict=True):
        found = after if word == option else word.removeprefix(f"{option}=") if word.startswith(f"{option}=") else found
    return found


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


def _unknown(word: str, shape: Any, program: str) -> str:
    if not word.startswith("-"):
        return f"{program} does not know what to do with {word!r}: see {program} --help."
    return f"{program} has no option {word}{did_you_mean(word, list(_fields(shape)))}: see {program} --help."


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
    named = re.search(r"(?:argument '|parsing )(?:--)?([\w.-]+)", text)
    flag = f"--{named[1]}" if named else ""
    if flag not in known:
        return f"{text.rstrip('.')}: {see}"
    chosen = re.search(r"choice '([^']*)'", text)
    value = chosen[1] if chosen else value_of(flag, argv)
    came = f"it is {value!r}" if value and not value.startswith("--") else "nothing was given"
    return f"{flag if flag in text else program} takes {_expected(known[flag][0])}, but {came}: {see}"


def _shown(flag: str, shape: Any) -> str:
    """A required option as the usage line shows it: RUN, --to."""
    hint = typing.get_type_hints(shape, include_extras=True)[flag.removeprefix("--").replace("-", "_")]
    marks = getattr(hint, "__metadata__", ())
    return flag.removeprefix("--").upper() if tyro.conf.Positional in marks else flag


def _expected(hint: Any) -> str:
    """A type in words."""
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, parts))
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return " or ".join(_expected(part) for part in parts if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return {int: "whole numbers", float: "numbers"}.get(parts[0], "words")
    return _EXPECTED.get(hint, "a value")
