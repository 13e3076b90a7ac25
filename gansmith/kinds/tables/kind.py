"""The kind "tables": rows of numbers, categories, dates and missing cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.dataset import Dataset
from gansmith.data.source import Source, is_frame
from gansmith.errors import UserError
from gansmith.kinds.kind import POSSIBLE, SURE, Kind, Match, Sampler
from gansmith.kinds.tables import toys
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.files import table_from_csv, table_from_parquet
from gansmith.kinds.tables.frames import table_from_frame
from gansmith.kinds.tables.large import build_large, rows_of, sample_of
from gansmith.kinds.tables.options import Options
from gansmith.kinds.tables.related.parts import tables_in
from gansmith.kinds.tables.spec import TableSpec

if TYPE_CHECKING:
    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.sides import Side
    from gansmith.kinds.choice import Choice
    from gansmith.report.records import Records
    from gansmith.report.section import Section


class Tables(Kind[Options, TableCodec]):
    """Tables in CSV and Parquet files and data frames."""

    unit = "rows"
    Options = Options
    Codec = TableCodec
    Spec = TableSpec
    gan = "rowgan"
    metrics = (
        "column_shapes",
        "pair_trends",
        "c2st",
        "tstr",
        "precision",
        "recall",
        "closer_to_training",
        "membership",
        "row_copies",
    )
    neighbours_are_shown = False

    def recognise(self, source: Source) -> Match | None:
        if source.from_python:
            return Match(POSSIBLE, "it is a data frame") if is_frame(source.given) else None
        path = source.path
        if path is None:
            return None
        if source.is_folder:
            if any(path.glob("rows*.csv")):
                return Match(SURE, "it has a file rows.csv")
            if tables_in(source):
                return Match(POSSIBLE, "it has csv files of different columns")
            return Match(POSSIBLE, "it has Parquet files") if _parquet_files(path) else None
        return Match(POSSIBLE, "it has rows and columns") if source.suffix in (".csv", ".csv.gz", ".parquet") else None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: TableCodec | None = None, originals: bool = False
    ) -> Dataset:
        known = like
        if known is None and options.public is not None:
            known = TableCodec.fit(
                table_of(Source(options.public), options), options.column_types(), options.target, options.min_count
            )
        how = options.column_types(), known, options.target, options.min_count
        if paths := parquet_in(source):
            name = paths[0].stem if source.suffix == ".parquet" else source.path.resolve().name if source.path else ""
            if rows := rows_of(paths):
                return build_large(paths, name, rows, cache, *how)
        return build_table(table_of(source, options), *how)

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.tables.inspection import inspection_of
        from gansmith.kinds.tables.related.looking import inspection_of_parts

        if tables_in(source):
            return inspection_of_parts(source, options)
        paths = parquet_in(source)
        rows = rows_of(paths)
        table = sample_of(paths, paths[0].stem, rows) if rows else table_of(source, options)
        return inspection_of(table, options, rows)

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        return Choice(self.gan, {}, "it learns rows of numbers and words as they are, and takes conditions on any column")

    def baseline_name(self, data: Dataset) -> str:
        return "independent columns"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        from gansmith.kinds.tables.baseline import independent

        return independent(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        from gansmith.kinds.tables.copula import copula

        return {"Gaussian copula": copula}

    def overview(self, side: Side) -> Mapping[str, Any]:
        from dataclasses import asdict

        from gansmith.kinds.tables.overview import table_portrait

        return {"table": asdict(table_portrait(side))}

    def sections(self, records: Records) -> Iterator[Section]:
        from gansmith.kinds.tables.report import columns, pairs

        yield columns(records)
        yield pairs(records)

    def has_parts(self, source: Source, options: Options) -> bool:
        return bool(tables_in(source))

    def train_parts(
        self, source: Source, options: Options, folder: Path, train: Callable[[Sequence[str]], int], say: Callable[[str], None]
    ) -> int:
        from gansmith.kinds.tables.related.parts import train_parts

        return train_parts(source, options, folder, train, say)

    def generate_parts(self, folder: Path, n: int, seed: int, out: Path, *, trust: bool = False) -> list[Path]:
        from gansmith.kinds.tables.related.making import Related

        related = Related.load(folder, trust=trust)
        return related.save(related.sample(n, seed=seed), out)

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def table_of(source: Source, options: Options) -> Table:
    """The table of a source. Raises UserError where it holds none."""
    if is_frame(source.given):
        return table_from_frame(source.given)
    path = source.path
    if path is None:
        raise UserError(f"there is no table {source.said()}: give a csv or Parquet file, or a data frame.")
    if source.is_folder:
        if rows := sorted(path.glob("rows*.csv")):
            return table_from_csv(rows[0], options.header, options.missing, options.encoding)
        if tables := _parquet_files(path):
            return table_from_parquet(tables, path.resolve().name)
    if source.suffix == ".parquet":
        return table_from_parquet([path], path.stem)
    if source.suffix in (".csv", ".csv.gz"):
        return table_from_csv(path, options.header, options.missing, options.encoding)
    raise UserError(f"{path} is no table: give a csv or Parquet file, or a data frame.")


def parquet_in(source: Source) -> list[Path]:
    """The Parquet files that a source is, if it is no other table."""
    path = source.path
    if path is None or is_frame(source.given):
        return []
    if source.is_folder:
        return [] if any(path.glob("rows*.csv")) else _parquet_files(path)
    return [path] if source.suffix == ".parquet" else []


def _parquet_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))
