"""--config: the options of a training from a file, a run.json or one of your own."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gansmith.data.json_files import content_of, read_sealed
from gansmith.errors import UserError

CONFIG = "--config"
BUDGETS = ("--minutes", "--samples")
"""Of which a command line that names one means no other."""
NOT_FROM_A_FILE = ("config", "out", "resume", "trust", "dry_run", "profile", "json")
"""Options that are about one command and not about a training."""


def with_config(argv: Sequence[str]) -> tuple[list[str], str | None]:
    """The command line with the options of the file that --config names before its own, which win; and the data that the file names.

    A run.json gives the options of that run. Another .json, or a .toml, has the options by their names (`minutes = 5`), those of the GAN
    in a table `options`. Raises UserError if the file cannot be read, holds something else, or names programs, which only the command line
    may do.
    """
    named = [place for place, word in enumerate(argv) if word == CONFIG or word.startswith(f"{CONFIG}=")]
    if not named:
        return list(argv), None
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
    programs = [word for word in words if word.endswith(".py") or ".py:" in word]
    own = {word.partition("=")[0] for word in rest}
    if programs and not own & {"--trust", "--gan", "--generator"}:
        raise UserError(
            f"{path} names the program {programs[0]}, which would run on this machine: read it, and if you trust it give --trust."
        )
    return [*_without_contradictions(words, own), *rest], data


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
    _, _, data, *words = shlex.split(line)
    return words, data if records.part("data").get("source") else None


def _words(path: Path, facts: Mapping[str, Any], prefix: str = "--") -> Iterator[str]:
    for name, value in facts.items():
        option = f"{prefix}{name.replace('_', '-')}"
        if name.replace("-", "_") in NOT_FROM_A_FILE and prefix == "--":
            raise UserError(f"{path} gives {name}, which belongs on the command line: take it out of the file.")
        if name == "options" and isinstance(value, Mapping) and prefix == "--":
            yield from _words(path, value, "--gan.")
        elif isinstance(value, bool):
            yield option if value else f"{prefix}no-{name.replace('_', '-')}"
        elif isinstance(value, list):
            yield from (option, *map(str, value))
        elif isinstance(value, str | int | float):
            yield f"{option}={value}"
        else:
            raise UserError(f"{path} gives {name} as {value!r:.80}, where a word, a number or a list is expected: correct it.")


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
