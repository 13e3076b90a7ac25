"""The kind "series": several numbers at every step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansmith.data.dataset import Dataset, choose
from gansmith.data.source import Source, is_frame
from gansmith.data.spec import Spec
from gansmith.data.windowed import passes
from gansmith.kinds.kind import POSSIBLE, SURE, Kind, Match
from gansmith.kinds.series import toys
from gansmith.kinds.series.codec import SeriesCodec
from gansmith.kinds.series.features import SeriesFeatures
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.reading import has_series, sequences_of
from gansmith.kinds.series.source import AsLearned, looks_like_series
from gansmith.kinds.series.spec import SeriesSpec
from gansmith.kinds.series.windows import build_series

if TYPE_CHECKING:
    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.judgement import Judgement
    from gansmith.kinds.choice import Choice
    from gansmith.report.records import Records
    from gansmith.report.section import Section


COMPARED = 2**16
"""How many windows of at most 1,024 numbers generated ones are compared with."""


class TimeSeries(Kind[Options, SeriesCodec]):
    """Time series of one length or of many, with or without dates, classes and static attributes."""

    unit = "windows"
    Options = Options
    Codec = SeriesCodec
    Spec = SeriesSpec
    gan = "seriesgan"
    metrics = (
        "fair_discriminative",
        "fair_predictive",
        "frechet",
        "precision",
        "coverage",
        "tails",
        "acf",
        "clustering",
        "correlation",
        "memorisation",
    )
    exported = "from -1 to 1 over each column's range"

    def recognise(self, source: Source) -> Match | None:
        if source.from_python:
            readable = is_frame(source.given) or isinstance(source.given, np.ndarray | torch.Tensor)
            return Match(POSSIBLE - 1, "it has rows of numbers") if readable else None
        path = source.path
        if path is None:
            return None
        if source.is_folder:
            if any(path.glob("series*.npz")):
                return Match(SURE, "it has a file series.npz")
            return Match(POSSIBLE - 1, "it has csv files") if any(path.glob("*.csv*")) else None
        if source.suffix in (".csv", ".csv.gz"):
            if looks_like_series(path):
                return Match(SURE, "the first column of it are times in order")
            return Match(POSSIBLE - 1, "it has rows")
        if source.suffix == ".npz":
            return Match(SURE, "it has an array series") if has_series(path) else Match(POSSIBLE - 1, "it holds arrays")
        return Match(POSSIBLE - 1, "it may hold rows") if source.suffix in (".npy", ".parquet") else None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: SeriesCodec | None = None, originals: bool = False
    ) -> Dataset:
        return build_series(sequences_of(source, options), options, like)

    def like(self, codec: SeriesCodec, options: Options, source: Source) -> Options:
        static = (codec.class_name,) if codec.spec.classes else (*codec.numbers, *codec.words)
        return AsLearned(
            window=codec.steps,
            returns=bool(codec.heaviness),
            scale=codec.scale,  # pyright: ignore[reportArgumentType], one of the two words
            entity=options.entity,
            time=codec.calendar.column if codec.calendar else options.time,
            static=static,
            columns=codec.columns,
            fill=options.fill,
        )

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.data.inspection import Inspection

        found = sequences_of(source, options)
        data = build_series(found, options)
        codec = data.codec
        assert isinstance(codec, SeriesCodec)
        ends = [(part.min(0), part.max(0)) for raw in found.series for part in passes(raw.values)]
        low, high = np.min([own for own, _ in ends], 0).tolist(), np.max([own for _, own in ends], 0).tolist()
        return Inspection(
            name=found.name,
            kind=self.name,
            unit=self.unit,
            count=len(data),
            classes=dict(zip(codec.spec.classes, codec.frequencies, strict=True)),
            held_out=len(data.held_out) if data.held_out else None,
            ranges=dict(zip(found.columns, zip(low, high, strict=True), strict=True)),
            notes=list(data.facts.get("notes", ())),
        )

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        return Choice(self.gan, {}, "it learns how series move as well as where they are, of any length and with attributes")

    def choose(self, data: Dataset, device: str) -> Choice:
        usual = self.usual(data)
        if not isinstance(data.codec, SeriesCodec) or not data.codec.heaviness:
            return usual
        because = "its factor beside each step lets quiet and wild stretches follow each other as those of returns do"
        return replace(usual, options={"gate": True}, because=because)

    def most_compared(self, spec: Spec) -> int:
        """2^16 windows, or fewer of more than 1,024 numbers: neighbouring windows are nearly the same, and there can be millions."""
        return max(1, min(COMPARED, COMPARED * 1024 // math.prod(spec.shape)))

    def features(self, train: Dataset, seed: int, folder: Path) -> SeriesFeatures:
        return SeriesFeatures(train)

    def artifacts(self, judgement: Judgement, fake: Dataset, train: Dataset, folder: Path) -> None:
        from gansmith.kinds.series.fact_plots import draw_facts
        from gansmith.kinds.series.metrics.stylised_facts import curves_of

        if len(train) > self.most_compared(train.codec.spec):
            train = train.subset(choose(len(train), self.most_compared(train.codec.spec), 0))
        draw_facts(curves_of(train, fake)).save(folder / "facts.png")

    def sections(self, records: Records) -> Iterator[Section]:
        from gansmith.kinds.series.report import facts

        yield facts(records)

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()
