"""What is learned of a table: the types and facts of its columns, the rules between them, and which values rows share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.column_types import COLUMN_TYPES, type_of
from gansmith.kinds.tables.columns import MADE_UP, Column
from gansmith.kinds.tables.following import cells_above
from gansmith.kinds.tables.notation import notations_of, undressed
from gansmith.kinds.tables.repeats import Repeats, repeats_of
from gansmith.kinds.tables.rules import Rule, infer


def learned_of(
    table: Table, schema: Mapping[str, str], target: str | None, min_count: int
) -> tuple[tuple[Column, ...], tuple[Rule, ...], tuple[Column, ...], tuple[Repeats, ...]]:
    """(columns, rules, for every rule "at least" how far the column lies above the other one, repeats); see `TableCodec.fit`.

    Raises UserError for a schema or target that does not fit.
    """
    if target is not None and target not in table.columns:
        raise UserError(f'the target "{target}" is no column{did_you_mean(target, list(table.columns))}: name one that is.')
    for name, column_type in schema.items():
        if name not in table.columns:
            raise UserError(f'the schema names the column "{name}"{did_you_mean(name, list(table.columns))}, which is not there.')
        if not isinstance(column_type, str) or column_type not in COLUMN_TYPES:
            raise UserError(
                f'the schema says "{name}" is {column_type!r}{did_you_mean(str(column_type), COLUMN_TYPES)}: '
                f"the types are {', '.join(COLUMN_TYPES)}."
            )
    types = {name: schema.get(name) or type_of(name, cells, min_count) for name, cells in table.columns.items()}
    written = notations_of(table.columns, types, schema)
    plain = {name: undressed(cells, written.get(name)) for name, cells in table.columns.items()}
    for name in list(written):
        plain_type = schema.get(name) or type_of(name, plain[name], min_count)
        below = [str(level).startswith("-") for level in plain[name].levels if level is not None]
        if plain_type in MADE_UP and all(below):  # INV-1001 is no negative number of a currency
            del written[name]
            plain[name] = table.columns[name]
        else:
            types[name] = plain_type
    table = replace(table, columns=plain)
    columns = tuple(Column.fit(name, cells, types[name], min_count, written.get(name)) for name, cells in plain.items())
    rules = infer(plain, types, {column.name: column.steps() for column in columns})
    excess = tuple(
        Column.fit(rule.column, cells_above(plain, rule), "continuous", min_count) for rule in rules if rule.form == "at_least"
    )
    made = [name for name, column_type in types.items() if column_type in MADE_UP]
    fixed = [name for name, column_type in types.items() if column_type in ("categorical", "ordinal", "boolean")]
    repeats = repeats_of(table.columns, made, fixed, min_count)
    return columns, tuple(rules), excess, repeats


def notes_of(columns: Sequence[Column], rules: Sequence[Rule]) -> tuple[str, ...]:
    """What there is to say of how a table was understood."""
    said = [f'"{column.name}" is free text and left out' for column in columns if column.column_type == "text"]
    said += [
        f'"{column.name}" holds {column.what}: none is kept, new ones are made up'
        if column.column_type == "personal"
        else f'"{column.name}" is an identifier: new ones are made up'
        for column in columns
        if column.column_type in MADE_UP
    ]
    said += [
        f'rows of "{column.name}" with a value that fewer than {column.min_count} rows have: {column.redrawn:,}; it is not kept, and '
        + ("the cell is missing" if column.is_numeric else "another is drawn in its place")
        for column in columns
        if column.redrawn
    ]
    said += [
        f"""numbers of "{column.name}" are written like {column.dressed("1234.5" if column.decimals else "1234")}"""
        for column in columns
        if column.notation is not None
    ]
    said += [
        f'"{column.name}" is ' + ("always missing" if column.choices[0] is None else f"always {column.choices[0]}")
        for column in columns
        if column.column_type == "constant"
    ]
    return tuple(said + [f"in every row, {rule.sentence()}" for rule in rules])
