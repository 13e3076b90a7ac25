"""What is in a folder of several tables: each of them, their keys, and how many rows of one belong to a row of another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gansmith.data.inspection import Inspection
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.inspection import columns_in, copies_in
from gansmith.kinds.tables.options import Options
from gansmith.kinds.tables.related.joined import children
from gansmith.kinds.tables.related.judging import integrity
from gansmith.kinds.tables.related.keys import Keys, find_keys
from gansmith.kinds.tables.related.parts import tables_of


def inspection_of_parts(source: Source, options: Options) -> Inspection:
    """All tables together: columns are named TABLE.COLUMN. What keeps them from belonging together is the suggestion.

    Raises UserError for tables that cannot be read.
    """
    tables, _ = tables_of(source, options)
    schema = options.related() or {}
    columns, notes, duplicates = {}, [], []
    for name, table in tables.items():
        facts = schema.get(name)
        types = facts.get("types") if isinstance(facts, Mapping) else None
        notes.append(f"{name} has {len(table):,} rows of {len(table.columns):,} columns")
        try:
            codec = TableCodec.fit(table, types, None, options.min_count)
        except UserError as error:  # what it has of its parent may yet be learned
            notes.append(f"{name}: {str(error).rstrip('.')}")
        else:
            columns |= columns_in(codec, f"{name}.")
            notes += [f"{name}: {note}" for note in (*table.notes, *codec.notes)]
        duplicates += [[f"{name} row {first}", f"{name} row {row}"] for first, row in copies_in(table)]
    found = Inspection(
        name=source.said(),
        kind="tables",
        unit="rows",
        count=sum(map(len, tables.values())),
        columns=columns,
        duplicates=duplicates,
        notes=notes,
    )
    try:
        keys = find_keys(tables, schema)
    except UserError as error:
        found.suggestion = f"Nothing can be trained on it yet: {error}"
    else:
        found.notes += [*keys.sentences(), *_counts(tables, keys)]
    return found


def _counts(tables: Mapping[str, Table], keys: Keys) -> list[str]:
    """The share of references that have a row, and the rows that parents have."""
    said = [f"{integrity(tables, keys):.0%} of the references have their row"]
    for name in keys.order():
        if (link := keys.parent_of(name)) is not None:
            each = children(name, tables, keys)
            said.append(
                f"a row of {link.parent} has {each.min():,} to {each.max():,} rows of {name}, {each.mean():.3g} on average; "
                f"{np.count_nonzero(each == 0):,} of {len(each):,} have none"
            )
    return said
