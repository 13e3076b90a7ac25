"""Which columns of several tables are keys, and which refer to a key of another table: found by names and inclusion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Cells, Table
from gansmith.kinds.tables.column_types import number_of, type_of

_SELF = re.compile(
    "manager|parent|boss|supervisor|chief|lead|mentor|sponsor|referr|reportsto|previous|prev|predecessor|successor|next|replace|reply|"
    "mother|father|sire|dam|spouse|partner|superior|head|original"
)
"""How columns are named that refer to rows of their own table."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A column of one table that refers to the key of another."""

    child: str
    column: str
    parent: str


@dataclass(frozen=True, kw_only=True)
class Keys:
    """How several tables belong together."""

    keys: Mapping[str, str | None]
    """The key of each table, None for one without."""
    links: tuple[Link, ...]
    """The first of a table is to its parent, to which it has so many rows; others are references."""
    sorts: Mapping[str, str | None]
    """The column by which the rows of one parent are in order; None for the order of the file."""
    selves: tuple[Link, ...] = ()
    """Columns that refer to other rows of the same table (manager_id of employees); some rows may refer to none."""
    optional: tuple[Link, ...] = ()
    """Columns that refer to another table, but for rows in which they are missing; rows are never counted by such a one."""

    def selves_of(self, table: str) -> list[Link]:
        """The links of a table to itself."""
        return [link for link in self.selves if link.child == table]

    def parent_of(self, table: str) -> Link | None:
        """The link to the table that a table's rows are counted by."""
        return next((link for link in self.links if link.child == table), None)

    def references_of(self, table: str) -> list[Link]:
        """The other links of a table."""
        return [link for link in self.links if link.child == table][1:]

    def optional_of(self, table: str) -> list[Link]:
        """The links of a table that some of its rows lack."""
        return [link for link in self.optional if link.child == table]

    def columns_of(self, table: str) -> set[str]:
        """The columns of a table that refer to rows."""
        return {link.column for link in (*self.links, *self.selves, *self.optional) if link.child == table}

    def children_of(self, table: str) -> list[str]:
        """Tables whose rows are counted by a row of this one."""
        return [child for child in self.keys if (link := self.parent_of(child)) is not None and link.parent == table]

    def order(self) -> list[str]:
        """The tables, each after those that it refers to. Raises UserError where they refer to each other in a circle."""
        left, ordered = list(self.keys), []
        while left:
            waiting = set(left)
            links = (*self.links, *self.optional)
            ready = [table for table in left if not any(link.child == table and link.parent in waiting for link in links)]
            if not ready:
                raise UserError(f"the tables {listed(left)} refer to each other in a circle: leave one of the columns out.")
            ordered += ready
            left = [table for table in left if table not in ready]
        return ordered

    def sentences(self) -> list[str]:
        """What was found, for people."""
        said = [f"{key} identifies the rows of {table}" for table, key in self.keys.items() if key]
        links = (*self.links, *self.selves)
        said += [f"{link.child}.{link.column} refers to {link.parent}.{self.keys[link.parent]}" for link in links]
        return said + [
            f"{link.child}.{link.column} refers to {link.parent}.{self.keys[link.parent]} or is missing" for link in self.optional
        ]

    def to_json(self) -> dict[str, Any]:
        facts = {"keys": dict(self.keys), "links": [asdict(link) for link in self.links], "sorts": dict(self.sorts)}
        more = {"selves": self.selves, "optional": self.optional}
        return facts | {name: [asdict(link) for link in links] for name, links in more.items() if links}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Keys:
        links, selves, optional = (
            tuple(Link(**link) for link in facts.get(name, ())) for name in ("links", "selves", "optional")
        )
        return cls(keys=facts["keys"], links=links, sorts=facts["sorts"], selves=selves, optional=optional)


def find_keys(tables: Mapping[str, Table], schema: Mapping[str, Any] | None = None) -> Keys:
    """The keys of these tables. `schema` says what is not found: {"orders": {"key": "id", "parents": {"buyer": "customers"}}}.

    Raises UserError where nothing relates two tables, where the schema names what there is not, and where a reference has no row.
    """
    schema = schema or {}
    _check(tables, schema)
    keys = {name: schema.get(name, {}).get("key") or _key_of(name, table) for name, table in tables.items()}
    links: list[Link] = []
    optional: list[Link] = []
    for child, table in tables.items():
        named = schema.get(child, {}).get("parents")
        pairs = ({c: p for c, p in named.items() if p != child} if named else _references(child, tables, keys)).items()
        own = [Link(child=child, column=column, parent=parent) for column, parent in pairs if column in table.columns]
        for link in own:
            _check_rows(link, tables, keys)
        lacking = [link for link in own if _lacks(table.columns[link.column])]
        optional += lacking
        links += sorted(
            (link for link in own if link not in lacking), key=lambda link: _distinct(table.columns[link.column]), reverse=True
        )
    if not links and not optional:
        raise UserError(
            f"no column of {listed(list(tables))} refers to a key of another table: name columns like customer_id and keys like id, or say "
            'it with --schema \'{"orders": {"parents": {"buyer": "customers"}}}\'.'
        )
    sorts = {name: schema.get(name, {}).get("order") or _sort_of(name, table) for name, table in tables.items()}
    selves: list[Link] = []
    for name, table in tables.items():
        named = [column for column, parent in schema.get(name, {}).get("parents", {}).items() if parent == name]
        for column in named or _own_references(
            name, table, keys, {link.column for link in (*links, *optional) if link.child == name}
        ):
            selves.append(Link(child=name, column=column, parent=name))
            _check_rows(selves[-1], tables, keys)
    found = Keys(keys=keys, links=tuple(links), sorts=sorts, selves=tuple(selves), optional=tuple(optional))
    found.order()
    return found


