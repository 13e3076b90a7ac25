"""Several tables from the models of each: parents first, children by the counts that were drawn with them, each given its parent's row and
the row before. Keys are new, and every reference has its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np
import torch

from gansmith.data.codec import Batch
from gansmith.data.json_files import read_sealed
from gansmith.data.readers.limits import check as check_limit
from gansmith.data.schema import MismatchError, check, describing
from gansmith.data.suggestions import listed
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.codec import Row, TableCodec
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.related.joined import BEFORE, counted, is_there, named, referring, telling, write_csv
from gansmith.kinds.tables.related.keys import Keys, Link
from gansmith.kinds.tables.related.totals import Total, find_totals, with_totals

if TYPE_CHECKING:
    from gansmith.model import Model

FACTS = "related.json"
CHUNK = 512
"""Rows that are completed at a time."""
CANDIDATES = 64
"""Rows among which the one that a reference means is chosen."""
USUAL = 10_000
"""A table without a parent that is not the one asked for has as many rows as in the data, up to so many, however few are asked for."""
SMALLEST, LARGEST = 4, 256
"""Topmost rows in a block: few at first, so that few cost little."""


def facts_of(tables: Mapping[str, Table], keys: Keys, given: Mapping[str, Sequence[str]], min_count: int) -> dict[str, Any]:
    """What is remembered beside the models: keys and their forms, the order of columns, how many rows the tables had."""
    forms = {
        name: Column.fit(key, tables[name].columns[key], "identifier", min_count).to_json()
        for name, key in keys.keys.items()
        if key is not None and keys.parent_of(name) != key
    }
    return {
        **keys.to_json(),
        "forms": forms,
        "columns": {name: list(table.columns) for name, table in tables.items()},
        "telling": {name: telling(name, table, keys, min_count) for name, table in tables.items()},
        "given": {name: list(columns) for name, columns in given.items()},
        "rows": {name: len(table) for name, table in tables.items()},
        "totals": [total.to_json() for total in find_totals(tables, keys)],
    }


class Facts(TypedDict):
    """What related.json holds."""

    keys: Mapping[str, str | None]
    links: Sequence[Link]
    sorts: Mapping[str, str | None]
    forms: Mapping[str, Mapping[str, Any]]
    columns: Mapping[str, Sequence[str]]
    telling: Mapping[str, Sequence[str]]
    given: Mapping[str, Sequence[str]]
    rows: Mapping[str, int]
    selves: NotRequired[Sequence[Link]]
    optional: NotRequired[Sequence[Link]]
    totals: NotRequired[Sequence[Total]]


def read_facts(path: Path) -> dict[str, Any]:
    """The facts in related.json. Raises UserError if it is damaged, and for names that lead out of its folder."""
    facts, _ = read_sealed(path)
    with describing(path, "facts"):
        check(facts, Facts)
        for name in {*facts["keys"], *facts["columns"]}:
            if Path(name).name != name or name in (".", "..") or "\0" in name or "\\" in name:
                raise MismatchError(f"{name[:60]!r} should be the name of a table, without folders")
        if not facts["keys"] or any(count < 1 for count in facts["rows"].values()):
            raise MismatchError("keys and rows should name tables, and how many rows each has")
    return facts


class Related:
    """The models of several tables, each in a folder of its name, and how they belong together."""

    def __init__(self, facts: Mapping[str, Any], models: Mapping[str, Model]) -> None:
        self.facts, self.models, self.keys = facts, models, Keys.from_json(facts)

    @classmethod
    def load(cls, folder: Path, *, trust: bool = False) -> Related:
        """What `gansmith train FOLDER --kind tables` left in a folder."""
        from gansmith.model import Model

        facts = read_facts(folder / FACTS)
        found = cls(facts, {name: Model.load(folder / name, trust=trust) for name in facts["keys"]})
        with describing(folder / FACTS, "facts"):
            found.check()
        return found

    def check(self) -> None:
        """Raises MismatchError or UserError where the facts do not belong to each other or to the models."""
        tables = set(self.models)
        for part in ("columns", "telling", "given", "rows", "sorts"):
            if set(self.facts[part]) != tables:
                raise MismatchError(f"{part} should name the tables {listed(sorted(tables), 20)}, but they name others")
        for link in (*self.keys.links, *self.keys.optional):
            if link.child not in tables or link.parent not in tables or link.parent not in self.facts["forms"]:
                both = f"{link.child[:60]!r} and {link.parent[:60]!r}"
                raise MismatchError(f"links name {both}, which should be tables, the second with a key")
        for link in self.keys.selves:
            if link.child != link.parent or link.child not in self.facts["forms"] or link.child not in tables:
                raise MismatchError(f"selves name {link.child[:60]!r}, which should be a table with a key that refers to itself")
        for name, model in self.models.items():
            if not isinstance(model.codec, TableCodec):
                raise MismatchError(f"{name[:60]} should be the model of a table")
        for total in (Total(**facts) for facts in self.facts.get("totals", ())):
            link = self.keys.parent_of(total.child)
            parent, child = (
                getattr(self.models[each].codec, "by_name", {}) if each in tables else {} for each in (total.parent, total.child)
            )
            if link is None or link.parent != total.parent or total.column not in parent or (total.of and total.of not in child):
                raise MismatchError(
                    f"totals name {total.parent[:60]!r} and {total.child[:60]!r}, which should be a parent and its child"
                )
        for name, model in self.models.items():
            if not isinstance(model.codec, TableCodec):
                continue
            unknown = set(self.facts["telling"][name]) - set(model.codec.by_name)
            if unknown:
                raise MismatchError(f"telling names {listed(sorted(unknown), 5)}, which are no columns of {name[:60]}")
        self.keys.order()
        for name, form in self.facts["forms"].items():
            if name in tables:
                Column.from_json(form).new_identifiers(1)

    def sample(self, n: int, *, seed: int = 0) -> dict[str, dict[str, list[Any]]]:
        """The columns of every table by its name: n rows of the first one without a parent, and of the others as many as belong to them.

        The first rows of a seed are the same whatever n is: children are drawn for blocks of the topmost rows whose sizes do not depend
        on n, each from streams of its own. References to a second table may mean any of its rows; they are the same as long as that
        table is, which has as many rows as in the data (at most USUAL) until more are needed for n.
        """
        rows: dict[str, list[Row]] = {}
        parents: dict[str, np.ndarray] = {}
        order = self.keys.order()
        roots = [name for name in order if self.keys.parent_of(name) is None]
        first = max(roots, key=lambda name: len(self.keys.children_of(name)))
        for name in roots:
            known = self.facts["rows"]
            count = n if name == first else max(min(known[name], USUAL), round(known[name] * n / known[first]))
            self._grow(name, count, seed, rows, parents)
        return self._with_keys(rows, parents, seed)

    def save(self, tables: Mapping[str, Mapping[str, list[Any]]], folder: Path) -> list[Path]:
        """Every table as a CSV file."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.csv" for name in tables]
        for path, (name, columns) in zip(paths, tables.items(), strict=True):
            write_csv(Table(name=name, columns={key: cells_of(values) for key, values in columns.items()}), path)
        return paths

    # ---- the parts of it --------------------------------------------------------------------------------------------------------

    def _grow(self, root: str, count: int, seed: int, rows: dict[str, list[Row]], parents: dict[str, np.ndarray]) -> None:
        """Adds so many rows of a table without a parent, and all that belong to them. Raises UserError for more rows than the limit."""
        order = self.keys.order()
        below = [root]
        for name in order:
            link = self.keys.parent_of(name)
            if link is not None and link.parent in below:
                below.append(name)
        for name in below:
            rows[name], parents[name] = [], np.zeros(0, int)
        _check_rows(root, count)
        blocks = list(_blocks(count))
        topmost = self.models[root].generate(sum(blocks[-1]), seed=seed + order.index(root))
        for start, size in blocks:
            made, belongs = {root: topmost[start : start + size]}, {root: np.zeros(0, int)}
            kept = {root: min(size, count - start)}
            for name in below[1:]:
                parent = self.keys.parent_of(name).parent  # pyright: ignore[reportOptionalMemberAccess]
                stream = np.random.SeedSequence([seed, order.index(name), start]).generate_state(1, np.uint64)
                rng = torch.Generator().manual_seed(int(stream[0]))
                made[name], belongs[name] = self._children(name, made[parent], rng, len(rows[name]))
                kept[name] = int(np.searchsorted(belongs[name], kept[parent]))  # those of one parent stand together
                parents[name] = np.concatenate([parents[name], belongs[name][: kept[name]] + len(rows[parent])])
            for name in below:
                rows[name] += made[name][: kept[name]]

    def _children(self, name: str, parents: Sequence[Row], rng: torch.Generator, before: int) -> tuple[list[Row], np.ndarray]:
        """(the rows of a table, the row of the parent that each belongs to): the first of every parent, then the second, and so on.
        `before` of the table are there already."""
        link = self.keys.parent_of(name)
        assert link is not None
        numbers = [_whole(row.get(counted(name))) for row in parents]
        _check_rows(name, before + sum(numbers))
        counts = np.array(numbers, int)
        given = self.facts["given"][name]
        made: dict[int, list[Row]] = {place: [] for place in range(len(parents))}
        for step in range(int(counts.max(initial=0))):
            active = np.flatnonzero(counts > step).tolist()
            asked = [self._context(name, link.parent, parents[place], made[place]) for place in active]
            drawn = complete(self.models[name], asked, given, rng)
            for place, row, context in zip(active, drawn, asked, strict=True):
                made[place].append({**row, **context})
        self._sort(name, made)
        return [row for place in made for row in made[place]], np.repeat(np.arange(len(parents)), counts)

    def _sort(self, name: str, made: Mapping[int, list[Row]]) -> None:
        """Brings the dates of the rows of one parent into their order."""
        sort, codec = self.keys.sorts[name], self.models[name].codec
        column = codec.by_name.get(sort) if isinstance(codec, TableCodec) and sort else None
        if column is None or column.column_type != "datetime":
            return
        for rows in made.values():
            dated = [row for row in rows if row[column.name] is not None]
            for row, when in zip(dated, sorted((row[column.name] for row in dated), key=column.key_of), strict=True):
                row[column.name] = when

    def _context(self, name: str, parent: str, row: Row, before: Sequence[Row]) -> Row:
        """What is given of a child: the rows of its ancestors and the row before."""
        last, own, found = before[-1] if before else {}, f"{parent}.", {}
        for given in self.facts["given"][name]:
            if given.startswith(f"{BEFORE}."):
                found[given] = last.get(given.removeprefix(f"{BEFORE}."))
            else:
                found[given] = row.get(given.removeprefix(own)) if given.startswith(own) else row.get(given)
        return found

    def _with_keys(
        self, rows: Mapping[str, Sequence[Row]], parents: Mapping[str, np.ndarray], seed: int
    ) -> dict[str, dict[str, list[Any]]]:
        """The tables as the data have them, with new keys and references to them."""
        new = {
            name: Column.from_json(form).new_identifiers(len(rows[name]))
            for name, form in self.facts["forms"].items()
            if name in rows
        }
        tables: dict[str, dict[str, list[Any]]] = {}
        for place, (name, order) in enumerate(self.facts["columns"].items()):
            link, found = self.keys.parent_of(name), {}
            if name in new and self.keys.keys[name]:
                found[self.keys.keys[name]] = new[name]
            if link is not None:
                found[link.column] = [new[link.parent][row] for row in parents[name].tolist()]
            for reference in self.keys.references_of(name):
                chosen = self._referred(reference.column, rows[name], reference.parent, rows[reference.parent], seed + place)
                found[reference.column] = [new[reference.parent][row] for row in chosen]
            for link in self.keys.optional_of(name):
                has = [row.get(is_there(link.column)) != "no" for row in rows[name]]
                referring_rows = [row for row, own in zip(rows[name], has, strict=True) if own]
                chosen = iter(self._referred(link.column, referring_rows, link.parent, rows[link.parent], seed + place))
                found[link.column] = [new[link.parent][next(chosen)] if own else None for own in has]
            for own in self.keys.selves_of(name):
                relatives = self._relatives(own.column, name, rows[name], seed + place)
                found[own.column] = [None if row is None else new[name][row] for row in relatives]
            tables[name] = {
                column: found[column] if column in found else [row[column] for row in rows[name]]
                for column in order
                if column in found or (rows[name] and column in rows[name][0]) or column in self.models[name].codec.shown  # pyright: ignore[reportAttributeAccessIssue]
            }
        known: dict[str, Any] = {name: getattr(model.codec, "by_name", {}) for name, model in self.models.items()}
        totals = [Total(**facts) for facts in self.facts.get("totals", ())]
        with_totals(totals, tables, parents, known, self.keys.order())
        return tables

    def _relatives(self, column: str, table: str, rows: Sequence[Row], seed: int) -> list[int | None]:
        """For every row another one of the same table that is most like what was drawn of it, in no circle; None where it is to have none.
        Rows that are to be referred to more often than they are so far come first."""
        names, rng = self.facts["telling"][table], np.random.default_rng(seed)
        codec: Any = self.models[table].codec
        spans = {name: _span(codec.by_name[name], rows, name) for name in names}
        left = np.array([_whole(row.get(referring(column))) for row in rows], int)
        chosen: list[int | None] = [None] * len(rows)
        for place in rng.permutation(len(rows)).tolist():
            row = rows[place]
            if row.get(is_there(column)) == "no":
                continue
            free = np.flatnonzero(left > 0)
            pool = free if len(free) else np.arange(len(rows))
            tried = rng.choice(pool, min(CANDIDATES, len(pool)), replace=False).tolist()
            tried = [each for each in tried if not _leads_to(chosen, each, place)]
            wanted = {name: row.get(named(column, name)) for name in names}
            if not tried:
                continue
            far = [sum(_far(codec.by_name[n], wanted[n], rows[each][n], spans[n]) for n in names) for each in tried]
            best = tried[int(np.argmin(far))] if names else tried[0]
            chosen[place], left[best] = best, left[best] - 1
        return chosen

    def _referred(self, column: str, rows: Sequence[Row], parent: str, others: Sequence[Row], seed: int) -> list[int]:
        """For every row the row of another table that is most like what was drawn of it, among random ones."""
        names = self.facts["telling"][parent]
        rng, chosen = np.random.default_rng(seed), []
        codec: Any = self.models[parent].codec
        spans = {name: _span(codec.by_name[name], others, name) for name in names}
        for row in rows:
            places = rng.choice(len(others), min(CANDIDATES, len(others)), replace=False)
            wanted = {name: row.get(named(column, name)) for name in names}
            far = [
                sum(_far(codec.by_name[name], wanted[name], others[place][name], spans[name]) for name in names)
                for place in places
            ]
            chosen.append(int(places[int(np.argmin(far))]) if names else int(places[0]))
        return chosen


