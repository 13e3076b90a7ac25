"""Tables larger than memory: Parquet files that are read batch by batch, learned from a sample of their rows, and packed onto the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.cache import Writer, store, stored
from gansmith.data.dataset import Dataset, choose
from gansmith.data.fingerprint import described, fingerprint_of
from gansmith.data.readers.parquet_files import opened_parquet
from gansmith.kinds.tables.cells import Cells, CellsBuilder, Table, plain
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.column_types import MIN_COUNT
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.files import parquet_batches
from gansmith.kinds.tables.numeric import EXACT

LARGE = 2**24
"""Cells from which a table in Parquet files is not held in memory."""
SAMPLE = 2**17
"""Rows, drawn at random, from which the columns and rules of such a table are learned."""
AT_ONCE = 2**15
"""Rows in memory at a time."""
FORMAT = 1
"""Counted up when such a table is packed in another way."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def rows_of(paths: Sequence[Path]) -> int:
    """The rows of Parquet files that hold more than LARGE cells, else 0."""
    rows = cells = 0
    for path in paths:
        with opened_parquet(path, streamed=True) as file:
            rows += file.metadata.num_rows
            cells += file.metadata.num_rows * len(file.schema_arrow.names)
    return rows if cells > LARGE else 0


def sample_of(paths: Sequence[Path], name: str, rows: int) -> Table:
    """SAMPLE rows of a large table, drawn at random."""
    wanted, start = choose(rows, SAMPLE, 0), 0
    builders: dict[str, CellsBuilder] = {}
    types: dict[str, str] = {}
    for path, batch in parquet_batches(paths, AT_ONCE, streamed=True):
        if not builders:
            builders = {column: CellsBuilder() for column in batch.schema.names}
            types = {field.name: str(field.type) for field in batch.schema}
        first, end = np.searchsorted(wanted, [start, start + batch.num_rows])
        some = batch.take(wanted[first:end] - start)
        for column, builder in builders.items():
            builder.extend(plain(value, column, str(path)) for value in some.column(column).to_pylist())
        start += batch.num_rows
    note = f"it has {rows:,} rows: columns and rules are learned from {len(wanted):,} of them, drawn at random"
    return Table(name=name, columns={each: made.finished(types[each]) for each, made in builders.items()}, notes=(note,))


def build_large(
    paths: Sequence[Path],
    name: str,
    rows: int,
    cache: Path,
    schema: Mapping[str, str] | None = None,
    codec: TableCodec | None = None,
    target: str | None = None,
    min_count: int = MIN_COUNT,
) -> Dataset:
    """A large table as a data set whose packed rows lie in the cache folder, memory-mapped. Categories that only rows outside of the sample
    have are drawn among the others."""
    asked = [FORMAT, SAMPLE, dict(schema) if schema else None, target, min_count]
    places = [[str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in paths]
    entry = stored(cache, name, found := _hash([asked, places]))
    if codec is not None and (entry is None or _hash(entry.facts["codec"]) != _hash(codec.to_json())):
        entry = stored(cache, name, found := _hash([places, described(codec)]))

    def fill(writer: Writer) -> dict[str, Any]:
        table = sample_of(paths, name, rows)
        own = codec or TableCodec.fit(table, schema, target, min_count)
        needed = [column.name for column in own.learned] + [name for rule in own.rules for name in (rule.column, *rule.by)]
        for number, (path, batch) in enumerate(parquet_batches(paths, AT_ONCE, streamed=True)):
            columns = {
                each: arrived(batch.column(each), own.by_name[each], str(path))
                for each in dict.fromkeys(needed)
                if each in own.by_name and each in batch.schema.names
            }
            writer.append({"row": own.pack_table(columns, number, lenient=True)})
        notes = [*table.notes, *(() if codec else own.notes)]
        return {"fingerprint": fingerprint_of(writer.contents, described(own)), "codec": own.to_json(), "notes": notes}

    entry = entry or store(cache, name, found, fill)
    own = codec or TableCodec.from_json(entry.facts["codec"])
    facts = {"notes": tuple(entry.facts["notes"])} if entry.facts["notes"] else {}
    return Dataset(name=name, codec=own, arrays=entry.arrays, fingerprint=entry.facts["fingerprint"], facts=facts)


def arrived(array: Any, column: Column, where: str) -> Cells | np.ndarray:
    """A column of an Arrow batch: numbers and moments as float64 if that is exact, else as cells."""
    import pyarrow
    from pyarrow import types

    kind = array.type
    if column.is_numeric and not column.origin and column.notation is None:
        if column.column_type == "datetime" and types.is_timestamp(kind):
            return _floats(array.cast(pyarrow.int64())) / _PER_SECOND[kind.unit]
        if column.column_type == "datetime" and types.is_date(kind):
            return _floats(array.cast(pyarrow.date32()).cast(pyarrow.int32())) * 86400.0
        if column.column_type != "datetime" and (types.is_integer(kind) or types.is_floating(kind)):
            numbers = _floats(array)
            if types.is_floating(kind) or not np.nanmax(np.abs(numbers), initial=0) > EXACT:
                return numbers
    encoded = array.dictionary_encode()
    levels = [plain(value, column.name, where) for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(levels)).to_numpy(zero_copy_only=False)
    return Cells([*levels, None], codes.astype(np.int32), str(kind))


def _floats(array: Any) -> np.ndarray:
    import pyarrow

    return array.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)


def _hash(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]
