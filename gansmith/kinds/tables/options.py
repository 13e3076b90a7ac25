"""How tables are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gansmith.data.options import DataOptions, check_encoding, option, pairs_in
from gansmith.data.readers.json_text import read_json
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Tables."""

    schema: str | None = option(None, "FILE.json", "what is found")
    """Column types that differ from those found: {"zip": "categorical"}, in a file or written out."""
    target: str | None = option(None, "COLUMN", "the last one")
    """The column to predict (the target)."""
    min_count: int = option(5, "K")
    """Values that fewer rows have are not kept: rare categories are redrawn, numbers told as means of so many; 1 keeps all."""
    missing: tuple[str, ...] | None = option(None, "A,B,..", "NA, NaN, null, ..")
    """Words of a CSV file that stand for missing cells, beside the empty cell; "" for none."""
    header: Literal["yes", "no"] | None = option(None, shown="what is found")
    """Whether the first row of a CSV file names the columns."""
    encoding: str | None = option(None, "NAME", "what is detected")
    """The encoding of CSV files that are not UTF-8, such as cp1252 or koi8-r."""
    public: Any = option(None, "DATA")
    """A public table, from which alone the categories, ranges and rules of columns are read (for --gan dpgan)."""

    def __post_init__(self) -> None:
        schema = self.schema
        if isinstance(schema, Mapping):
            object.__setattr__(self, "schema", json.dumps(dict(schema)))
        elif schema is not None and (not isinstance(schema, str) or pairs_in(schema) is None):
            if not isinstance(schema, str | Path) or not str(schema):
                raise UserError(
                    f'--schema takes a JSON file or a mapping such as {{"zip": "categorical"}}, but it is {schema!r}.'
                )
            object.__setattr__(self, "schema", str(Path(schema).expanduser().resolve()))
        if isinstance(self.public, str | Path) and Path(self.public).expanduser().exists():
            object.__setattr__(self, "public", str(Path(self.public).expanduser().resolve()))
        super().__post_init__()
        check_encoding(self.encoding)
        if self.min_count < 1:
            raise UserError(f"--min-count must be at least 1, which keeps every value, but it is {self.min_count}.")

    def related(self) -> Mapping[str, Any] | None:
        """What the schema says of several tables, by their names: {"orders": {"key": "id", "parents": {"buyer": "customers"}, "order":
        "day", "types": {"zip": "categorical"}}}."""
        return self.column_types()

    def column_types(self) -> Mapping[str, str] | None:
        """The column types that the schema names. Raises UserError if it cannot be read as a schema."""
        if self.schema is None:
            return None
        if (found := pairs_in(self.schema)) is not None:
            return found
        try:
            read = read_json(Path(self.schema))
        except (OSError, ValueError) as error:
            raise UserError(
                f'{self.schema} cannot be read as a schema ({error}): give a JSON file like {{"zip": "categorical"}}.'
            ) from error
        if not isinstance(read, dict):
            raise UserError(f'{self.schema} must hold column types by the names of columns, like {{"zip": "categorical"}}.')
        return read
