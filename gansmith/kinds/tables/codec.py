"""Tables: rows of numbers, categories, dates and missing cells."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import Writer
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Cells, Table, cells_of, key
from gansmith.kinds.tables.column_types import MIN_COUNT
from gansmith.kinds.tables.columns import MADE_UP, Column
from gansmith.kinds.tables.conditions import Condition, askable, bounds, check_together, excesses, parse_conditions, share_of
from gansmith.kinds.tables.following import cells_above, excess_of, followed
from gansmith.kinds.tables.learning import learned_of, notes_of
from gansmith.kinds.tables.notation import undressed
from gansmith.kinds.tables.preview import excerpt
from gansmith.kinds.tables.repeats import Repeats
from gansmith.kinds.tables.rules import Rule
from gansmith.kinds.tables.spec import TableSpec
from gansmith.kinds.tables.streams import joined, write_csv, write_parquet

Row = dict[str, Any]
"""The cells of one row by the names of the columns; None is missing."""


@dataclass(frozen=True)
class TableCodec:
    """Rows [P] as chosen options and normal scores when packed, [W] with one-hot choices when unpacked (see `Spec.columns`).

    What is remembered are facts of single columns and the rules between them; no row is.
    """

    suffixes = (".csv", ".parquet", ".npz", ".png")
    streamed = (".csv", ".parquet")
    spec: TableSpec
    columns: tuple[Column, ...]
    """All columns, in the order of the data."""
    rules: tuple[Rule, ...] = ()
    excess: tuple[Column, ...] = ()
    """For every rule "at least", how far the column lies above the other one: learned in its stead."""
    target: str = ""
    """The column to predict from the others; the last one if none is named."""
    repeats: tuple[Repeats, ...] = ()
    """Which identifiers and persons several rows share."""

    @classmethod
    def fit(
        cls,
        table: Table,
        schema: Mapping[str, str] | None = None,
        target: str | None = None,
        min_count: int = MIN_COUNT,
    ) -> TableCodec:
        """Learns the columns and rules of a table. `schema` gives the types of some columns, `target` names the column to predict.
        No value is kept that fewer rows than `min_count` have.

        Raises UserError for a schema or target that does not fit, and for a table in which nothing varies.
        """
        columns, rules, excess, repeats = learned_of(table, schema or {}, target, min_count)
        codec = cls(TableSpec(shape=(0,)), columns, rules, excess)
        sizes = tuple(column.sizes for column in codec.learned)
        if not sizes:
            raise UserError(f"{table.name} has no column that varies and could be learned: give data with at least one.")
        names = [column.name for column in codec.learned]
        last = next(name for name in (target, *reversed(table.columns)) if name in names)
        spec = TableSpec(shape=(sum(map(sum, sizes)),), columns=sizes, target=names.index(last))
        return cls(spec, columns, rules, excess, target or "", repeats)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def learned(self) -> tuple[Column, ...]:
        """The columns that a row holds, in order: not those that follow from others, are constant, made up or left out."""
        follow = {rule.column for rule in self.rules}
        return tuple(
            column
            for column in (*self.columns, *self.excess)
            if column.sizes and (column in self.excess or column.name not in follow)
        )

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The columns of generated tables: all but free text."""
        return tuple(column.name for column in self.columns if column.column_type != "text")

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of how the table was understood."""
        return notes_of(self.columns, self.rules)

    def kept(self) -> dict[str, str]:
        """What a model holds of each column's values."""
        return {column.name: column.kept() for column in self.columns}

    @property
    def previewed(self) -> int:
        return 24

    # ---- between tables, packed rows and rows of numbers ------------------------------------------------------------------------

    def pack_table(
        self, columns: Mapping[str, Cells | np.ndarray], seed: int | None = 0, lenient: bool = False
    ) -> Float[np.ndarray, "rows packed"]:
        """All rows of a table. The seed decides the ranks of equal numbers; None puts them in the middle. Numbers and dates may come as
        float64, dates in seconds, NaN where they are missing.

        Raises UserError where columns are missing, and for categories that were not learned; if `lenient`, others are drawn for these.
        """
        needed = {column.name for column in self.learned} | {name for rule in self.rules for name in rule.by}
        for name in needed:
            if name not in columns:
                raise UserError(
                    f'the column "{name}"{did_you_mean(name, list(columns))} is not there: give all columns of the data learned.'
                )
        columns = {
            name: undressed(cells, self.by_name[name].notation) if name in self.by_name and isinstance(cells, Cells) else cells
            for name, cells in columns.items()
        }
        given = {rule.column: _above(columns, rule) for rule in self.rules if rule.form == "at_least" and rule.column in columns}
        parts = []
        for place, column in enumerate(self.learned):
            rng = None if seed is None else np.random.default_rng([seed, place])
            cells = given.get(column.name) if column in self.excess else columns[column.name]
            assert cells is not None
            is_plain = isinstance(cells, Cells)
            parts += column.pack(cells, rng, lenient) if is_plain else column.pack_numbers(cells, rng)
        return np.stack(parts, 1).astype(np.float32)

    def pack(self, raw: Row) -> dict[str, np.ndarray]:
        return {"row": self.pack_table(_of_rows([raw]), None)[0]}

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        rows = torch.from_numpy(np.array(packed["row"], np.float32))
        parts = [
            rows[:, i : i + 1] if size == 1 else (rows[:, i : i + 1].long() == torch.arange(size, device=rows.device)).float()
            for i, size in enumerate(self._groups)
        ]
        return {"row": torch.cat(parts, 1)}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        row = batch["row"].detach().cpu().float()
        parts, start = [], 0
        for size in self._groups:
            part = row[:, start : start + size]
            parts.append(part[:, 0] if size == 1 else part.argmax(1).float())
            start += size
        return {"row": torch.stack(parts, 1).numpy()}

    def table(self, packed: Mapping[str, np.ndarray], first: int = 0) -> dict[str, list[Any]]:
        """The columns of packed rows, in the order of the data and as they were written, with all that follows from the rules, and with new
        identifiers and persons from those of number `first`."""
        found = self._plain_table(packed["row"], first)
        return {name: list(map(self.by_name[name].dressed, found[name])) for name in self.shown if name in found}

    def _plain_table(self, rows: np.ndarray, first: int = 0) -> dict[str, list[Any]]:
        """The columns of packed rows, with numbers as Python writes them."""
        start = 0
        found: dict[str, list[Any]] = {}
        for column in self.learned:
            width = len(column.sizes)
            name = f"{column.name} excess" if column in self.excess else column.name
            found[name] = column.unpack([rows[:, i] for i in range(start, start + width)])
            start += width
        for column in self.columns:
            if len(column.choices) == 1 and not column.sizes and column.column_type not in (*MADE_UP, "text"):
                only = column.choices[0]  # constant, or all but one value is kept of too few rows
                found[column.name] = [only if column.column_type == "constant" else column.spelled(only)] * len(rows)
        for rule in self.rules:
            found[rule.column] = followed(rule, found, self.by_name)
        return found | self._made_up(found, len(rows), first)

    def encode(self, raw: Row) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Row]:
        columns = self.table(self.repack(batch))
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]

    # ---- conditions --------------------------------------------------------------------------------------------------------------

    def conditions(self, n: int, rng: torch.Generator, /, **where: Any) -> Batch:
        """Bounds of the requested rows: "low" and "high" [n, W]; nothing without conditions.

        A condition is a category, a number or comparisons (`Condition.parse`). A condition on a column that a rule computes
        is moved to the column that decides it, or only checked in `complies`.
        """
        if not where:
            return {}
        decided = [self._decided(wanted) for wanted in self._parsed(where)]
        check_together(decided, {name: str(value) for name, value in where.items()}, self.rules, self.by_name)
        places = [
            (self._starts.get(name), [wanted for wanted in decided if wanted.column.name == name])
            for name in dict.fromkeys(wanted.column.name for wanted in decided)
        ]
        beyond = excesses(decided, self.rules, self.by_name, self.excess)
        places += [(self._excess_starts[wanted.column.name], [wanted]) for wanted in beyond]
        known = [(start, together) for start, together in places if start is not None and together[0].column in self.learned]
        low, high = (torch.from_numpy(bound) for bound in bounds(self.spec.shape[0], known))
        return {"low": low.expand(n, -1), "high": high.expand(n, -1)}

    def rarity(self, where: Mapping[str, Any]) -> str:
        """How many of the training rows meet each condition by itself, for people."""
        shares = {name: share_of(self._decided(wanted)) for name, wanted in zip(where, self._parsed(where), strict=True)}
        said = [f"{share:.0%}" if share > 0.0995 else f"{share:.2%}" for share in shares.values()]
        each = ", ".join(f"{name} {where[name]} in {how}" for name, how in zip(shares, said, strict=True))
        return f"by themselves: {each} of the data" if len(shares) > 1 else f"{each} of the data"

    def complies(self, batch: Batch, /, **where: Any) -> np.ndarray:
        """Which rows meet the conditions, judged as they would be saved."""
        parsed = self._parsed(where)
        columns = self._plain_table(self.repack(batch)["row"])
        kept = np.ones(len(batch["row"]), bool)
        for wanted in parsed:
            kept &= np.array([wanted.allows(value) for value in columns[wanted.column.name]], bool)
        return kept

    def askable(self) -> list[dict[str, Any]]:
        return askable(self.columns)

    def to_impute(self, rows: Sequence[Row]) -> Batch:
        """Rows with missing cells as a condition that keeps what is known: "given" [n, W] and "known" [n, columns]."""
        columns = {
            name: undressed(cells, self.by_name[name].notation) if name in self.by_name else cells
            for name, cells in _of_rows(rows).items()
        }
        filled, known = {}, []
        for column in self.learned:
            cells = columns[column.name] if column not in self.excess else cells_above(columns, self._rule(column.name))
            known.append(np.array([cells.levels[code] is not None for code in cells.codes]))
            default = next((choice for choice in column.choices if choice is not None), None)
            usual = column.spelled(default if default is not None else column.values[0]) if column.sizes else None
            levels = [usual if level is None else level for level in cells.levels]
            filled[column.name] = Cells(levels, cells.codes, cells.dtype)
        parts = [part for column in self.learned for part in column.pack(filled[column.name])]
        packed = {"row": np.stack(parts, 1).astype(np.float32)}
        return {"given": self.unpack(packed)["row"], "known": torch.from_numpy(np.stack(known, 1))}

    # ---- files and pictures -----------------------------------------------------------------------------------------------------

    def save(self, raws: Sequence[Row], folder: Path) -> list[Path]:
        """All rows as rows.csv; rows-1.csv and so on beside earlier ones, so that none is overwritten."""
        path = _free(folder)
        with whole(path) as part:
            self.write(raws, part)
        return [path]

    def stream(self, batches: Iterable[Batch], path: Path) -> list[Path]:
        """Writes rows that come batch by batch to a .csv or .parquet file, or as rows.csv into a folder, whole or not at all."""
        place = path if path.suffix.lower() in self.streamed else _free(path)
        names = {column.name for column in self.columns if column.name in self.shown}
        with whole(place) as part:
            if place.suffix.lower() == ".parquet":
                write_parquet(self._portions(batches), [each for each in self.columns if each.name in names], part)
            else:
                write_csv(self._portions(batches), self.shown, part)
        return [place]

    def _portions(self, batches: Iterable[Batch]) -> Iterator[dict[str, list[Any]]]:
        first = 0
        for rows in joined(self.repack(batch)["row"] for batch in batches):
            yield self.table({"row": rows}, first)
            first += len(rows)

    def write(self, raws: Sequence[Row], path: Path) -> None:
        """All rows as .csv or .parquet (extra [parquet]), as they are packed as .npz, or an excerpt as .png."""
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".npz":
            np.savez(path, row=self.pack_table(_of_rows(raws), None))
        elif path.suffix == ".parquet":
            rows = self.numbered(raws)
            write_parquet([{name: [row[name] for row in rows] for name in self.shown}], self.columns, path)
        else:
            path.write_text(self.text(raws), encoding="utf-8", newline="")

    def text(self, raws: Sequence[Row]) -> str:
        """All rows as CSV."""
        lines = io.StringIO()
        writer = Writer(lines, lineterminator="\n")
        writer.writerow(self.shown)
        writer.writerows([["" if cell is None else cell for cell in row.values()] for row in self.numbered(raws)])
        return lines.getvalue()

    def numbered(self, raws: Sequence[Row], first: int = 0) -> list[Row]:
        """The rows with identifiers and persons as often the same as in the data, from the one of number `first`."""
        if not self._own_repeats:
            return list(raws)
        columns = {name: [row[name] for row in raws] for name in self.shown} if raws else {}
        fresh = self._made_up(columns, len(raws), first)
        fresh = {name: list(map(self.by_name[name].dressed, cells)) for name, cells in fresh.items()}
        return [row | {name: made[i] for name, made in fresh.items()} for i, row in enumerate(raws)]

    @cached_property
    def _own_repeats(self) -> tuple[Repeats, ...]:
        known = {name for repeats in self.repeats for name in repeats.columns}
        lone = [column.name for column in self.columns if column.column_type in MADE_UP and column.name not in known]
        return (*self.repeats, *(Repeats(columns=(name,)) for name in lone))

    def _made_up(self, columns: Mapping[str, Sequence[Any]], rows: int, first: int = 0) -> dict[str, list[Any]]:
        """New identifiers and personal values; of those that are missing in some rows, as many are missing."""
        made: dict[str, list[Any]] = {}
        for repeats in self._own_repeats:
            persons = repeats.assign(columns, rows, first)
            for name in repeats.columns:
                column = self.by_name[name]
                cells = column.identifiers(persons)
                if column.counts:
                    gaps = np.random.default_rng([first, 2]).random(rows) < column.counts[0] / sum(column.counts)
                    cells = [None if gap else cell for gap, cell in zip(gaps.tolist(), cells, strict=True)]
                made[name] = cells
        return made

    def preview(self, raws: Sequence[Row]) -> Image.Image:
        return excerpt(self.shown, [[row[name] for name in self.shown] for row in raws])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch width"]:
        """The rows of numbers themselves."""
        return batch["row"]

    def fault(self) -> str | None:
        for rule in self.rules:
            unknown = [name for name in (rule.column, *rule.by) if name not in self.by_name]
            if unknown or not rule.by:
                return f"has a rule of the column {', '.join(unknown) or rule.column} that names no column"
            if rule.form == "decided":
                by = self.by_name[rule.by[0]]
                lacking = [choice for choice in by.choices if not rule.knows(by.spelled(choice))]
                if lacking:
                    return f"has a rule that does not say what {rule.column} is where {by.name} is {lacking[0]!r:.40}"
        return None

    def to_json(self) -> dict[str, Any]:
        return {
            "spec": self.spec.to_json(),
            "columns": [column.to_json() for column in self.columns],
            "rules": [rule.to_json() for rule in self.rules],
            "excess": [column.to_json() for column in self.excess],
            **({"target": self.target} if self.target else {}),
            **({"repeats": [repeats.to_json() for repeats in self.repeats]} if self.repeats else {}),
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> TableCodec:
        return cls(
            TableSpec.from_json(facts["spec"]),
            tuple(map(Column.from_json, facts["columns"])),
            tuple(map(Rule.from_json, facts["rules"])),
            tuple(map(Column.from_json, facts["excess"])),
            facts.get("target", ""),
            tuple(map(Repeats.from_json, facts.get("repeats", ()))),
        )

    # ---- the parts of it --------------------------------------------------------------------------------------------------------

    @cached_property
    def _groups(self) -> tuple[int, ...]:
        return tuple(size for sizes in self.spec.columns for size in sizes)

    @cached_property
    def _starts(self) -> dict[str, int]:
        """Where each learned column begins in a row."""
        return {column.name: start for column, start in self._begins if column not in self.excess}

    @cached_property
    def _excess_starts(self) -> dict[str, int]:
        """Where what is learned in the stead of columns "at least" begins in a row."""
        return {column.name: start for column, start in self._begins if column in self.excess}

    @cached_property
    def _begins(self) -> list[tuple[Column, int]]:
        starts = np.cumsum([0, *(sum(column.sizes) for column in self.learned)]).tolist()
        return list(zip(self.learned, starts, strict=False))

    def _parsed(self, where: Mapping[str, Any]) -> list[Condition]:
        return parse_conditions({name: self.by_name[name] for name in self.shown}, where)

    def _rule(self, name: str) -> Rule:
        return next(rule for rule in self.rules if rule.column == name)

    def _decided(self, condition: Condition) -> Condition:
        """The same condition on the column that decides this one, if one does."""
        rule = next((rule for rule in self.rules if rule.column == condition.column.name and rule.form == "decided"), None)
        if rule is None:
            return condition
        by = self.by_name[rule.by[0]]
        return Condition(by, frozenset(key(choice) for choice in by.choices if condition.allows(rule.value(by.spelled(choice)))))


def _free(folder: Path) -> Path:
    """A name for a file of rows in a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    while (path := folder / f"rows{f'-{number}' if number else ''}.csv").exists():
        number += 1
    return path


def _of_rows(rows: Sequence[Row]) -> dict[str, Cells]:
    return {name: cells_of(row[name] for row in rows) for name in rows[0]}


def _above(columns: Mapping[str, Cells | np.ndarray], rule: Rule) -> Cells | np.ndarray:
    """How far the column of a rule lies above the other one, as cells if both are cells."""
    excess = excess_of(columns, rule)
    are_cells = all(isinstance(columns[name], Cells) for name in (rule.column, rule.by[0]))
    return cells_of(excess.tolist(), "float64") if are_cells else excess
