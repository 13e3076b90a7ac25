"""What commands say: words for people and, with --json, one document on stdout for machines."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 120
"""Columns of a table that is not shown on a terminal."""


class Output:
    """Words go to stdout, or to stderr where stdout is for JSON; of several processes the first one speaks."""

    def __init__(self, to: str | bool | None = None, *, overwrite: bool = False, given: Iterable[str | Path | None] = ()) -> None:
        """`to` is True or "-" for JSON on stdout, a path for JSON in a file, and False or None for none.

        Raises UserError if the file has no folder to lie in, if it exists (unless `overwrite`), and if it is one of the files `given`
        that the command reads. Devices and pipes may be written to.
        """
        self.to = "-" if to is True else to or None
        if self.to not in (None, "-") and not Path(self.to).parent.is_dir():
            raise UserError(f"--json names the file {self.to}, whose folder does not exist: make it first, or give another path.")
        if self.to not in (None, "-") and not _is_stream(Path(self.to)):
            read = [Path(path) for path in given if path is not None]
            refuse_overwriting([Path(self.to)], read, overwrite=overwrite, option="--json")
        self.words = sys.stderr if self.to == "-" else sys.stdout
        self.leads = os.environ.get("RANK", "0") == "0"

    def say(self, text: str = "") -> None:
        if self.leads:
            print(text, file=self.words)

    def show(self, table: "Table") -> None:
        if self.leads:
            from rich.console import Console

            Console(file=self.words, width=None if self.words.isatty() else WIDTH).print(table)

    def result(self, facts: Any) -> None:
        """The result for machines, if they asked for it. Raises OSError if the file cannot be written."""
        if self.to is None or not self.leads:
            return
        text = json.dumps(facts, default=str)
        if self.to == "-":
            print(text)
        elif _is_stream(Path(self.to)):
            Path(self.to).write_text(text + "\n", encoding="utf-8")
        else:
            with whole(Path(self.to)) as part:
                part.write_text(text + "\n", encoding="utf-8")


def _is_stream(path: Path) -> bool:
    """Whether it is a device or a pipe, such as /dev/stderr."""
    return path.exists() and not path.is_file() and not path.is_dir()
