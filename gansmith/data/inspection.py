"""What is in the data and what is wrong with it, before anything is trained."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.data.sources import check_options, find, find_pairs
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES
from gansmith.kinds.images.readers.collection import Collection, Points
from gansmith.kinds.images.readers.pairs import Pairs
from gansmith.kinds.images.survey import Survey, Wanted, fit_codec, parse_resolution, parse_values, survey
from gansmith.kinds.series.codec import Codec as SeriesCodec
from gansmith.kinds.series.source import Cutting, Sequences
from gansmith.kinds.series.windows import build_series
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import Codec as TableCodec
from gansmith.planning.choose import little_data_advice

FEW = 500
"""Fewer examples than this are called few."""
UNBALANCED = 10.0
"""The largest class being this many times the smallest is called unbalanced."""


@dataclass(kw_only=True)
class Inspection:
    """The facts of a data set; `sentences` says them in words."""

    name: str
    kind: str
    count: int
    """Readable examples."""
    sizes: dict[str, int] = field(default_factory=dict)
    """How many images there are of each "height x width", most frequent first."""
    modes: dict[str, int] = field(default_factory=dict)
    """How many images there are of each of Pillow's modes."""
    formats: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, tuple[float, float]] = field(default_factory=dict)
    """(smallest, largest) value of each attribute."""
    depth: str = "uint8"
    """The type in which the numbers of images are kept."""
    held_out: int | None = None
    """How many examples the source itself holds out as a test split, None if it has none."""
    ignored: list[str] = field(default_factory=list)
    """Files among the images that are none."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """(name, reason)."""
    duplicates: list[list[str]] = field(default_factory=list)
    """Groups of names whose pixels (or points) are exactly equal."""
    leaks: list[list[str]] = field(default_factory=list)
    """[training example, held-out example] that are exactly equal, so that judging by the latter flatters."""
    too_small: int = 0
    """Images whose smaller side is below that of the resolution, so that training would see them enlarged."""
    resolution: tuple[int, int] | None = None
    """(height, width) as they would be trained."""
    channels: int | None = None
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """(smallest, largest) value of each column of points."""
    columns: dict[str, str] = field(default_factory=dict)
    """What each column of a table is, in a few words."""
    notes: list[str] = field(default_factory=list)
    suggestion: str | None = None
    """What would be trained and how long it would take: filled in by the caller."""

    @property
    def imbalance(self) -> float | None:
        """How many times larger the largest class is than the smallest, None without classes."""
        return max(self.classes.values()) / max(1, min(self.classes.values())) if self.classes else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"imbalance": self.imbalance}

    def sentences(self) -> list[str]:
        """What is there, then what is wrong, then what to do about little data, then what would be trained."""
        advice = little_data_advice(self.count, self.channels) if self.kind == "images" and self.channels else None
        return [*self._there(), *self._wrong(), *(said for said in (advice, self.suggestion) if said)]

    def _there(self) -> list[str]:
        said = [f"{self.name}: {_count(self.count, 'windows' if self.kind == 'series' else self.kind)}."]
        if self.formats:
            said.append(
                f"Formats: {_tally(self.formats)}; modes: {_tally(self.modes)}; sizes (height x width): {_tally(self.sizes)}."
            )
        if self.ranges:
            said += [
                "Ranges: " + ", ".join(f"{name} from {low:g} to {high:g}" for name, (low, high) in self.ranges.items()) + "."
            ]
        if self.columns:
            said.append("Columns: " + "; ".join(f"{name} ({words})" for name, words in self.columns.items()) + ".")
        if self.classes:
            said.append(f"{len(self.classes)} classes: {_tally(self.classes)}.")
        if self.attributes:
            spans = [f"{name} from {low:g} to {high:g}" for name, (low, high) in self.attributes.items()]
            said.append(f"{_count(len(spans), 'attributes')}: {listed(spans, 10)}.")
        if self.held_out is not None:
            said.append(f"{self.held_out:,} more examples are held out for judging.")
        if self.resolution and self.channels:
            kept = "" if self.depth == "uint8" else f", as {self.depth}"
            said.append(f"Would be trained at {self.resolution[0]}x{self.resolution[1]}, {_channels(self.channels)}{kept}.")
        return said + [f"{note[0].upper()}{note[1:]}." for note in self.notes]

    def _wrong(self) -> list[str]:
        said = []
        if self.unreadable:
            named = listed([f"{name} ({why})" for name, why in self.unreadable], 10)
            said.append(
                f"{_count(len(self.unreadable), 'files')} cannot be read: {named}; remove them or pass --skip-unreadable."
            )
        if self.ignored:
            kinds = Counter(PurePosixPath(name).suffix or "(no suffix)" for name in self.ignored)
            said.append(f"Files beside the images that are not used: {_tally(dict(kinds.most_common()))}.")
        if len(self.modes) > 1 and self.channels:
            said.append(f"The modes are mixed; all become {_channels(self.channels)} (--channels chooses).")
        if len(self.sizes) > 1 and self.resolution:
            said.append(
                f"The sizes are mixed; all become {self.resolution[0]}x{self.resolution[1]} (--resolution and --crop choose)."
            )
        if self.duplicates:
            copies = sum(len(group) - 1 for group in self.duplicates)
            groups = listed([" = ".join(group[:3]) + (" ..." if len(group) > 3 else "") for group in self.duplicates], 3)
            said.append(f"{_count(copies, 'examples')} {_is(copies)} an exact copy of another: {groups}.")
        if self.leaks:
            pairs = listed([" = ".join(pair) for pair in self.leaks], 3)
            said.append(f"{_count(len(self.leaks), 'held-out examples')} occur in the training data as well: {pairs}.")
        if self.too_small:
            said.append(
                f"{_count(self.too_small, 'images')} {_is(self.too_small)} smaller than the resolution and would be enlarged."
            )
        if self.count < FEW:
            said.append(
                f"{_count(self.count, 'examples')} {_is(self.count)} few: expect copies of the data rather than new examples."
            )
        if self.imbalance is not None and self.imbalance >= UNBALANCED:
            largest, smallest = max(self.classes, key=self.classes.__getitem__), min(self.classes, key=self.classes.__getitem__)
            said.append(f'The classes are unbalanced: "{largest}" is {self.imbalance:.0f} times as frequent as "{smallest}".')
        return said


def inspect_dataset(
    data: Any,
    *,
    kind: str | None = None,
    resolution: str | int | tuple[int, ...] | None = None,
    crop: str = "center",
    channels: int | None = None,
    labels: bool = True,
    values: str | tuple[float, float] | None = None,
    cache: Path | None = None,
    **series: Any,
) -> Inspection:
    """Looks at every example of `data` (as of `open_dataset`) and reports; unreadable files are part of the report.

    Raises UserError if there is nothing to look at.
    """
    check_options(series)
    size, cut = parse_resolution(resolution), parse_values(values)
    wanted = Wanted(resolution=size, crop=crop, channels=channels, labels=labels, values=cut)
    if isinstance(data, Dataset):
        raise UserError("a Dataset is already decoded: inspect the folder, file or array that it was made of.")
    if pairs := find_pairs(data, kind):
        return _of_pairs(pairs, wanted)
    found = find(data, kind, cache_folder(cache), Cutting(**series) if series else None)
    if isinstance(found, Table):
        return _of_table(found)
    if isinstance(found, Sequences):
        return _of_series(found, Cutting(**series))
    return _of_points(found) if isinstance(found, Points) else _of_images(found, wanted)


def _of_images(collection: Collection, wanted: Wanted) -> Inspection:
    seen = survey(collection, thorough=True)
    report = Inspection(
        name=collection.name,
        kind="images",
        count=sum(seen.sizes.values()),
        sizes={f"{height}x{width}": count for (height, width), count in seen.sizes.most_common()},
        modes=dict(seen.modes.most_common()),
        formats=dict(seen.formats.most_common()),
        ignored=list(collection.ignored),
        unreadable=seen.unreadable,
        duplicates=[names for names in seen.copies.values() if len(names) > 1],
        notes=[*collection.notes, *seen.remarks()],
    )
    if collection.held_out:
        held = survey(collection.held_out, thorough=True)
        report.held_out = sum(held.sizes.values())
        report.unreadable = [*report.unreadable, *held.unreadable]
        report.leaks = [
            [seen.copies[mark][0], name] for mark, names in held.copies.items() if mark in seen.copies for name in names
        ]
    if report.count:
        _judge(report, seen, collection, wanted)
    return report


def _of_pairs(found: Pairs, wanted: Wanted) -> Inspection:
    """Of side b, with what is to be said of a; duplicates and leaks are those of b."""
    given, wanted = survey(found.a), replace(wanted, labels=False)
    report = _of_images(replace(found.b, held_out=found.held_out.b if found.held_out else None), wanted)
    sizes = ", ".join(f"{height}x{width}" for height, width in given.sizes)
    bond = "each belonging to one of side b" if found.aligned else "of another domain than side b"
    report.kind, report.name = "pairs", found.name
    report.notes = [*found.notes, f"side a has {sum(given.sizes.values())} images of {sizes}, {bond}", *report.notes]
    report.unreadable = [*given.unreadable, *report.unreadable]
    return report


def _judge(report: Inspection, seen: Survey, collection: Collection, wanted: Wanted) -> None:
    codec = fit_codec(seen, collection, wanted)
    report.channels, *resolution = codec.spec.shape
    report.resolution = (resolution[0], resolution[1])
    report.classes = dict(zip(codec.spec.classes, codec.frequencies, strict=True))
    report.depth = codec.levels.dtype
    if codec.levels.faint:
        report.notes.append(codec.levels.warning())
    if codec.attributes:
        spans = zip(codec.attributes.low, codec.attributes.high, strict=True)
        report.attributes = dict(zip(codec.attributes.names, spans, strict=True))
    report.too_small = sum(count for size, count in seen.sizes.items() if min(size) < min(resolution))


def _of_points(found: Points) -> Inspection:
    rows: dict[bytes, list[str]] = {}
    for index, row in enumerate(np.ascontiguousarray(found.points)):
        rows.setdefault(row.tobytes(), []).append(f"row {index}")
    low, high = found.points.min(0).tolist(), found.points.max(0).tolist()
    return Inspection(
        name=found.name,
        kind="points",
        count=len(found.points),
        ranges=dict(zip(found.columns, zip(low, high, strict=True), strict=True)),
        duplicates=[names for names in rows.values() if len(names) > 1],
        notes=list(found.notes),
    )


def _channels(count: int) -> str:
    return MODES.get(count, f"{count} channels")


def _of_table(table: Table) -> Inspection:
    codec = TableCodec.fit(table)
    stacked = np.stack([cells.codes for cells in table.columns.values()], 1)
    _, first, inverse = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
    copies = np.flatnonzero(first[inverse] != np.arange(len(table)))
    return Inspection(
        name=table.name,
        kind="tables",
        count=len(table),
        columns={column.name: column.sentence() for column in codec.columns},
        duplicates=[[f"row {first[inverse[row]]}", f"row {row}"] for row in copies.tolist()],
        notes=list(codec.notes),
    )


def _of_series(found: Sequences, wanted: Cutting) -> Inspection:
    data = build_series(found, wanted)
    assert isinstance(data.codec, SeriesCodec)
    every = np.concatenate([raw.values for raw in found.series])
    ranges = zip(found.columns, zip(every.min(0).tolist(), every.max(0).tolist(), strict=True), strict=True)
    return Inspection(
        name=found.name,
        kind="series",
        count=len(data),
        classes=dict(zip(data.codec.spec.classes, data.codec.frequencies, strict=True)),
        held_out=len(data.held_out) if data.held_out else None,
        ranges=dict(ranges),
        notes=list(data.facts.get("notes", ())),
    )


def _tally(counts: dict[str, int]) -> str:
    return listed([f"{name} {count:,}" for name, count in counts.items()], 10)


def _count(count: int, plural: str) -> str:
    plural = "rows" if plural == "tables" else plural
    return f"{count:,} {plural if count != 1 else plural.removesuffix('s')}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
