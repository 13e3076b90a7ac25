"""From a table as it is read to a data set."""

from collections.abc import Mapping

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.column_types import MIN_COUNT


def build_table(
    table: Table,
    schema: Mapping[str, str] | None = None,
    codec: TableCodec | None = None,
    target: str | None = None,
    min_count: int = MIN_COUNT,
) -> Dataset:
    """A table as a data set; with `codec`, it is encoded as other rows of the same columns are."""
    own = codec or TableCodec.fit(table, schema, target, min_count)
    arrays = {"row": own.pack_table(table.columns)}
    notes = [*table.notes, *(() if codec else own.notes)]
    facts = {"notes": tuple(notes)} if notes else {}
    return Dataset(name=table.name, codec=own, arrays=arrays, fingerprint=fingerprint(arrays, described(own)), facts=facts)
