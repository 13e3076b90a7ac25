"""What is in the data and what is wrong with it, before anything is trained."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.suggestions import listed

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
    unit: str = "examples"
    """What examples are called: images, rows, windows."""
    advice: str | None = None
    """What to do about few examples."""
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
    mode: str = ""
    """What images with these channels are called: "RGB"."""
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
        return [*self._there(), *self._wrong(), *(said for said in (self.advice, self.suggestion) if said)]

    def _there(self) -> list[str]:
        said = [f"{self.name}: {_count(self.count, self.unit)}."]
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
            said.append(f"Would be trained at {self.resolution[0]}x{self.resolution[1]}, {self.mode}{kept}.")
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
            said.append(f"The modes are mixed; all become {self.mode} (--channels chooses).")
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


def inspection_of(data: Dataset, unit: str) -> Inspection:
    """The facts of an opened data set, whose examples are called `unit`, for kinds that do not look closer."""
    spec = data.codec.spec
    return Inspection(
        name=data.name,
        kind=spec.kind,
        unit=unit,
        count=len(data),
        classes=dict(zip(spec.classes, np.bincount(labels, minlength=len(spec.classes)).tolist(), strict=True))
        if (labels := data.labels()) is not None
        else {},
        held_out=len(data.held_out) if data.held_out else None,
        notes=list(data.facts.get("notes", ())),
    )


def _tally(counts: dict[str, int]) -> str:
    return listed([f"{name} {count:,}" for name, count in counts.items()], 10)


def _count(count: int, plural: str) -> str:
    return f"{count:,} {plural if count != 1 else plural.removesuffix('s')}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
