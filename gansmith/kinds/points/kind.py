"""The kind "points": points in the plane, or in any number of dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansmith.data.dataset import Dataset
from gansmith.data.readers.rows import open_npy
from gansmith.data.readers.tensors import array_of, holds_fractions
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import LIKELY, POSSIBLE, SURE, Kind, Match
from gansmith.kinds.points import mixtures, toys
from gansmith.kinds.points.build import build_points
from gansmith.kinds.points.codec import PointCodec
from gansmith.kinds.points.files import Points as Read
from gansmith.kinds.points.files import from_csv, from_npy, from_npz, holds_key, holds_point_arrays, holds_points, points_of
from gansmith.kinds.points.options import BUILTIN, Options
from gansmith.kinds.points.spec import PointSpec

if TYPE_CHECKING:
    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice


class Points(Kind[Options, PointCodec]):
    """Points: the smallest data on which mode collapse is visible."""

    unit = "points"
    builtin = BUILTIN
    Options = Options
    Codec = PointCodec
    Spec = PointSpec
    gan = "r3gan"
    metrics = ("modes", "high_quality", "mode_divergence", "frechet", "precision", "recall", "coverage", "memorisation")
    neighbours_are_shown = False
    length_of_features_matters = True
    exported = "standardised: times the codec's scale, plus its centre"

    def recognise(self, source: Source) -> Match | None:
        data, path = source.given, source.path
        if isinstance(data, np.ndarray | torch.Tensor):
            flat = data.ndim == 2
            return Match(LIKELY if flat and holds_fractions(data) else POSSIBLE - 1, "it is an array") if flat else None
        if path is None:
            return None
        if source.is_folder:
            return Match(SURE, "it has a file points.npy") if any(path.glob("points*.npy")) else None
        if source.suffix in (".csv", ".csv.gz"):
            return Match(LIKELY, "it has two columns of numbers") if holds_points(path) else Match(POSSIBLE - 1, "it has rows")
        if source.suffix in (".npy", ".npz"):
            return _of_arrays(path)
        return None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: PointCodec | None = None, originals: bool = False
    ) -> Dataset:
        return build_points(_read(source))

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.data.inspection import Inspection

        found, rows = _read(source), {}
        for index, row in enumerate(np.ascontiguousarray(found.points)):
            rows.setdefault(row.tobytes(), []).append(f"row {index}")
        low, high = found.points.min(0).tolist(), found.points.max(0).tolist()
        return Inspection(
            name=found.name,
            kind=self.name,
            unit=self.unit,
            count=len(found.points),
            ranges=dict(zip(found.columns, zip(low, high, strict=True), strict=True)),
            duplicates=[names for names in rows.values() if len(names) > 1],
            notes=list(found.notes),
        )

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        return Choice(self.gan, {}, "points have one GAN here that reaches modes which lie apart")

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.evaluation.identity import Identity

        return Identity()

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def _of_arrays(path: Path) -> Match | None:
    """How sure it is that an array file holds points."""
    if holds_point_arrays(path):
        return Match(LIKELY, "it holds numbers [N, D]")
    return Match(POSSIBLE - 1, "it holds an array") if path.suffix.lower() == ".npy" or holds_key(path) else None


def _read(source: Source) -> Read:
    """The points of a source. Raises UserError where it holds none."""
    data, path = source.given, source.path
    if isinstance(data, torch.Tensor):
        data = array_of(data, "the data")
    if isinstance(data, np.ndarray):
        return points_of(data, "points", "the array")
    if path is None:
        made = {"ring": mixtures.ring, "grid": mixtures.grid}
        if data in made:
            return made[data]()
        raise UserError(f"there are no points {source.said()}: give a csv, npy or npz file, or an array [N, D].")
    if source.is_folder and (files := sorted(path.glob("points*.npy"))):
        return points_of(np.concatenate([open_npy(file) for file in files]), path.resolve().name, f"points*.npy in {path}")
    readers = {".csv": from_csv, ".csv.gz": from_csv, ".npy": from_npy, ".npz": from_npz}
    if source.suffix not in readers:
        raise UserError(f"{path} holds no points: give a csv, npy or npz file of numbers [N, D].")
    return readers[source.suffix](path)
