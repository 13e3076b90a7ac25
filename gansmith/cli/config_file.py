"""--config: the options of a training from a file, a run.json or one of your own."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansmith.data.json_files import content_of, read_sealed
from gansmith.errors import UserError

CONFIG = "--config"
BUDGETS = ("--minutes", "--samples")
"""Of which a command line that names one means no other."""
NOT_FROM_A_FILE = ("config", "out", "resume", "trust", "dry_run", "profile", "json")
"""Options that are about one command and not about a training."""
PROGRAMS = ("--gan", "--generator", "--critic", "--kind")
"""Options that name programs, beside those of a GAN."""
_NAME = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True)
class Configured:
    """A command line with the options of a file."""

    argv: list[str]
    data: str | None
    """The data that the file names."""
    place: Path | None
    """The file: no user's word, so that programs which it names run only where the command line names or trusts them."""
    said: frozenset[Path]
    """The programs that the command line itself names."""
    trust: bool
    source: Mapping[str, Any] | None = None
    """What a run.json says of its data."""


def with_config(argv: Sequence[str]) -> Configured:
    """The command line with the options of the file that --config names before its own, which win.

    A run.json gives the options of that run. Another .json, or a .toml, has the options by their names (`minutes = 5`), those of the GAN
    in a table `options`. Raises UserError if the file cannot be read, or holds something else.
    """
    named = [place for place, word in enumerate(argv) if word == CONFIG or word.startswith(f"{CONFIG}=")]
    if not named:
        return Configured(list(argv), None, None, frozenset(), "--trust" in argv)
    place = named[-1]
    alone = argv[place] == CONFIG
    if alone and place + 1 == len(argv):
        raise UserError("--config takes a file, but nothing was given: name a run.json, or a .json or .toml file of your own.")
    path = Path(argv[place + 1] if alone else argv[place].partition("=")[2]).expanduser()
    rest = [*argv[:place], *argv[place + 1 + alone :]]
    facts = _read(path)
    if "settings" in facts and "config" in facts:
        words, data = _of_run(path, facts)
    else:
        data = facts.get("data")
        if data is not None and not isinstance(data, str):
            raise UserError(f"{path} should name its data by a path or a name, but data is {data!r:.80}: correct it.")
        words = list(_words(path, {name: value for name, value in facts.items() if name != "data"}))
    ours = {f"--{name.replace('_', '-')}" for name in NOT_FROM_A_FILE}
    for word in words:
        if word.partition("=")[0] in ours:
            raise UserError(f"{path} gives {word[:80]}, which belongs on the command line: take it out of the file.")
    if data is not None and data.startswith("-"):
        raise UserError(f"{path} should name its data by a path or a name, but data is {data!r:.80}: correct it.")
    own = {word.partition("=")[0] for word in rest}
    said = frozenset(Path(name).expanduser().resolve() for name in _programs(rest))
    source = facts.get("data") if isinstance(facts.get("data"), Mapping) else None
    return Configured([*_without_contradictions(words, own), *rest], data, path, said, "--trust" in rest, source)


def _programs(argv: Sequence[str]) -> Iterator[str]:
    """The files and folders that these words name where programs are named: --gan FILE.py, --kind FOLDER, --gan.features FILE.py:NAME."""
    for word, after in zip(argv, [*argv, ""][1:], strict=True):
        option, _, value = word.partition("=")
        if option in PROGRAMS or option.startswith("--gan."):
            file, _, function = (value or after).rpartition(":")
            yield file or function


def _read(path: Path) -> Mapping[str, Any]:
    path = path / "run.json" if path.is_dir() else path
    try:
        if path.suffix == ".toml":
            return tomllib.loads(content_of(path).decode())
        return read_sealed(path)[0]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(
            f"--config names the file {path}, which does not exist: name a run.json, or a .json or .toml file."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path} is no TOML file ({error}): correct it.") from error


def _of_run(path: Path, facts: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """The words of the command that trains this run again, without its data, and the data."""
    from gansmith.report.facts import command
    from gansmith.report.records import Records

    records = Records(folder=path.parent, run=facts, ticks=[], evaluations=[], messages=[], judgement={}, previews=[], missing=[])
    line = command(records)
    if line is None:
        raise UserError(f"{path} does not say how its run was trained: give the options on the command line.")
    try:
        program, command, data, *words = shlex.split(line)
        if (program, command) != ("gansmith", "train"):
            raise ValueError
    except ValueError as error:
        raise UserError(f"{path} does not say how its run was trained: give the options on the command line.") from error
    return words, data if records.part("data").get("source") else None


def _words(path: Path, facts: Mapping[str, Any], prefix: str = "--") -> Iterator[str]:
    for name, value in facts.items():
        option = f"{prefix}{name.replace('_', '-')}"
        if not _NAME.fullmatch(name):
            raise UserError(f"{path} gives {name[:80]!r}, which is no name of an option: correct it.")
        if name.replace("-", "_") in NOT_FROM_A_FILE and prefix == "--":
            raise UserError(f"{path} gives {name}, which belongs on the command line: take it out of the file.")
        if name == "options" and isinstance(value, Mapping) and prefix == "--":
            yield from _words(path, value, "--gan.")
        elif isinstance(value, bool):
            yield option if value else f"{prefix}no-{name.replace('_', '-')}"
        elif isinstance(value, list):
            yield option
            yield from (_plain(path, name, part) for part in value)
        elif isinstance(value, str | int | float):
            yield f"{option}={value}"
        else:
            raise UserError(f"{path} gives {name} as {value!r:.80}, where a word, a number or a list is expected: correct it.")


def _plain(path: Path, name: str, part: Any) -> str:
    """A part of a list as a word of the command line, which is no option."""
    if not isinstance(part, str | int | float) or (isinstance(part, str) and part.startswith("-")):
        raise UserError(f"{path} gives {part!r:.80} in the list {name}, where words and numbers are expected: correct it.")
    return str(part)


def _without_contradictions(words: Sequence[str], own: set[str]) -> list[str]:
    """The words of the file without budgets where the command line has one, and without what it says the opposite of."""
    dropped = {word.replace("--no-", "--", 1) if word.startswith("--no-") else word.replace("--", "--no-", 1) for word in own}
    if own & set(BUDGETS):
        dropped |= set(BUDGETS)
    kept, skip = [], False
    for word in words:
        if word.startswith("--"):
            skip = word.partition("=")[0] in dropped
        if not skip:
            kept.append(word)
    return kept
