"""How images are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from gansmith.data.options import DataOptions, option
from gansmith.data.values import FINITE, Whole
from gansmith.errors import UserError

BUILTIN = {
    "digits": "5,000 handwritten digits, 28x28 gray, 10 classes; offline (default)",
    "digits8": "1,797 handwritten digits, 8x8 gray, 10 classes; offline",
    "mnist": "70,000 handwritten digits, 28x28 gray, 10 classes; fetched once (11 MB)",
    "fashion-mnist": "70,000 garments, 28x28 gray, 10 classes; fetched once (30 MB)",
    "cifar10": "60,000 photographs, 32x32 RGB, 10 classes; fetched once (162 MB)",
}
"""The built-in data of this kind, each with one line of description."""

SIDE = Whole(1, 2**14)
"""The sides of images that can be asked for, in pixels."""
Channels = Annotated[int, Whole(1, 1024)]


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Images, and pairs and domains of images."""

    resolution: str | None = option(None, "SIDE|HxW", "that of the data up to 256, else 64")
    """Size of the images: 64, or height x width, 64x48."""
    crop: Literal["center", "fit", "pad"] = option("center")
    """How images of other proportions are fitted."""
    channels: Channels | None = option(None, "1|3|4", "the most general there is")
    """Gray, RGB or RGBA."""
    values: str | None = option(None, "LOW,HIGH", "all that the data span")
    """Where images of more than 8 bits are cut off, such as -1000,400 (write --values=-1000,400)."""
    labels: bool = option(True)
    """Leave class labels out."""
    skip_unreadable: bool = option(False)
    """Leave files that cannot be read out, instead of stopping at them."""
    task: Literal["generation", "pairs", "domains"] | None = option(None, shown="what is found")
    """Make images alone, the second image of a pair from the first, or images of one class in the look of another."""
    degrade: str | None = option(None, "x4,noise25,..")
    """Make pairs of pictures by x2 (smaller), blur2, noise25, jpeg30, gray or holes."""
    pairing: Literal["names", "none"] | None = option(None, shown="what the folders say")
    """Whether files of two folders are partners by name, or the folders two domains."""
    swap: bool = option(False)
    """Exchange the two sides of pairs."""
    masks: Path | None = option(None, "DIR")
    """Make pairs of pictures and themselves with holes, where the masks of this folder (by the same names) are white."""
    label_maps: bool = option(False)
    """The colours of the source side of pairs are labels, not brightnesses."""

    def __post_init__(self) -> None:
        if self.resolution is not None:
            height, width = parse_resolution(self.resolution)
            object.__setattr__(self, "resolution", str(height) if height == width else f"{height}x{width}")
        if self.values is not None:
            low, high = parse_values(self.values)
            object.__setattr__(self, "values", f"{low:g},{high:g}" if not isinstance(self.values, str) else self.values)
        super().__post_init__()

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width), or None for what suits the data."""
        return None if self.resolution is None else parse_resolution(self.resolution)

    @property
    def cut(self) -> tuple[float, float] | None:
        """(low, high), or None for all that the data span."""
        return None if self.values is None else parse_values(self.values)

    @property
    def asks_for_pairs(self) -> bool:
        """Whether an option has a meaning for pairs alone."""
        return self.task == "pairs" or bool(self.degrade or self.pairing or self.swap or self.masks)


def parse_resolution(resolution: str | int | tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of 64, "64", "64x48" (height x width) or (64, 48). Raises UserError for anything else."""
    sides: list[int] = []
    if isinstance(resolution, str):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:[x×]\s*(\d{1,9})\s*)?", resolution.lower())
        sides = [int(side) for side in match.groups() if side] if match else []
    elif isinstance(resolution, tuple | list):
        sides = [SIDE.of("each side of the resolution", side) for side in resolution]
    elif not isinstance(resolution, bool):
        sides = [SIDE.of("the resolution", resolution)]
    if len(sides) not in (1, 2):
        raise UserError(
            f'the resolution must be a side such as 64 or height x width such as 64x48, not "{str(resolution)[:80]}".'
        )
    for side in sides:
        SIDE.of("each side of the resolution", side)
    return sides[0], sides[-1]


def parse_values(values: str | tuple[float, float]) -> tuple[float, float]:
    """(low, high) of "0,3000" or (0, 3000). Raises UserError for anything else."""
    parts = values.split(",") if isinstance(values, str) else values
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        raise UserError(f'--values takes two numbers, such as 0,3000 or -1000,400, not "{str(values)[:80]}".')
    low, high = (FINITE.read("--values", part) if isinstance(part, str) else FINITE.of("--values", part) for part in parts)
    if low >= high:
        raise UserError(f"--values takes the lower number first, such as 0,3000, but it is {low:g},{high:g}.")
    return low, high
