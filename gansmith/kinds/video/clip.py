"""A clip, and what a video is before it is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import UInt8
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's modes by the number of channels."""
Label = str | int | tuple[float, ...] | None
"""A class by name or number, or the numbers of all attributes."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One example."""

    frames: UInt8[np.ndarray, "frames height width channels"]
    """1, 3 or 4 channels."""
    rate: float = 8.0
    """Frames a second."""
    label: str | None = None
    """Its class, if the data have classes."""
    attributes: Mapping[str, float] | None = None
    loops: bool = False
    """Whether it begins again after its last frame."""

    def images(self) -> list[Image.Image]:
        """The frames as pictures."""
        return [as_image(frame) for frame in self.frames]

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.rate


def as_image(frame: UInt8[np.ndarray, "height width channels"]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(frame[..., 0] if frame.shape[-1] == 1 else frame))


class Footage(Protocol):
    """A video that is open. Looking at it and reading it raise Unreadable for one that cannot be read."""

    channels: int
    size: tuple[int, int]
    """(height, width) as it is shown."""
    rate: float | None
    """Frames a second; None for what says nothing of it."""
    loops: bool

    def frames(self) -> Iterator[tuple[Image.Image, float]]:
        """Every frame with the second at which it is shown, in order; a last entry repeats the last frame where it ends."""
        ...


@dataclass(frozen=True)
class Video:
    """One video of a source, not yet decoded."""

    name: str
    """The path inside the source."""
    open: Callable[[], Footage]
    label: Label = None


@dataclass(frozen=True, kw_only=True)
class Videos:
    """The videos of a source."""

    name: str
    videos: Sequence[Video]
    key: str | None
    """What identifies the content without decoding it; None if only decoding tells."""
    attributes: tuple[str, ...] = ()
    """The names of the numbers, if the labels are such."""
    notes: tuple[str, ...] = ()
    held_out: Videos | None = None
    """What the source itself holds out."""


@dataclass(kw_only=True)
class Found:
    """What was decoded of the videos of a source, beside the frames."""

    names: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    loops: list[bool] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)
    """(video, frames) of every stretch without a cut, one after the other."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    static: list[str] = field(default_factory=list)
    black: list[str] = field(default_factory=list)
    uneven: list[str] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    """Scene cuts of the videos that have any."""
    sizes: dict[str, int] = field(default_factory=dict)
    rates: dict[str, int] = field(default_factory=dict)