def place_of(values: Cells, key: Cells) -> np.ndarray:
    """For each cell the row of the key that has its value, -1 where there is none."""
    rows = {str(key.levels[code]).strip(): row for row, code in enumerate(key.codes.tolist())}
    places = np.array([-1 if level is None else rows.get(str(level).strip(), -1) for level in values.levels], np.int64)
    return places[values.codes]


def _check(tables: Mapping[str, Table], schema: Mapping[str, Any]) -> None:
    for name, facts in schema.items():
        if name not in tables or not isinstance(facts, Mapping):
            raise UserError(
                f'the schema names "{name}"{did_you_mean(name, list(tables))}: the tables are {listed(list(tables), 20)}.'
            )
        columns = [facts.get("key"), facts.get("order"), *facts.get("parents", {})]
        for column in (each for each in columns if each is not None):
            if column not in tables[name].columns:
                known = list(tables[name].columns)
                raise UserError(
                    f'the schema names the column "{column}" of {name}{did_you_mean(column, known)}, which is not there.'
                )
        for parent in facts.get("parents", {}).values():
            if parent not in tables:
                raise UserError(f'the schema names the table "{parent}"{did_you_mean(parent, list(tables))}, which is not there.')


def _singular(name: str) -> set[str]:
    """A table's name as the names of columns have it: customers, customer; categories, category."""
    bare = re.sub(r"[^a-z0-9]", "", name.casefold())
    return {bare, bare.removesuffix("s"), bare.removesuffix("es"), re.sub(r"ies$", "y", bare)}


def _bare(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.casefold())


def _distinct(cells: Cells) -> int:
    return int((cells.counts() > 0).sum())


def _is_unique(cells: Cells) -> bool:
    return _distinct(cells) == len(cells) and not any(level is None for level in cells.levels)


def _key_of(name: str, table: Table) -> str | None:
    """The column with a different value in each row that is named like a key: id, customer_id of customers, or what a key ends in."""
    unique = [column for column, cells in table.columns.items() if _is_unique(cells)]
    own = {f"{one}{end}" for one in _singular(name) for end in ("id", "key", "no", "nr", "number", "code", "")} | {"id", "key"}
    ranked = [column for column in unique if _bare(column) in own]
    ranked += [column for column in unique if re.search(r"(id|key|code|num|number|no|nr)$", _bare(column))]
    return ranked[0] if ranked else None


def _references(child: str, tables: Mapping[str, Table], keys: Mapping[str, str | None]) -> dict[str, str]:
    """The tables that columns refer to, by their names and values: customer_id, and billing_customer_id if all its cells are keys."""
    found = {}
    for column, cells in tables[child].columns.items():
        bare, refers = _bare(column), there(cells)
        words = [word.casefold() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", column)]
        endings = {"".join(words[start:]) for start in range(1, len(words))}
        for parent, key in keys.items():
            if parent == child or key is None or not refers.any():
                continue
            ends = ("id", "key", "no", "nr", "number", "code", _bare(key))
            whole = {f"{one}{end}" for one in _singular(parent) for end in ends}
            named = bare in whole | _singular(parent) or (column == key and _bare(key) not in ("id", "key"))
            share = (place_of(cells, tables[parent].columns[key]) >= 0)[refers].mean()
            if (named and share > 0.5) or (share == 1 and endings & whole):
                found[column] = parent
    return found


def _own_references(name: str, table: Table, keys: Mapping[str, str | None], others: set[str]) -> list[str]:
    """The columns whose cells are all keys of the same table and that are named so, or the keys are words."""
    key = keys[name]
    if key is None:
        return []
    known, found = {str(level).strip() for level in table.columns[key].levels}, []
    words = any(number_of(level) is None for level in table.columns[key].levels)
    for column, cells in table.columns.items():
        used = {
            str(level).strip() for level, count in zip(cells.levels, cells.counts(), strict=True) if count and level is not None
        }
        if column == key or column in others or len(used) < 2 or not used <= known:
            continue
        ends = _bare(key) not in ("id", "key", "no", "nr", "number", "code") and _bare(column).endswith(_bare(key))
        if words or ends or _SELF.search(_bare(column)):
            found.append(column)
    return found


def _lacks(cells: Cells) -> bool:
    """Whether some cells are missing."""
    return any(level is None and count for level, count in zip(cells.levels, cells.counts(), strict=True))


def there(cells: Cells) -> np.ndarray:
    """Which cells are not missing."""
    return np.array([level is not None and level != "" for level in cells.levels], bool)[cells.codes]


def _check_rows(link: Link, tables: Mapping[str, Table], keys: Mapping[str, str | None]) -> None:
    """Raises UserError for rows that refer to what is not there; missing cells refer to nothing."""
    key, cells = keys[link.parent], tables[link.child].columns[link.column]
    if key is None:
        named = f"{link.child}.{link.column}"
        raise UserError(f"{link.parent} has no column that tells its rows apart, so {named} cannot refer to it: name its key.")
    lost = np.flatnonzero((place_of(cells, tables[link.parent].columns[key]) < 0) & there(cells))
    if len(lost):
        raise UserError(
            f"{link.child}.{link.column} is {cells.levels[cells.codes[lost[0]]]} in row {lost[0] + 1}, but {link.parent}.{key} never is "
            f"({len(lost):,} such rows): add the rows that are referred to, or remove these."
        )


def _sort_of(name: str, table: Table) -> str | None:
    """The first column of dates."""
    return next((column for column, cells in table.columns.items() if type_of(column, cells, 1) == "datetime"), None)
