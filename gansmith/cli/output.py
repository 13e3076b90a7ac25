"""What commands say: words for people and, with --json, one document on stdout for machines."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 120
"""Columns of a table that is not shown on a terminal."""


class Output:
    """Words go to stdout, or to stderr where stdout is for JSON; of several processes the first one speaks."""

    def __init__(self, to: str | bool | None = None) -> None:
        """`to` is True or "-" for JSON on stdout, a path for JSON in a file, and False or None for none.

        Raises UserError if the file has no folder to lie in.
        """
        self.to = "-" if to is True else to or None
        if self.to not in (None, "-") and not Path(self.to).parent.is_dir():
            raise UserError(f"--json names the file {self.to}, whose folder does not exist: make it first, or give another path.")
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
        else:
            Path(self.to).write_text(text + "\n", encoding="utf-8")
