"""How videos are read and cut into clips."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gansmith.data.options import DataOptions, option
from gansmith.errors import UserError

BUILTIN = {
    "shapes": "2,400 clips of a moving circle, square or triangle, 16 frames of 32x32 RGB, 3 classes; offline",
    "outlines": "1,200 pairs of clips, 16 frames of 32x32: broken outlines, and the shapes coloured by where they go; offline",
}
"""The built-in data of this kind, each with one line of description."""
LARGEST = 1024
"""The largest side of a frame."""
MOST_FRAMES = 1024
"""The most frames of a clip."""
_SIZE = re.compile(r"(\d+)(?:x(\d+))?")


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Videos."""

    frames: int | None = option(None, "F", "16, or those of the shortest videos")
    """Frames of a clip."""
    fps: float | None = option(None, "RATE", "that of most videos")
    """Frames a second: videos of another rate are brought to it, with frames left out or repeated."""
    stride: int | None = option(None, "F", "a quarter of a clip")
    """Frames from the beginning of a clip to that of the next one of the same video."""
    resolution: str | None = option(None, "SIDE|HxW", "that of the data up to 64, else 64")
    """Size of the frames: 64, or height x width, 48x64."""
    crop: Literal["center", "fit", "pad"] = option("center")
    """How frames of other proportions are fitted."""
    channels: int | None = option(None, "1|3|4", "the most general there is")
    """Gray, RGB or RGBA; transparent frames that lose their transparency are laid on white."""
    cuts: bool = option(True)
    """Do not look for scene cuts: clips may then reach across them."""
    labels: bool = option(True)
    """Leave class labels out."""
    skip_unreadable: bool = option(False)
    """Leave files that cannot be read out, instead of stopping at them."""
    task: Literal["generation", "pairs", "motion"] | None = option(None, shown="what is found")
    """Make clips alone, the second film of a pair from the first, or move a picture as a film moves."""
    swap: bool = option(False)
    """Exchange the two sides of pairs."""

    def __post_init__(self) -> None:
        if self.resolution is not None:
            height, width = parse_resolution(self.resolution)
            object.__setattr__(self, "resolution", str(height) if height == width else f"{height}x{width}")
        super().__post_init__()
        if self.frames is not None and not 2 <= self.frames <= MOST_FRAMES:
            raise UserError(f"--frames must be from 2 to {MOST_FRAMES}, but it is {self.frames}.")
        if self.fps is not None and not 0.1 <= self.fps <= 240:
            raise UserError(f"--fps must be from 0.1 to 240 frames a second, but it is {self.fps:g}.")
        if self.stride is not None and self.stride < 1:
            raise UserError(f"--stride must be at least 1 frame, but it is {self.stride}.")
        if self.channels is not None and self.channels not in (1, 3, 4):
            raise UserError(f"--channels must be 1 (gray), 3 (RGB) or 4 (RGBA), but it is {self.channels}.")

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width), if it was given."""
        return parse_resolution(self.resolution) if self.resolution is not None else None


def parse_resolution(given: object) -> tuple[int, int]:
    """(height, width) of 64, "64", "48x64" or (48, 64). Raises UserError for anything else."""
    text = "x".join(map(str, given)) if isinstance(given, tuple | list) else str(given)
    match = _SIZE.fullmatch(text)
    sides = [int(side) for side in match.groups() if side] if match else []
    if not sides or not all(8 <= side <= LARGEST for side in sides):
        raise UserError(f"--resolution takes a side from 8 to {LARGEST} or height x width, such as 64 or 48x64, not {text!r}.")
    return sides[0], sides[-1]