def _leads_to(chosen: Sequence[int | None], start: int, end: int) -> bool:
    """Whether a row refers, over any number of others, to this one, or is it."""
    place: int | None = start
    while place is not None and place != end:
        place = chosen[place]
    return place == end


def complete(model: Model, rows: Sequence[Row], given: Sequence[str], rng: torch.Generator) -> list[Row]:
    """These rows with all columns but the given ones drawn by a model of tables."""
    codec: Any = model.codec
    made: list[Row] = []
    with torch.inference_mode():
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            made += codec.decode(model.gan.generate(len(part), condition_of(codec, part, given), rng=rng))
    return made


def condition_of(codec: TableCodec, rows: Sequence[Row], given: Sequence[str]) -> Batch:
    """The given columns of rows as a condition, missing cells too where the column has some."""
    parts, known = [], []
    for column in codec.learned:
        default = next((choice for choice in column.choices if choice is not None), None)
        usual = column.spelled(default if default is not None else column.values[0])
        is_given = column.name in given and column not in codec.excess
        cells = [row.get(column.name) if is_given else usual for row in rows]
        lacking = np.array([cell is None and None not in column.choices for cell in cells])
        parts += column.pack(
            cells_of([usual if lacks else cell for cell, lacks in zip(cells, lacking, strict=True)], column.dtype)
        )
        known.append(~lacking if is_given else np.zeros(len(rows), bool))
    packed = {"row": np.stack(parts, 1).astype(np.float32)}
    return {"given": codec.unpack(packed)["row"], "known": torch.from_numpy(np.stack(known, 1))}


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    """The starts and sizes of the blocks in which n topmost rows and all that belong to them are made: 4, 4, 8, 16, ..., then 256."""
    start = 0
    while start < n:
        size = min(LARGEST, max(SMALLEST, start))
        yield start, size
        start += size


def _check_rows(name: str, count: int) -> None:
    """Raises UserError for more rows of a table than the limit."""
    check_limit("related_rows", count, f"What would be made of the table {name[:60]}", "rows")


def _whole(cell: Any) -> int:
    return 0 if cell is None else max(0, round(float(cell)))


def _span(column: Column, rows: Sequence[Row], name: str) -> float:
    numbers = [number for row in rows if isinstance(number := column.key_of(row[name]), float)] if column.is_numeric else []
    return max(max(numbers) - min(numbers), 1e-12) if numbers else 1.0


def _far(column: Column, one: Any, other: Any, span: float) -> float:
    """How different two cells are, from 0 to 1."""
    if one is None or other is None or not column.is_numeric:
        return float(one != other)
    first, second = column.key_of(one), column.key_of(other)
    return abs(first - second) / span if isinstance(first, float) and isinstance(second, float) else float(one != other)
