"""How well several generated tables agree with real ones: each table, the counts of children, and what parents say of their children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gansmith.kinds.tables.cells import Cells, Table, cells_of
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.metrics.table_shapes import Against, column_shape
from gansmith.kinds.tables.related.joined import BEFORE, children, joined, named
from gansmith.kinds.tables.related.keys import Keys, place_of, there
from gansmith.kinds.tables.views import View, view_of


def scores(real: Mapping[str, Table], fake: Mapping[str, Table], keys: Keys) -> dict[str, float]:
    """Scores of generated tables, 1 being best, by their names.

    `integrity` is the share of references that have a row. For each table `NAME shapes` and `NAME trends` are SDMetrics' column shapes and
    pair trends; for each child `rows of NAME` is 1 - the Kolmogorov-Smirnov distance of the numbers of rows that parents have, `NAME by
    parent` the pair trends between columns of the child and of its parent, and `NAME by the row before` those with the row before.
    """
    found: dict[str, float] = {"integrity": integrity(fake, keys)}
    for name in keys.order():
        sides = [joined(name, tables, keys, 1, like=real)[0] for tables in (real, fake)]
        codec = TableCodec.fit(sides[0], min_count=1)
        own = [column for column in sides[0].columns if column in real[name].columns]
        views = [_view(side, codec) for side in sides]
        shapes, trends = _own_scores(views, own)
        found[f"{name} shapes"] = shapes
        if not np.isnan(trends):
            found[f"{name} trends"] = trends
        link = keys.parent_of(name)
        if link is None:
            continue
        counts = [children(name, tables, keys).astype(float) for tables in (real, fake)]
        found[f"rows of {name}"] = column_shape(counts[0], counts[1], False)
        for said, before in ((f"{name} by parent", named(link.parent, "")), (f"{name} by the row before", named(BEFORE, ""))):
            between = _between(views, own, before)
            if not np.isnan(between):
                found[said] = between
    return found


def integrity(tables: Mapping[str, Table], keys: Keys) -> float:
    """The share of references that have a row, over all links."""
    good = total = 0
    for link in (*keys.links, *keys.selves, *keys.optional):
        key, cells = keys.keys[link.parent], tables[link.child].columns[link.column]
        assert key is not None
        refers = np.ones(len(cells), bool) if link in keys.links else there(cells)
        good += int((place_of(cells, tables[link.parent].columns[key]) >= 0)[refers].sum())
        total += int(refers.sum())
    return good / max(total, 1)


def at_random(tables: Mapping[str, Table], keys: Keys, seed: int = 0) -> dict[str, Table]:
    """The trivial generator: real rows, every child given to a random parent."""
    rng, made = np.random.default_rng(seed), dict(tables)
    for link in (*keys.links, *keys.optional):
        child, key = made[link.child], keys.keys[link.parent]
        assert key is not None
        parents = tables[link.parent].columns[key]
        codes = parents.codes[rng.integers(0, len(tables[link.parent]), len(child))]
        codes = np.where(there(child.columns[link.column]) | (link in keys.links), codes, len(parents.levels))
        cells = Cells([*parents.levels, None], codes, parents.dtype)
        made[link.child] = Table(name=child.name, columns={**child.columns, link.column: cells})
    return made


def halves(tables: Mapping[str, Table], keys: Keys, seed: int = 0) -> tuple[dict[str, Table], dict[str, Table]]:
    """Two halves of the first parents with all rows that belong to them; tables that others refer to are in both."""
    rng, sides = np.random.default_rng(seed), ({}, {})
    kept: dict[str, np.ndarray] = {}
    for name in keys.order():
        table, link = tables[name], keys.parent_of(name)
        if link is None:
            kept[name] = rng.random(len(table)) < 0.5 if keys.children_of(name) else np.ones(len(table), bool)
        else:
            key = keys.keys[link.parent]
            assert key is not None
            places = place_of(table.columns[link.column], tables[link.parent].columns[key])
            kept[name] = kept[link.parent][places]
        both = link is None and not keys.children_of(name)
        for side, rows in zip(sides, (kept[name], kept[name] if both else ~kept[name]), strict=True):
            where = np.flatnonzero(rows)
            columns = {column: cells.take(where) for column, cells in table.columns.items()}
            for link in (*keys.selves_of(name), *keys.optional_of(name)):  # who refers to a row of the other half refers to none
                known = columns if link.parent == name else side[link.parent].columns
                kept_keys = known[str(keys.keys[link.parent])]
                is_lost = place_of(columns[link.column], kept_keys) < 0
                values = [None if lost else cell for cell, lost in zip(columns[link.column].values(), is_lost, strict=True)]
                columns[link.column] = cells_of(values, columns[link.column].dtype)
            side[name] = Table(name=name, columns=columns)
    return sides


def _view(table: Table, codec: TableCodec) -> View:
    return view_of({name: cells.values() for name, cells in table.columns.items()}, codec.columns)


def _own_scores(views: list[View], own: list[str]) -> tuple[float, float]:
    sides = [_columns(view, [name for name in view.names if name in own]) for view in views]
    if not sides[0].names:
        return float("nan"), float("nan")
    against, rows = Against(*sides), np.arange(len(sides[1].values))
    trends: Any = list(against.trends(rows).values())
    return float(np.nanmean(list(against.shapes(rows).values()))), float(np.nanmean(trends)) if trends else float("nan")


def _between(views: list[View], own: list[str], before: str) -> float:
    """The mean trend of pairs of an own column and one whose name begins so; of those that depend on each other, if any do."""
    against, rows = Against(*views), np.arange(len(views[1].values))
    names = views[0].names
    pairs = [
        (i, j)
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if first.startswith(before) and second in own and i != j
    ]
    strong = [pair for pair in pairs if against._strength(*pair)]
    against.pairs = strong or pairs
    found = list(against.trends(rows).values())
    return float(np.nanmean(found)) if found else float("nan")


def _columns(view: View, names: list[str]) -> View:
    places = [view.names.index(name) for name in names]
    missing = tuple(view.missing[place] for place in places) if view.missing else ()
    return View(tuple(names), view.values[:, places], view.categorical[places], missing)
